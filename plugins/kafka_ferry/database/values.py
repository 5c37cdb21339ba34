"""One value, said the same way by the server, by its binary log and by Debezium.

Debezium's forms are those of ``decimal.handling.mode=string``, ``time.precision.mode=adaptive_time_microseconds``,
``binary.handling.mode=bytes`` and the JsonConverter without schemas (documentation of the MySQL and MariaDB connectors,
"Data type mappings"): our connector config sets these.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import xxhash

from kafka_ferry.database.tables import Column

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"})
_BYTES = frozenset({"tinyblob", "blob", "mediumblob", "longblob", "varbinary"})
_MOST_MILLISECONDS = 3  # digits of a second up to which a DATETIME comes in milliseconds


def from_database(column: Column, value: Any) -> Any:
    """A value as PyMySQL or the binary log gives it; the session's time zone is UTC."""
    if value is None:
        return None
    if column.kind == "float":
        return _float32(value)
    if column.kind == "bigint" and column.unsigned and value >= 1 << 63:
        return value - (1 << 64)  # bigint.unsigned.handling.mode=long, Debezium's default, lets it overflow
    if column.kind == "set":
        return ",".join(sorted(value if isinstance(value, set) else filter(None, str(value).split(","))))
    if isinstance(value, bytes | bytearray):
        return _bytes(column, bytes(value))
    return _plain(value)


def from_event(column: Column, value: Any) -> Any:
    """A value as it stands in the JSON of an event."""
    kind = column.kind
    if value is None:
        return None
    if kind == "decimal":
        return _plain(Decimal(str(value)))
    if kind == "float":
        return _float32(value)
    if kind == "timestamp":
        return _plain(datetime.fromisoformat(str(value)))
    if kind == "datetime":
        return int(value) * (1000 if column.precision <= _MOST_MILLISECONDS else 1)
    if kind == "date":
        return int(value)
    if kind == "set":
        return ",".join(sorted(filter(None, str(value).split(","))))
    if kind in _BYTES or kind == "binary":
        return _bytes(column, base64.b64decode(value))
    return int(value) if kind in _INTEGERS else value


def row(columns: Iterable[Column], values: Mapping[str, Any], *, event: bool) -> dict[str, Any]:
    """The comparable values of a row by column; columns that it does not have are left out, nulls too.

    So a column that was added later, without a default, makes no difference to rows from before.
    """
    said = from_event if event else from_database
    found = {c.name: said(c, values[c.name]) for c in columns if c.compared and values.get(c.name) is not None}
    return dict(sorted(found.items()))


def digest(values: Mapping[str, Any]) -> int:
    """64 bits of :func:`row`."""
    return xxhash.xxh64_intdigest(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MICROSECOND
    if isinstance(value, date):
        return (value - _EPOCH.date()).days
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    return value


def _float32(value: Any) -> float:
    """The server, asked for ``column + 0e0``, the binary log and Debezium give all 24 bits of a FLOAT."""
    return float(struct.unpack("f", struct.pack("f", float(value)))[0])


def _bytes(column: Column, value: bytes) -> str:
    # BINARY(n) is padded with zeros by the server and not in the binary log.
    return base64.b64encode(value.rstrip(b"\0") if column.kind == "binary" else value).decode()
