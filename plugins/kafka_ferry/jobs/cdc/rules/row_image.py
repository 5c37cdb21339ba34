"""Rows of a binary log, from the bytes: what the database stored, and no more. Pure.

The format is told by the servers' documentation (MySQL's of Table_map_event and Rows_event in its "Source Code
Documentation", MariaDB's "Replication Protocol"). The library that fetches the log reads some values wrongly (measured
on mysql-replication 1.0.17: negative times with a fraction, empty sets, the year 0, zero dates, text in other character
sets), so only its transport is used.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafka_ferry.jobs.cdc.rules.values import base64_of, decimal, float32, geometry, parse_timestamp, set_of

(TINY, SHORT, LONG, FLOAT, DOUBLE, TIMESTAMP, LONGLONG, INT24, DATE, TIME, DATETIME, YEAR) = (
    1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13,
)  # fmt: skip
VARCHAR, BIT, TIMESTAMP2, DATETIME2, TIME2, JSON, NEWDECIMAL = 15, 16, 17, 18, 19, 245, 246
ENUM, SET, BLOB, STRING, GEOMETRY = 247, 248, 252, 254, 255
_BINARY: Final = 63  # the collation of bytes
_META = {FLOAT: 1, DOUBLE: 1, BLOB: 1, GEOMETRY: 1, JSON: 1, TIMESTAMP2: 1, DATETIME2: 1, TIME2: 1,
         VARCHAR: 2, BIT: 2, NEWDECIMAL: 2, STRING: 2}  # fmt: skip
_INTEGER = {TINY: 1, SHORT: 2, INT24: 3, LONG: 4, LONGLONG: 8}
_NUMERIC = frozenset({*_INTEGER, NEWDECIMAL, FLOAT, DOUBLE, YEAR})
_CHARACTERS = frozenset({STRING, VARCHAR, BLOB})
_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)  # bytes for so many digits
_FRACTION = (0, 1, 1, 2, 2, 3, 3)

Decode = Callable[[int, bytes], str]
"""Text of bytes, by the number of a collation."""


class NotReadable(ValueError):
    """A kind of column, or of event, that is not known."""


@dataclass
class LogColumn:
    """A column of a table as it was when a row was written.

    :param meta: two bytes about its kind. ``options``: of an ENUM or SET, in the bytes of its ``collation``.
    """

    kind: int
    meta: bytes
    name: str = ""
    unsigned: bool = False
    collation: int = _BINARY
    options: Sequence[bytes] = ()


class _Bytes:
    """What is still to be read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise NotReadable("the binary log ends within a row")
        self.at += count
        return found

    def number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "little", signed=signed)

    def big(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def length(self) -> int:
        """A number of one to nine bytes."""
        first = self.number(1)
        return self.number({252: 2, 253: 3, 254: 8}[first]) if first > 250 else first

    def text(self) -> bytes:
        return self.take(self.length())

    @property
    def left(self) -> bool:
        return self.at < len(self.data)


def columns_of(body: bytes, *, mariadb: bool) -> list[LogColumn]:
    """Columns that a table map event tells, by its body without header and checksum.

    Without ``binlog_row_metadata=FULL`` they have no names.

    :raises NotReadable: it has columns of a kind that is not known.
    """
    data = _Bytes(body)
    data.take(8)
    for _ in ("database", "table"):
        data.take(data.number(1) + 1)
    kinds = data.take(data.length())
    meta = _Bytes(data.text())
    columns = [_column(kind, meta) for kind in kinds]
    data.take((len(columns) + 7) // 8)
    told: dict[int, bytes] = {}
    while data.left:
        what = data.number(1)
        told[what] = data.text()
    _name(columns, told, mariadb)
    return columns


def _column(kind: int, meta: _Bytes) -> LogColumn:
    about = meta.take(_META.get(kind, 0))
    if kind not in _META and kind not in _INTEGER and kind not in (TIMESTAMP, DATE, TIME, DATETIME, YEAR):
        raise NotReadable(f"a column of kind {kind}")
    if kind == STRING:
        real, low = about
        if real in (ENUM, SET):
            return LogColumn(real, bytes([low]))
        # Two bits of the length stand, turned over, in the kind.
        return LogColumn(STRING, (low | ((real & 0x30) ^ 0x30) << 4).to_bytes(2, "little"))
    return LogColumn(kind, about)


def _name(columns: Sequence[LogColumn], told: dict[int, bytes], mariadb: bool) -> None:
    names, signs = _Bytes(told.get(4, b"")), told.get(1, b"")
    for column in columns if names.left else ():
        column.name = names.text().decode()
    for number, column in enumerate(one for one in columns if one.kind in _NUMERIC):
        column.unsigned = bool(signs) and bool(signs[number // 8] & 0x80 >> number % 8)
    text = [one for one in columns if one.kind in _CHARACTERS or (mariadb and one.kind == GEOMETRY)]
    chosen = [one for one in columns if one.kind in (ENUM, SET)]
    for some, default, each in ((text, 2, 3), (chosen, 10, 11)):
        for column, collation in zip(some, _collations(len(some), told.get(default), told.get(each)), strict=True):
            column.collation = collation
    for kind, what in ((SET, 5), (ENUM, 6)):
        options = _Bytes(told.get(what, b""))
        for column in (one for one in columns if one.kind == kind):
            column.options = [options.text() for _ in range(options.length())] if options.left else ()


def _collations(count: int, default: bytes | None, each: bytes | None) -> list[int]:
    if each is not None:
        data = _Bytes(each)
        return [data.length() for _ in range(count)]
    if default is None:
        return [_BINARY] * count
    data = _Bytes(default)
    found = [data.length()] * count
    while data.left:
        number = data.length()
        found[number] = data.length()
    return found


def rows_of(
    body: bytes, columns: Sequence[LogColumn], images: Sequence[bytes], decode: Decode
) -> Iterator[list[dict[str, Any]]]:
    """Rows of a rows event; of each one image, or two where it was updated. Nulls are left out.

    :param body: behind the bitmaps. ``images``: for each image the bitmap of the columns that it has.
    :raises NotReadable: names are missing, or an image lacks columns.
    """
    if not all(column.name for column in columns):
        raise NotReadable("a part of the binary log was written without binlog_row_metadata=FULL: it has no names")
    if not all(_has(bits, number) for bits in images for number in range(len(columns))):
        raise NotReadable("a part of the binary log was written without binlog_row_image=FULL: it lacks columns")
    yield from _rows(body, columns, images, decode)


def count_rows(body: bytes, columns: Sequence[LogColumn], images: Sequence[bytes]) -> int:
    """How many rows a rows event has, whatever it lacks."""
    return sum(1 for _ in _rows(body, columns, images, lambda collation, value: ""))


def _rows(
    body: bytes, columns: Sequence[LogColumn], images: Sequence[bytes], decode: Decode
) -> Iterator[list[dict[str, Any]]]:
    data = _Bytes(body)
    there = [[column for number, column in enumerate(columns) if _has(bits, number)] for bits in images]
    while data.left:
        yield [_image(data, some, decode) for some in there]


def _has(bits: bytes, number: int) -> bool:
    return bool(bits[number // 8] >> number % 8 & 1)


def _image(data: _Bytes, columns: Sequence[LogColumn], decode: Decode) -> dict[str, Any]:
    nulls = data.take((len(columns) + 7) // 8)
    return {column.name: _value(data, column, decode) for n, column in enumerate(columns) if not _has(nulls, n)}


def _value(data: _Bytes, column: LogColumn, decode: Decode) -> Any:
    kind = column.kind
    if size := _INTEGER.get(kind):
        return data.number(size, signed=not column.unsigned)
    if kind in (FLOAT, DOUBLE):
        return _real(data.take(4 if kind == FLOAT else 8))
    if kind in _CHARACTERS:
        return _text(data, column, decode)
    if kind in (ENUM, SET):
        return _chosen(data, column, decode)
    return _OTHERS[kind](data, column.meta)


def _real(raw: bytes) -> float:
    return float32(struct.unpack("<f", raw)[0]) if len(raw) == 4 else float(struct.unpack("<d", raw)[0])


def _text(data: _Bytes, column: LogColumn, decode: Decode) -> str:
    most = int.from_bytes(column.meta, "little")
    size = most if column.kind == BLOB else 1 + (most > 255)
    raw = data.take(data.number(size))
    if column.collation != _BINARY:
        return decode(column.collation, raw)
    # BINARY(n) is padded with zeros by the server and not in the binary log.
    return base64_of(raw.ljust(most, b"\0") if column.kind == STRING else raw)


def _chosen(data: _Bytes, column: LogColumn, decode: Decode) -> str:
    number, options = data.number(column.meta[-1]), column.options
    if column.kind == ENUM:
        return decode(column.collation, options[number - 1]) if number and options else ""
    return set_of(decode(column.collation, one) for bit, one in enumerate(options) if number >> bit & 1)


def _bit(data: _Bytes, meta: bytes) -> int:
    return data.big(meta[1] + bool(meta[0]))


def _decimal(data: _Bytes, meta: bytes) -> str:
    """Groups of nine digits in four bytes each, from the point to both sides; a negative one is turned over."""
    precision, scale = meta
    groups, rest = divmod(precision - scale, 9)
    after, last = divmod(scale, 9)
    sizes = [rest, *[9] * groups, *[9] * after, last]
    raw = bytearray(data.take(sum(_DIGITS[one] for one in sizes)))
    negative = not raw[0] & 0x80
    raw[0] ^= 0x80
    rest_of = _Bytes(bytes(byte ^ 0xFF for byte in raw) if negative else bytes(raw))
    digits = "".join(str(rest_of.big(_DIGITS[one])).rjust(one, "0") for one in sizes if one)
    whole = digits[: precision - scale] or "0"
    return decimal(f"{'-' if negative else ''}{whole}.{digits[precision - scale :] or '0'}")


def _fraction(data: _Bytes, precision: int) -> int:
    size = _FRACTION[precision]
    return data.big(size) * 100 ** (3 - size) if size else 0


def _time(data: _Bytes, meta: bytes) -> int:
    size = _FRACTION[meta[0]]
    # One number with its fraction, from the middle of its range up and down.
    packed = data.big(3 + size) - (0x800000 << 8 * size)
    whole, part = abs(packed) >> 8 * size, abs(packed) & ((1 << 8 * size) - 1)
    seconds = (whole >> 12 & 0x3FF) * 3600 + (whole >> 6 & 63) * 60 + (whole & 63)
    said = seconds * 1_000_000 + (part * 100 ** (3 - size) if size else 0)
    return said if packed >= 0 else -said


def _datetime(data: _Bytes, meta: bytes) -> int | str:
    packed = data.big(5) - 0x8000000000
    day, clock = packed >> 17, packed & 0x1FFFF
    year, month = divmod(day >> 5, 13)
    fraction = _fraction(data, meta[0])
    return _said(year, month, day & 31, (clock >> 12, clock >> 6 & 63, clock & 63), fraction, meta[0])


def _said(
    year: int, month: int, day: int, clock: tuple[int, int, int], fraction: int = 0, precision: int = 0
) -> int | str:
    text = f"{year:04}-{month:02}-{day:02} {clock[0]:02}:{clock[1]:02}:{clock[2]:02}"
    return parse_timestamp(f"{text}.{fraction:06}"[: len(text) + 1 + precision] if precision else text)


def _timestamp(data: _Bytes, meta: bytes) -> int | str:
    seconds = data.big(4)
    fraction = _fraction(data, meta[0])
    return seconds * 1_000_000 + fraction if seconds else _said(0, 0, 0, (0, 0, 0), 0, meta[0])


def _date(data: _Bytes, meta: bytes) -> int | str:
    packed = data.number(3)
    return parse_timestamp(f"{packed >> 9:04}-{packed >> 5 & 15:02}-{packed & 31:02}")


def _year(data: _Bytes, meta: bytes) -> int:
    since = data.number(1)
    return since + 1900 if since else 0


def _old_time(data: _Bytes, meta: bytes) -> int:
    packed = data.number(3, signed=True)
    said = abs(packed)
    seconds = (said // 10000 * 3600 + said // 100 % 100 * 60 + said % 100) * 1_000_000
    return seconds if packed >= 0 else -seconds


def _old_datetime(data: _Bytes, meta: bytes) -> int | str:
    day, clock = divmod(data.number(8), 1_000_000)
    return _said(day // 10000, day // 100 % 100, day % 100, (clock // 10000, clock // 100 % 100, clock % 100))


def _old_timestamp(data: _Bytes, meta: bytes) -> int | str:
    seconds = data.number(4)
    return seconds * 1_000_000 if seconds else _said(0, 0, 0, (0, 0, 0))


_OTHERS: dict[int, Callable[[_Bytes, bytes], Any]] = {
    BIT: _bit,
    NEWDECIMAL: _decimal,
    DATE: _date,
    YEAR: _year,
    TIME2: _time,
    DATETIME2: _datetime,
    TIMESTAMP2: _timestamp,
    # Columns from before MySQL 5.6, or of a MariaDB with mysql56_temporal_format=OFF.
    TIME: _old_time,
    DATETIME: _old_datetime,
    TIMESTAMP: _old_timestamp,
    GEOMETRY: lambda data, meta: geometry(data.take(data.number(meta[0]))),
    JSON: lambda data, meta: base64_of(data.take(data.number(meta[0]))),  # not compared
}
