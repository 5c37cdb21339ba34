"""What a Parquet file's footer and the pages of its column chunks say, read before any of them is unpacked. Pure.

Both are structs in Thrift's compact protocol (Parquet's parquet.thrift, FileMetaData and PageHeader; Thrift's
thrift-compact-protocol.md). The footer's sizes are not enough: readers go by the pages. Nor is pyarrow's way to the
footer: an exception in its ``RowGroupMetaData.column`` ends the process (25.0, a histogram of the wrong length).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_DEPTH: Final = 8
_END: Final = 8  # bytes behind the footer: its length and PAR1
_FOOTER_BYTES: Final = 4 * 1024 * 1024  # some kilobytes, of files of ours
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


@dataclass(frozen=True)
class Chunk:
    """A column's part of a row group, as the footer tells it.

    :param path: its names in the schema. ``begin``: of its first page. ``end``: behind its last. ``unpacked``: bytes.
    """

    path: str
    values: int
    begin: int
    end: int
    unpacked: int
    has_dictionary: bool


def row_group(data: Any, number: int) -> tuple[int, list[Chunk]]:
    """(records, columns) of a file's row group.

    :raises ValueError: the footer is none. ``IndexError``, ``KeyError``, ``TypeError``: it lacks something.
    """
    size = int.from_bytes(data[-_END:-4], "little")
    if not 0 < size <= min(_FOOTER_BYTES, len(data) - _END):
        raise ValueError(f"a footer of {size} bytes")
    about, _ = _struct(data[len(data) - _END - size : len(data) - _END], 0, _DEPTH)
    group = about[4][number]
    return group[3], [_chunk(column[3]) for column in group[1]]


def _chunk(about: dict[int, Any]) -> Chunk:
    begin, dictionary = about[9], about.get(11)
    if dictionary:  # 0 is written where there is none
        begin = min(begin, dictionary)
    path = ".".join(bytes(name).decode() for name in about[3])
    if begin < 0 or about[7] < 0:
        raise ValueError(f"column {path} begins at {begin} and has {about[7]} bytes")
    return Chunk(path, about[5], begin, begin + about[7], about[6], bool(dictionary))


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
        if size > len(data) - at:
            raise ValueError(f"a text of {size} bytes")
        return data[at : at + size], at + size
    if kind in (9, 10):
        return _list(data, at, depth)
    if kind == 12:
        return _struct(data, at, depth - 1)
    raise ValueError(f"a field of type {kind}")  # maps: neither footer nor page header has one


def _list(data: Any, at: int, depth: int) -> tuple[list[Any], int]:
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(data, at)
    if size > len(data) - at:
        raise ValueError(f"a list of {size}")
    found = []
    for _ in range(size):
        one, at = (data[at], at + 1) if kind in (1, 2) else _value(data, at, kind, depth - 1)
        found.append(one)
    return found, at


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
