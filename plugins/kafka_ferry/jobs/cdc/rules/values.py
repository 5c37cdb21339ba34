"""One value, said the same way by the server, by its binary log and by Debezium.

What is said is what the *database* holds. Debezium's forms are read as its documentation says ("Data type mappings" of
the MySQL and MariaDB connectors), for ``decimal.handling.mode=string``, ``binary.handling.mode=bytes``,
``time.precision.mode=adaptive_time_microseconds``, ``bigint.unsigned.handling.mode=precise`` and the JsonConverter
without schemas with ``decimal.format=NUMERIC``: our connector config sets these. Where a form cannot hold a value, the
value in the topic is another one, and stays another one here.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import xxhash

from kafka_ferry.jobs.cdc.rules.tables import GEOMETRIES, Column

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"})
_BYTES = frozenset({"tinyblob", "blob", "mediumblob", "longblob", "varbinary", "binary"})
#: Kinds of which the server takes values that are on no calendar, such as 0000-00-00.
DATES = frozenset({"date", "datetime", "timestamp"})
_MOST_MILLISECONDS = 3  # digits of a second up to which a DATETIME comes in milliseconds
_CENTURIES = 146_097  # days in 400 years
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?")
_POINT = struct.Struct("<BIdd")  # WKB of a point: little-endian, of type 1
_ENCODE = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_NULL = bytes(8)
_TAG = 2  # bytes of each column's digest that are kept


def from_database(column: Column, value: Any) -> Any:
    """A value as PyMySQL gives it; the session's time zone is UTC."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray):
        return _of_bytes(column, bytes(value))
    if column.kind == "float":
        return float32(value)
    if column.kind == "double":
        return float(value)
    if column.kind == "set":
        return set_of(str(value).split(","))
    if column.kind in DATES and isinstance(value, str):
        return parse_timestamp(value)
    return _plain(value)


def _of_bytes(column: Column, value: bytes) -> Any:
    if column.kind == "bit":
        return int.from_bytes(value, "big")
    return geometry(value) if column.kind in GEOMETRIES else base64_of(value)


def from_event(column: Column, value: Any) -> Any:
    """A value as it stands in the JSON of an event. One that has another form than its kind has is another value."""
    if value is None:
        return None
    try:
        return _from_event(column, value)
    except (ValueError, TypeError, KeyError, InvalidOperation, OverflowError, struct.error):
        return ["no", column.kind, value]


def _from_event(column: Column, value: Any) -> Any:
    kind = column.kind
    if kind in _INTEGERS or kind == "date":
        return int(value) if isinstance(value, bool) else value
    if kind in ("float", "double"):
        return float32(value) if kind == "float" else float(value)
    if kind == "datetime":
        return _integer(value) * (1000 if column.precision <= _MOST_MILLISECONDS else 1)
    if kind == "bit":
        # The bits in as many bytes as they need, the lowest byte first; a single one is true or false.
        return int(value) if isinstance(value, bool) else int.from_bytes(_decoded(value), "little")
    if reader := _READERS.get(kind):
        return reader(value)
    if kind in _BYTES:
        return base64_of(_decoded(value))
    return _geometry_of(value) if kind in GEOMETRIES else value


def _geometry_of(value: Mapping[str, Any]) -> str:
    wkb = _decoded(value["wkb"])
    said = geometry(struct.pack("<I", value.get("srid") or 0) + wkb)
    if "x" in value and _POINT.unpack(wkb)[2:] != (value["x"], value["y"]):
        return f"{said}, x and y are another point"
    return said


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _decoded(value: Any) -> bytes:
    return base64.b64decode(value, validate=True)


def parse_timestamp(text: str) -> int | str:
    """Days, or microseconds where there is a time, since 1970 in the calendar of today; the text of what is none."""
    found = _DATE.fullmatch(text)
    if not found:
        return text
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    back = _CENTURIES if year == 0 else 0  # which Python's calendar does not have
    try:
        days = (date(year or 400, month, day) - _EPOCH.date()).days - back
    except ValueError:
        return text
    if found[4] is None:
        return days
    seconds = days * 86400 + int(found[4]) * 3600 + int(found[5]) * 60 + int(found[6])
    return seconds * 1_000_000 + int((found[7] or "").ljust(6, "0"))


def decimal(value: Any) -> str:
    """Without needless zeros, so that a column that got more digits makes no difference."""
    text = format(Decimal(str(value)), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def float32(value: Any) -> float:
    """The server, asked for ``column + 0e0``, and the binary log give all 24 bits of a FLOAT."""
    return float(struct.unpack("f", struct.pack("f", float(value)))[0])


def set_of(names: Iterable[str]) -> str:
    """A SET's values have no order."""
    return ",".join(sorted(filter(None, names)))


def geometry(value: bytes) -> str:
    """As the server stores it: the number of its reference system, then WKB."""
    return f"{int.from_bytes(value[:4], 'little')} {base64_of(value[4:])}"


def base64_of(value: bytes) -> str:
    """As JSON has bytes."""
    return base64.b64encode(value).decode()


def row(columns: Iterable[Column], values: Mapping[str, Any], *, event: bool) -> dict[str, Any]:
    """The comparable values of a row by column; columns that it does not have are left out, nulls too.

    So a column that was added later, without a default, makes no difference to rows from before.
    """
    said = from_event if event else from_database
    return {c.name: said(c, values[c.name]) for c in columns if c.compared and values.get(c.name) is not None}


def digest(columns: Sequence[Column], values: Mapping[str, Any]) -> bytes:
    """64 bits of :func:`row`, and 16 bits of each column, so that those that differ can be named."""
    parts = [
        xxhash.xxh64_digest(_ENCODE(values[column.name]).encode()) if column.name in values else _NULL
        for column in columns
    ]
    return xxhash.xxh64_digest(b"".join(parts)) + b"".join(part[:_TAG] for part in parts)


def differing(columns: Sequence[Column], one: bytes | None, other: bytes | None) -> list[str]:
    """Names of columns whose values differ, by two digests of a row."""
    if one is None or other is None:
        return []
    ends = range(len(_NULL), len(_NULL) + _TAG * len(columns), _TAG)
    return [c.name for c, at in zip(columns, ends, strict=True) if one[at : at + _TAG] != other[at : at + _TAG]]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MICROSECOND
    if isinstance(value, date):
        return (value - _EPOCH.date()).days
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    return value


_READERS = {
    "decimal": decimal,
    "timestamp": lambda value: _plain(datetime.fromisoformat(str(value))),
    "set": lambda value: set_of(str(value).split(",")),
    "time": _integer,
}
