"""Schema ids of records, in payloads and headers: both ways of reading find the same, and each record counts once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest

from batches import Record, batch, encode
from kafka_ferry.records.raw_records import KEY, VALUE, BatchDecoder
from kafka_ferry.records.raw_schema_ids import raw_schema_ids
from kafka_ferry.records.record_batch import whole_batches
from kafka_ferry.records.record_hash import Headers
from kafka_ferry.records.schema_id_forms import FORMS, PARTS, WITH_ID, Form, Found, found_in, header_names, id_of
from kafka_ferry.records.schema_ids import MOST, OTHERS, SchemaIds, SchemaIdUse, counted

GUID = UUID("8fe1a0ad-12f4-4dd5-b1ec-9c3f5aa4c0de")
OTHER = UUID("00000000-0000-0000-b1ec-9c3f5aa4c0de")  # its lower half is the same


def framed(number: int, payload: bytes = b"") -> bytes:
    return b"\0" + number.to_bytes(4, "big") + payload


def glue(version: UUID, compression: int = 0) -> bytes:
    return bytes([3, compression]) + version.bytes


def long(number: int) -> bytes:
    return number.to_bytes(8, "big")


def confluent(value: bytes | None) -> tuple[str, bytes | None]:
    return "__value_schema_id", value


def apicurio(name: str, value: bytes | None) -> tuple[str, bytes | None]:
    return f"apicurio.value.{name}", value


Told = tuple[Form, int | str] | None
NONE: Told = None
BAD: Told = (Form.MALFORMED, 0)
#: A value, its headers, and what they say.
CASES: list[tuple[bytes | None, Headers, Told]] = [
    (framed(7, b"x"), (), (Form.ID, 7)),
    (framed(7), (), (Form.ID, 7)),
    (framed(2**31 - 1, b"y"), (), (Form.ID, 2**31 - 1)),
    (framed(2**32 - 1), (), (Form.ID, 2**32 - 1)),
    (framed(0), (), (Form.ID, 0)),
    (b"\0" * 8, (), (Form.ID, 0)),
    (None, (), NONE),
    (b"", (), NONE),
    (b"\0", (), NONE),
    (b"\0\0\0\1", (), NONE),
    (b"\1\0\0\0\7x", (), NONE),
    (b"text", (), NONE),
    (glue(GUID) + b"payload", (), (Form.GLUE, str(GUID))),
    (glue(GUID, 5), (), (Form.GLUE, str(GUID))),
    (glue(GUID, 1), (), NONE),
    (glue(GUID)[:17], (), NONE),
    (b"\3", (), NONE),
    (b"x", [confluent(b"\1" + GUID.bytes)], (Form.GUID, str(GUID))),
    (b"", [confluent(b"\1" + GUID.bytes)], (Form.GUID, str(GUID))),
    (b"x", [confluent(b"\1" + OTHER.bytes)], (Form.GUID, str(OTHER))),
    (b"x", [confluent(b"\1" + GUID.bytes + b"\2\0\2")], (Form.GUID, str(GUID))),  # Protobuf's indexes of messages
    (framed(7), [confluent(b"\1" + GUID.bytes)], (Form.GUID, str(GUID))),  # the payload may begin as it likes
    (None, [confluent(b"\1" + GUID.bytes)], NONE),
    (b"x", [("__key_schema_id", b"\1" + GUID.bytes)], NONE),
    (b"x", [("__value_schema_i", b"\1" + GUID.bytes), ("__value_schema_ix", b"\1" + GUID.bytes)], NONE),
    (b"x", [confluent(framed(12))], (Form.HEADER_ID, 12)),
    (framed(7), [confluent(None)], (Form.ID, 7)),  # as if it were not there
    (b"x", [confluent(b"\1" + GUID.bytes), confluent(None)], NONE),
    (b"x", [confluent(b"")], BAD),
    (b"x", [confluent(b"\1" + GUID.bytes[:15])], BAD),
    (b"x", [confluent(b"\0\0\0\1")], BAD),
    (b"x", [confluent(b"\2" + GUID.bytes)], BAD),
    (b"x", [confluent(b"\x81" + GUID.bytes)], BAD),
    (b"x", [confluent(b"bad"), ("a", None), confluent(framed(3)), ("", b"")], (Form.HEADER_ID, 3)),  # the last counts
    (b"x", [confluent(framed(3)), confluent(b"bad")], BAD),
    (b"x", [apicurio("globalId", long(300))], (Form.GLOBAL_ID, 300)),
    (b"x", [apicurio("contentId", long(2**40))], (Form.CONTENT_ID, 2**40)),
    (b"x", [apicurio("globalId", long(3)), apicurio("contentId", long(4))], (Form.CONTENT_ID, 4)),
    (b"x", [apicurio("globalId", long(3)), apicurio("globalId", long(9))], (Form.GLOBAL_ID, 9)),
    (b"x", [apicurio("globalId", long(3)), confluent(framed(5))], (Form.HEADER_ID, 5)),
    (b"x", [apicurio("globalId", long(3)), apicurio("encoding", b"BINARY")], (Form.GLOBAL_ID, 3)),
    (b"x", [apicurio("globalId", b"\0\0\0\3")], BAD),
    (b"x", [apicurio("globalId", None)], BAD),
    (b"x", [apicurio("globalId", b"\xff" * 8)], BAD),
    (b"x", [apicurio("artifactId", b"orders"), apicurio("groupId", b"shop")], (Form.NAME, 0)),
    (b"x", [apicurio("contentHash", b"ab"), apicurio("globalId", long(3))], (Form.NAME, 0)),
    (framed(7), [apicurio("encoding", b"BINARY")], (Form.ID, 7)),
    (None, [apicurio("globalId", long(3))], NONE),
]  # fmt: skip


def told(found: Found) -> list[Told]:
    rows = zip(found.forms.tolist(), found.high.tolist(), found.low.tolist(), strict=True)
    return [None if form is None else (form, id_of(form, *halves)) for form, *halves in
            ((FORMS[number], high, low) for number, high, low in rows)]  # fmt: skip


def both(records: Sequence[tuple[bytes | None, bytes | None, Headers]]) -> tuple[list[Found], list[Found]]:
    """What the objects say, and what compiled code says, of keys and values."""
    keys, values, headers = zip(*records, strict=True)
    rows = [Record(at, 0, key, value, some) for at, (key, value, some) in enumerate(records)]
    made = batch(b"".join(map(encode, rows)), time=1, last=len(rows) - 1, count=len(rows))
    (run,) = BatchDecoder().records(whole_batches(memoryview(made)))
    of_objects = [found_in(part, some, headers) for part, some in zip(PARTS, (keys, values), strict=True)]
    return of_objects, [raw_schema_ids(run, part) for part in (KEY, VALUE)]


@pytest.mark.parametrize("part", PARTS)
def test_both_ways_find_what_is_there(part: str) -> None:
    """Of a key the same, by headers of its own."""
    records = []
    for content, headers, _ in CASES:
        turned = [(name if "key" not in name else "x", value) for name, value in headers]
        turned = [(name.replace("value", part), value) for name, value in turned]
        records.append((content, b"v", turned) if part == "key" else (b"k", content, turned))
    objects, compiled = both(records)

    expected = [said for _, _, said in CASES]
    at = PARTS.index(part)
    assert told(objects[at]) == expected
    assert told(compiled[at]) == expected
    assert told(objects[1 - at]) == told(compiled[1 - at])


def test_both_ways_agree_on_whatever_is_sent() -> None:
    """Headers and payloads of a stranger's choice: no two ways of reading may differ, and none may fail."""
    dice = random.Random(20261201)
    names = [*header_names("key"), *header_names("value"), "", "__value_schema_id\0", "apicurio.value.encoding"]

    def content() -> bytes | None:
        start = dice.choice([b"", b"\0", b"\1", b"\3\0", b"\3\5", b"\x7f", b"\xff"])
        return None if dice.random() < 0.15 else start + dice.randbytes(dice.choice([0, 1, 3, 4, 7, 8, 15, 16, 17]))

    records = [
        (content(), content(), [(dice.choice(names), content()) for _ in range(dice.choice([0, 0, 1, 2, 5]))])
        for _ in range(4000)
    ]
    objects, compiled = both(records)

    for ours, theirs in zip(objects, compiled, strict=True):
        assert told(ours) == told(theirs)
        assert {one[0] for one in told(ours) if one} == set(Form), "each form is among them"


def test_nothing_is_found_in_nothing() -> None:
    assert told(found_in("value", [], [])) == []


# --- counting ---------------------------------------------------------------------------------------------------------


def of_ids(values: list[int]) -> Found:
    """Ids of payloads; ``OTHERS``: none."""
    found = [framed(value) if value != OTHERS else b"text" for value in values]
    return found_in("value", found, [None] * len(values))


def take(ids: SchemaIds, partition: int, begin: int, values: Found) -> None:
    offsets = np.arange(begin, begin + len(values), dtype=np.int64)
    ids.take(("orders", partition), offsets, of_ids([OTHERS] * len(values)), values)


def test_they_are_counted_with_their_first_offset() -> None:
    ids = SchemaIds()
    take(ids, 0, 10, of_ids([7, OTHERS, 8, 7]))
    take(ids, 0, 14, of_ids([8]))
    take(ids, 1, 0, of_ids([OTHERS]))

    assert ids.of("orders", 0) == (SchemaIdUse("value", 7, 2, 0, 10), SchemaIdUse("value", 8, 2, 0, 12))
    assert ids.of("orders", 1) == ids.of("others") == ()


def test_what_is_read_twice_counts_once() -> None:
    """Of a large topic a part of the keys is compared at a time, and all is read each time."""
    ids = SchemaIds()
    take(ids, 0, 0, of_ids([7, 7, 8]))
    take(ids, 0, 0, of_ids([7, 7, 8]))
    take(ids, 0, 2, of_ids([8, 9]))

    assert [(use.id, use.records) for use in ids.of("orders")] == [(7, 2), (8, 1), (9, 1)]


def test_those_that_differ_in_one_half_alone_are_told_apart() -> None:
    versions = [GUID, OTHER, GUID, UUID(int=OTHER.int + 1)]
    ids = SchemaIds()
    take(ids, 0, 5, found_in("value", map(glue, versions), [None] * 4))

    found = {use.id: (use.records, use.offset) for use in ids.of("orders")}
    assert found == {str(GUID): (2, 5), str(OTHER): (1, 6), str(versions[3]): (1, 8)}


def test_they_are_bounded() -> None:
    """What begins with a zero byte may be a number, different in every record."""
    ids = SchemaIds(most=3)
    take(ids, 0, 0, of_ids([5, 6, 7, 8, 9, 8, 5]))

    found = {use.id: use for use in ids.of("orders")}
    assert found.keys() == {OTHERS, 5, 6, 7}
    assert (found[OTHERS].records, found[5].records) == (3, 2)


def test_numbers_leave_room_for_ids_in_headers_and_those_are_bounded_too() -> None:
    ids = SchemaIds(most=2)
    take(ids, 0, 0, of_ids(list(range(100))))
    headers = [[confluent(b"\1" + UUID(int=number).bytes)] for number in range(50)]
    headers += [[apicurio("globalId", long(number))] for number in range(50)]
    take(ids, 0, 100, found_in("value", [b"x"] * 100, headers))

    found = {(use.form, use.id): (use.records, use.offset) for use in ids.of("orders")}
    assert found == {
        (Form.ID, 0): (1, 0), (Form.ID, 1): (1, 1), (Form.ID, OTHERS): (98, 2),
        (Form.GUID, str(UUID(int=0))): (1, 100), (Form.GUID, str(UUID(int=1))): (1, 101),
        (Form.GUID, OTHERS): (48, 102), (Form.GLOBAL_ID, OTHERS): (50, 150),
    }  # fmt: skip


@pytest.mark.parametrize("form", Form)
def test_they_travel_as_json(form: Form) -> None:
    use = SchemaIdUse("key", str(GUID) if form in WITH_ID else 0, 2, 1, 10, form)
    assert SchemaIdUse.from_json(use.to_json()) == use


def test_those_of_an_earlier_release_are_read() -> None:
    """A run may go on after an upgrade."""
    assert SchemaIdUse.from_json(["key", 7, 2, 1, 10]) == SchemaIdUse("key", 7, 2, 1, 10, Form.ID)


def test_partitions_are_added_up() -> None:
    uses = {
        "orders": [SchemaIdUse("value", 7, 2, 1, 3), SchemaIdUse("value", 7, 5, 0, 9), SchemaIdUse("key", 7, 1, 0, 0),
                   SchemaIdUse("value", 9, 100, 0, 1), SchemaIdUse("value", 7, 1, 0, 8, Form.GLOBAL_ID)],
        "lines": [SchemaIdUse("value", 7, 1, 0, 0)],
    }  # fmt: skip

    assert counted(uses) == [
        ("lines", SchemaIdUse("value", 7, 1, 0, 0)),
        ("orders", SchemaIdUse("key", 7, 1, 0, 0)),
        ("orders", SchemaIdUse("value", 7, 1, 0, 8, Form.GLOBAL_ID)),
        ("orders", SchemaIdUse("value", 9, 100, 0, 1)),
        ("orders", SchemaIdUse("value", 7, 7, 0, 9)),
    ]


@pytest.mark.parametrize("form", [Form.ID, Form.GUID])
def test_many_partitions_are_bounded_too(form: Form) -> None:
    def name(number: int) -> int | str:
        return str(UUID(int=number)) if form is Form.GUID else number

    uses = {"orders": [SchemaIdUse("value", name(one), 1 + (one == 5), 0, one, form) for one in range(MOST + 10)]}
    uses["orders"].append(SchemaIdUse("value", OTHERS, 4, 1, 0, form))

    found = counted(uses)
    assert len(found) == MOST + 1
    assert found[0][1].id == name(5)
    assert (found[-1][1].id, found[-1][1].records) == (OTHERS, 14)
