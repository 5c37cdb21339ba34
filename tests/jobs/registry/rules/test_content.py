"""A registry's content as text: the same bytes for the same content, and nothing believed that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kafka_ferry.core.schemas import Reference, Schema, SubjectVersion
from kafka_ferry.jobs.registry.rules.content import read_content, written
from kafka_ferry.jobs.registry.rules.state import RegistryState


def state(*versions: SubjectVersion, **more: Any) -> RegistryState:
    return RegistryState(
        {one.place: one for one in versions},
        frozenset(one.subject for one in versions),
        **{"modes": {"": None}, **more},
    )


ORDER = SubjectVersion("orders-value", 1, 11, Schema('{"type": "record", "name": "é\\n"}'))
LINE = SubjectVersion("lines-value", 3, 7, Schema("x", "PROTOBUF", (Reference("o", "orders-value", 1),)))
GONE = SubjectVersion(":.eu:gone", 2, 11, Schema('"int"'), deleted=True)
WHOLE = state(
    ORDER, LINE, GONE, compatibility={"": "BACKWARD", "orders-value": "FULL", "lines-value": None},
    modes={"": "READWRITE", ":.eu:gone": "READONLY"},
)  # fmt: skip


def test_it_comes_back_as_it_was() -> None:
    found, missing = read_content(written(WHOLE))

    assert (found.versions, found.wanted, missing) == (WHOLE.versions, WHOLE.wanted, set())
    assert found.compatibility == {"": "BACKWARD", "orders-value": "FULL"}
    assert found.modes == WHOLE.modes
    assert found.digests == WHOLE.digests
    assert found.has_modes
    assert not read_content(written(state(ORDER)))[0].has_modes, "one that knew no modes"


def test_the_same_content_has_the_same_bytes() -> None:
    assert written(state(GONE, LINE, ORDER, compatibility=dict(reversed(WHOLE.compatibility.items())),
                         modes=WHOLE.modes)) == written(WHOLE)  # fmt: skip
    assert written(state(ORDER._replace(id=12))) != written(state(ORDER))


def test_what_the_registry_did_not_have_is_noted() -> None:
    assert read_content(written(state(LINE)))[1] == {("orders-value", 1)}


def test_a_part_brings_what_it_refers_to() -> None:
    deep = SubjectVersion("deep", 1, 1, Schema("x", "PROTOBUF", (Reference("l", "lines-value", 3),)))

    part = state(ORDER, LINE, GONE, deep).only(lambda subject: subject == "deep")

    assert set(part.versions) == {("deep", 1), ("lines-value", 3), ("orders-value", 1)}
    assert part.wanted == {"deep"}
    assert state(ORDER).only(lambda _: False).versions == {}


def test_what_counts_in_a_context_is_kept_and_its_schemas_bring_those_of_it() -> None:
    own = SubjectVersion(":.eu:orders-value", 1, 12, Schema('"int"'))
    line = LINE._replace(subject=":.eu:lines-value")
    there = state(ORDER, own, line, compatibility={"": "NONE", ":.eu:": "FULL"}, modes={"": "READWRITE"})

    found, missing = read_content(written(there))

    assert (found.level(line.subject), found.level("orders-value"), missing) == ("FULL", "NONE", set())
    assert set(found.only(lambda subject: subject == line.subject).versions) == {own.place, line.place}
    assert read_content(written(state(ORDER, line)))[1] == {own.place}, "that of no context is another one"


def change(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["versions"][0].update(values)


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content.update(format="kafka-ferry.schemas/2"),
        lambda content: content.update(more=1),
        lambda content: content.pop("versions"),
        lambda content: content["versions"].append(content["versions"][0]),
        change(version=0),
        change(version="1"),
        change(id=-1),
        change(id=2**31),
        change(subject=""),
        change(text=None),
        change(subject="\ud800"),
        change(deleted="perhaps"),
        change(extra=1),
        change(references=[{"name": "o", "subject": "s"}]),
        lambda content: content.update(modes={"a": 1}),
        lambda content: content.update(missing=[["a"]]),
    ],
)
def test_what_cannot_be_is_refused(harm: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(written(WHOLE))
    harm(content)

    with pytest.raises(ValueError):  # pydantic's and our own
        read_content(json.dumps(content).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_json_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_content(data)
