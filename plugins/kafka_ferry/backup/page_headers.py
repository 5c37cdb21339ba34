"""What the pages of a Parquet column chunk say of themselves, read before any of them is unpacked. Pure.

A page header is a struct in Thrift's compact protocol in front of each page (Parquet's parquet.thrift, PageHeader;
Thrift's thrift-compact-protocol.md). The footer's sizes are not enough: readers go by the pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_DEPTH: Final = 8
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADS: Final = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}  # field of PageHeader that tells of a page of the type
_ENCODING_FIELD: Final = {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}


@dataclass(frozen=True)
class Page:
    """One page. ``size``: bytes once unpacked. ``encoding``: number of Parquet's enum Encoding."""

    is_dictionary: bool
    size: int
    values: int
    encoding: int


def pages(data: Any, begin: int, end: int) -> Iterator[Page]:
    """The pages in a range of a file.

    :raises ValueError: it is not made of pages. ``IndexError``: it ends too soon.
    """
    at = begin
    while at < end:
        fields, at = _struct(data, at, _DEPTH)
        kind, size, stored = fields[1], fields[2], fields[3]
        if kind not in _HEADS or size < 0 or stored < 0:
            raise ValueError(f"a page of type {kind}, {size} bytes")
        head = fields[_HEADS[kind]]
        yield Page(kind == _DICTIONARY, size, head[1], head[_ENCODING_FIELD[kind]])
        at += stored
    if at != end:
        raise ValueError("its pages do not end with it")


def _struct(data: Any, at: int, depth: int) -> tuple[dict[int, Any], int]:
    if depth == 0:
        raise ValueError("nested too deeply")
    fields: dict[int, Any] = {}
    number = 0
    while kind := data[at] & 15:
        step = data[at] >> 4
        at += 1
        if step:
            number += step
        else:
            number, at = zigzag(data, at)
        fields[number], at = _value(data, at, kind, depth)
    return fields, at + 1


def _value(data: Any, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # a boolean is its type
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        return zigzag(data, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        size, at = _varint(data, at)
        return None, at + size
    if kind == 12:
        return _struct(data, at, depth - 1)
    raise ValueError(f"a field of type {kind}")  # lists and maps: no page header has one


def _varint(data: Any, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def zigzag(data: Any, at: int) -> tuple[int, int]:
    """A signed number of 64 bits, and where it ends; Avro writes its own so, too."""
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at
