"""The check ``schemas``: an id in the records that does not mean the same at the target is named, with its place."""

from __future__ import annotations

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.jobs.migration.rules.schemas import PROBED, check_schemas, first_of_each, ids_of_registry
from kafka_ferry.records.schema_ids import OTHERS, SchemaIdUse

SOURCE = {7: "order", 8: "line"}


def value(number: int, records: int = 10, partition: int = 0, offset: int = 0) -> SchemaIdUse:
    return SchemaIdUse("value", number, records, partition, offset)


def test_all_that_mean_the_same_pass() -> None:
    check = check_schemas([("orders", value(7)), ("lines", value(8, 1))], SOURCE, {**SOURCE, 9: "more"})

    assert (check.status, check.differences) == (Status.PASS, [])
    assert check.expected.startswith("2 ids in 11 keys and values of 2 topics")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({7: "order"}, "the target registry does not know it"),
        ({7: "order", 8: "order"}, "it is another schema at the target"),
        ({7: "order", 8: None}, "the target registry does not know it"),
    ],
)
def test_what_means_something_else_is_named(target: dict[int, str | None], told: str) -> None:
    check = check_schemas([("orders", value(7)), ("orders", value(8, 3, 2, 41))], SOURCE, target)

    assert check.status is Status.FAIL
    assert check.differences == [f"orders: values with id 8: {told}: 3 records, first: partition 2, offset 41"]


def test_an_id_that_nobody_knows_is_named_beside_ones_that_are_known() -> None:
    uses = [("orders", value(7)), ("orders", value(99, 1, 1, 5)), ("orders", value(0, 2, 0, 6))]
    check = check_schemas(uses, SOURCE, SOURCE)

    assert check.status is Status.FAIL
    assert check.differences == [
        "orders: values with id 99: neither registry knows it: 1 record, first: partition 1, offset 5",
        "orders: values with id 0: neither registry knows it: 2 records, first: partition 0, offset 6",
    ]


def test_an_id_that_only_the_target_knows_is_no_proof() -> None:
    check = check_schemas([("orders", value(7)), ("orders", value(9))], SOURCE, {**SOURCE, 9: "x"})

    assert "the source registry does not know it, the target's does" in check.differences[0]


def test_numbers_that_look_like_ids_are_named_and_no_difference() -> None:
    keys = [("orders", SchemaIdUse("key", number, 4, 0, number)) for number in (0, 400)]
    check = check_schemas([*keys, ("orders", value(7))], SOURCE, SOURCE)

    assert check.status is Status.EXPLAINED
    assert check.differences == [
        "orders: 8 keys begin as id 0 would, and the source registry knows none of them: taken for other data; first: "
        "partition 0, offset 0"
    ]


def test_more_ids_than_are_told_apart_are_not_passed_over() -> None:
    check = check_schemas([("orders", value(7)), ("orders", value(OTHERS, 5, 3, 2))], SOURCE, SOURCE)

    assert check.status is Status.EXPLAINED
    assert check.differences == [
        "orders: values: more ids than can be told apart, in 5 records, first: partition 3, offset 2"
    ]


def test_no_ids_at_all_is_said() -> None:
    check = check_schemas([], {}, {})
    assert (check.status, check.actual) == (Status.PASS, "none does")


def test_many_differences_are_cut() -> None:
    uses = [("orders", value(7)), *(("orders", value(number)) for number in range(100, 200))]
    check = check_schemas(uses, SOURCE, SOURCE)

    assert check.actual == "100 differences"
    assert (len(check.differences), check.differences[-1]) == (51, "and 50 more")


def test_only_some_ids_are_asked_to_know_whether_they_are_ids() -> None:
    """A million different numbers are no reason for a million requests."""
    numbers = [("times", value(number)) for number in range(1000, 2000)]
    uses = [("orders", value(7)), ("orders", value(8)), *numbers]

    first = first_of_each(uses)
    assert len(first) == PROBED + 2
    assert ids_of_registry(uses, {one: SOURCE.get(one) for one in first}) == {7, 8}
