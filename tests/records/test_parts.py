from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.records.parts import Record, differing_parts

WHOLE = Record(0, 1000, b"secret-key", b"secret-value", (("a", b"1"), ("b", None)))


def changed(**fields: Any) -> tuple[str, ...]:
    return differing_parts(WHOLE, Record(**{**vars(WHOLE), "offset": 9, **fields}))


@pytest.mark.parametrize(
    "fields, parts",
    [
        ({}, ()),
        ({"key": b"x"}, ("key",)),
        ({"key": None}, ("key: content became null",)),
        ({"value": b""}, ("value",)),
        ({"value": b"c2VjcmV0LXZhbHVl"}, ("value: base64 text of the source's",)),
        ({"timestamp_ms": 1500}, ("timestamp: +500 ms",)),
        ({"headers": ()}, ("header: 2 became 0",)),
        ({"headers": (("b", None), ("a", b"1"))}, ("header: in another order",)),
        ({"headers": (("a", b"1"), ("c", None))}, ("header: other names",)),
        ({"headers": (("a", b"1"), ("b", b""))}, ("header 'b': null became empty",)),
        ({"headers": (("a", b"2"), ("b", None))}, ("header 'a'",)),
        ({"key": b"x", "value": b"y", "timestamp_ms": 999}, ("key", "value", "timestamp: -1 ms")),
    ],
)
def test_parts(fields: dict[str, Any], parts: tuple[str, ...]) -> None:
    assert changed(**fields) == parts


def test_no_content_is_shown() -> None:
    assert "secret" not in repr(changed(key=b"other", value=None, headers=(("a", b"secret"), ("b", None))))


def test_the_timestamp_can_be_left_out() -> None:
    assert differing_parts(WHOLE, Record(**{**vars(WHOLE), "timestamp_ms": 5}), with_timestamp=False) == ()


def test_names_that_java_cannot_carry_name_the_cause() -> None:
    source = Record(0, 0, None, None, (("a", b"1"), ("caf\udce9", b"2")))
    target = Record(0, 0, None, None, (("a", b"1"), ("caf\ufffd", b"2")))
    told = ("header: a name that is not UTF-8, which Java clients cannot represent",)
    assert differing_parts(source, target) == told
    assert differing_parts(target, source) == ("header: other names",)
    both = Record(0, 0, None, None, (("b", b"1"), ("caf\ufffd", b"2")))
    assert differing_parts(source, both) == ("header: other names",)


def test_base64_headers_name_the_cause() -> None:
    parts = differing_parts(Record(0, 0, None, None, (("h", b"6"),)), Record(0, 0, None, None, (("h", b"Ng=="),)))
    assert "header.converter=ByteArrayConverter" in parts[0]
