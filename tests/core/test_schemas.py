"""The order in which schemas are registered, and contexts."""

from __future__ import annotations

import random

import pytest

from kafka_ferry.core.schemas import Reference, Schema, SubjectVersion, context_of, in_order, plain_name


def version(subject: str, number: int, schema_id: int, *references: tuple[str, int]) -> SubjectVersion:
    named = tuple(Reference(name, name, of) for name, of in references)
    return SubjectVersion(subject, number, schema_id, Schema("x", references=named))


def test_what_is_referred_to_comes_first() -> None:
    top = version("top", 1, 1, ("middle", 2))
    middle = [version("middle", 1, 5), version("middle", 2, 3, ("bottom", 1))]
    bottom = version("bottom", 1, 9)
    whole = [top, *middle, bottom]
    for _ in range(20):
        random.shuffle(whole)
        assert [str(one) for one in in_order(whole)] == [
            "bottom version 1", "middle version 1", "middle version 2", "top version 1",
        ]  # fmt: skip


def test_versions_of_a_subject_keep_their_order_whatever_their_ids_are() -> None:
    """A schema that was registered again elsewhere before has a small id as the newest version."""
    found = in_order([version("a", 2, 1), version("a", 1, 7), version("b", 1, 2)])

    assert [one.place for one in found] == [("a", 1), ("a", 2), ("b", 1)]


def test_else_they_come_as_they_were_registered() -> None:
    found = in_order([version("a", 1, 3), version("b", 1, 2), version("c", 1, 1)])

    assert [one.id for one in found] == [1, 2, 3]


def test_references_in_a_circle_or_to_nowhere_end() -> None:
    circle = [version("a", 1, 1, ("b", 1)), version("b", 1, 2, ("a", 1)), version("c", 1, 3, ("gone", 4))]

    assert len(in_order(circle)) == 3


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = [version(f"s{n}", 1, n, (f"s{n + 1}", 1)) for n in range(5000)]

    assert in_order(chain)[0].subject == "s4999"


@pytest.mark.parametrize(
    ("subject", "context", "plain"),
    [("orders-value", "", "orders-value"), (":.eu:orders-value", ":.eu:", "orders-value"), (":.:x", ":.:", "x"),
     (":.eu", "", ":.eu"), (":odd:x", "", ":odd:x"), (":.eu:a:b", ":.eu:", "a:b")],
)  # fmt: skip
def test_contexts(subject: str, context: str, plain: str) -> None:
    assert (context_of(subject), plain_name(subject)) == (context, plain)


@pytest.mark.parametrize(
    ("parent", "named", "place"),
    [
        ("lines", "orders", "orders"),
        (":.eu:lines", "orders", ":.eu:orders"),
        (":.eu:lines", ":.us:orders", ":.us:orders"),
        ("lines", ":.us:orders", ":.us:orders"),
        (":.eu:", "orders", ":.eu:orders"),
    ],
)
def test_a_reference_without_a_context_means_that_of_its_schema(parent: str, named: str, place: str) -> None:
    assert Reference("Order", named, 2).place(parent) == (place, 2)
