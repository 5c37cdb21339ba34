"""Records of format 2 where they lie, and what is made of them in machine code: hashes and columns. Pure.

Source: Kafka's protocol guide, "Record". Headers lie there in the very form that ``record_hash`` hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit, types

from kafka_ferry.exceptions import FerryError
from kafka_ferry.verification.record_batch import RecordBatch, UnusualRecords
from kafka_ferry.verification.varint import get_varint, varint_size
from kafka_ferry.verification.xxh64 import xxh64

_RUN_BYTES = 8 * 1024 * 1024  # of decompressed records that are looked at together
KEY, VALUE, HEADERS, HEADERS_SIZE = 0, 1, 2, 3  # columns of places and sizes

u64: Any = types.uint64
i64: Any = types.int64
_copy: Any = types.ExternalFunction("memcpy", types.intp(types.intp, types.uint64, types.uint64))


@dataclass(frozen=True, eq=False)
class RawRecords:
    """Records of one partition, in offset order; good until the next are taken.

    :param offsets: int64. ``timestamps``: ms, int64. ``kinds``: 1 CreateTime, 2 LogAppendTime, int8.
    :param places: addresses of key, value and headers (their count first), uint64, a row for each record.
    :param sizes: bytes of key and value (-1: null), number of headers, bytes of them, int32.
    :param names: at least the bytes of all headers' names. ``contents``: of their values.
    :param held: what the addresses point into.
    """

    offsets: Any
    timestamps: Any
    kinds: Any
    places: Any
    sizes: Any
    names: int
    contents: int
    held: list[Any]

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def last(self) -> int:
        """Offset of the last one."""
        return int(self.offsets[-1])

    def until(self, end: int) -> RawRecords:
        """Only those below this offset."""
        return self._part(0, int(np.searchsorted(self.offsets, end)))

    def since(self, begin: int) -> RawRecords:
        """Only those from this offset on."""
        return self._part(int(np.searchsorted(self.offsets, begin)), len(self))

    def _part(self, first: int, end: int) -> RawRecords:
        if first == 0 and end == len(self):
            return self
        names = "offsets", "timestamps", "kinds", "places", "sizes"
        return replace(self, **{name: getattr(self, name)[first:end] for name in names})

    @property
    def bytes(self) -> int:
        """Of all keys and values."""
        return int(np.maximum(self.sizes[:, : VALUE + 1], 0).sum(dtype=np.int64))

    def hashes(self, with_timestamp: bool = True) -> Any:
        """``record_hash`` of each, uint64."""
        return _hashes(self.places, self.sizes, self.timestamps if with_timestamp else np.zeros(len(self), np.int64))

    def key_hashes(self) -> Any:
        """``key_hash`` of each, uint64."""
        return _key_hashes(self.places, self.sizes)

    def column(self, part: int) -> tuple[Any, Any, Any]:
        """(edges, bytes, whether it is there) of ``KEY`` or ``VALUE``, as Arrow lays out binaries; nulls are empty."""
        edges, data = _column(self.places, self.sizes, part)
        return edges, data, self.sizes[:, part] >= 0

    def headers(self) -> tuple[Any, Any, Any, Any, Any, Any]:
        """(list edges, name edges, name bytes, value edges, value bytes, value is there) of all headers, in order."""
        return _headers(self.places, self.sizes, self.names, self.contents)  # type: ignore[no-any-return]


class Workbench:
    """Memory that records are decompressed into, again and again."""

    def __init__(self) -> None:
        self._room = memoryview(bytearray(2 * _RUN_BYTES))

    def records(self, batches: Iterable[RecordBatch]) -> Iterator[RawRecords]:
        """Yield the records of the batches, some megabytes of them at a time; take each before the next.

        :raises DamagedBatch: one cannot be decompressed.
        :raises UnusualRecords: see there.
        :raises FerryError: what is in one are no records.
        """
        some: list[tuple[RecordBatch, Any]] = []
        size = 0
        for batch in batches:
            data = np.frombuffer(batch.records(self._room[size:]), np.uint8)
            some.append((batch, data))
            size += len(data)
            if size >= _RUN_BYTES:
                yield _parsed(some)
                some, size = [], 0
        if some:
            yield _parsed(some)


def _parsed(some: list[tuple[RecordBatch, Any]]) -> RawRecords:
    begins = np.array([data.ctypes.data for _, data in some], np.uint64)
    sizes = np.array([len(data) for _, data in some], np.uint64)
    numbers = np.array([(one.base, one.time, one.log_append_time, one.count) for one, _ in some], np.int64)
    bad, unusual, *columns = _parse(begins, begins + sizes, numbers)
    if unusual:
        raise UnusualRecords("headers with numbers longer than they need")
    if bad >= 0:
        raise FerryError(f"the batch at offset {some[bad][0].base} holds no records of Kafka's format 2")
    offsets, timestamps, kinds, places, lengths, names, contents = columns
    held = [data for _, data in some]
    return RawRecords(offsets, timestamps, kinds, places, lengths, names, contents, held)


@njit(inline="always")
def _sized(at: Any, last: Any) -> Any:
    """(size, address, address behind) of bytes with their length before them; behind ``last``: they reach too far."""
    size, at = get_varint(at, last)
    if size <= 0:
        return max(size, -1), at, at
    if at > last or u64(size) > last - at:
        return 0, at, last + u64(1)
    return size, at, at + u64(size)


@njit(inline="always")
def _header_sizes(count: Any, at: Any, last: Any) -> Any:
    """(bytes of the names, of the values, least bytes of it all, address behind) of so many headers."""
    names, contents, least = i64(0), i64(0), varint_size(count)
    for _ in range(count):
        size, _, at = _sized(at, last)
        if size < 0:
            return names, contents, least, last + u64(1)
        least += varint_size(size) + size
        names += max(size, 0)
        size, _, at = _sized(at, last)
        least += varint_size(size) + max(size, 0)
        contents += max(size, 0)
    return names, contents, least, at


@njit(cache=True, nogil=True)
def _parse(begins: Any, ends: Any, numbers: Any) -> Any:
    """(index of a batch that cannot be read or -1, whether headers take more bytes than they need, offsets, timestamps,
    kinds, places, sizes, bytes of header names, of header values).

    :param numbers: base, time, whether it is of the log append, count; a row for each batch.
    """
    total, bad, unusual = i64(0), -1, False
    for batch in range(len(begins)):
        # A record takes 7 bytes at least: memory is not taken for more of them than there can be.
        if numbers[batch, 3] < 0 or u64(numbers[batch, 3]) * u64(7) > ends[batch] - begins[batch]:
            bad = batch
            break
        total += numbers[batch, 3]
    offsets, timestamps, kinds = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int8)
    places, sizes = np.empty((total, 3), np.uint64), np.empty((total, 4), np.int32)
    names, contents, row = i64(0), i64(0), 0
    for batch in range(len(begins) if bad < 0 else 0):
        at, end, base, time = begins[batch], ends[batch], numbers[batch, 0], numbers[batch, 1]
        before = i64(-1)
        for _ in range(numbers[batch, 3]):
            length, at = get_varint(at, end)
            if at > end or length < 0 or u64(length) > end - at:
                bad = batch
                break
            last = at + u64(length)
            delta, at = get_varint(at + u64(1), last)  # behind the attributes, which are unused
            timestamps[row] = time if numbers[batch, 2] else time + delta
            kinds[row] = 2 if numbers[batch, 2] else 1
            delta, at = get_varint(at, last)
            offsets[row] = base + delta
            if delta <= before:
                bad = batch
                break
            before = delta
            sizes[row, KEY], places[row, KEY], at = _sized(at, last)
            sizes[row, VALUE], places[row, VALUE], at = _sized(at, last)
            places[row, HEADERS], sizes[row, HEADERS_SIZE] = at, last - at
            count, at = get_varint(at, last)
            if at > last or count < 0 or u64(count) * u64(2) > last - at:
                bad = batch
                break
            sizes[row, HEADERS] = count
            more_names, more_contents, least, at = _header_sizes(count, at, last)
            names += more_names
            contents += more_contents
            if at != last:
                bad = batch
                break
            unusual |= least != sizes[row, HEADERS_SIZE]
            row += 1
        if bad < 0 and at != end:
            bad = batch
    return bad, unusual, offsets, timestamps, kinds, places, sizes, names, contents


@njit(cache=True, nogil=True)
def _hashes(places: Any, sizes: Any, timestamps: Any) -> Any:
    result, none = np.empty(len(places), np.uint64), u64(0xFFFFFFFFFFFFFFFF)
    for at in range(len(places)):
        seed = xxh64(places[at, HEADERS], u64(sizes[at, HEADERS_SIZE]), u64(timestamps[at]))
        for part in (KEY, VALUE):
            if sizes[at, part] < 0:
                seed = xxh64(u64(0), u64(0), seed ^ none)
            else:
                seed = xxh64(places[at, part], u64(sizes[at, part]), seed)
        result[at] = seed
    return result


@njit(cache=True, nogil=True)
def _key_hashes(places: Any, sizes: Any) -> Any:
    result = np.zeros(len(places), np.uint64)
    for at in range(len(places)):
        if sizes[at, KEY] >= 0:
            result[at] = xxh64(places[at, KEY], u64(sizes[at, KEY]), u64(0))
    return result


@njit(cache=True, nogil=True)
def _column(places: Any, sizes: Any, part: Any) -> Any:
    edges = np.zeros(len(places) + 1, np.int32)
    for at in range(len(places)):
        edges[at + 1] = edges[at] + max(sizes[at, part], 0)
    data = np.empty(max(edges[-1], 1), np.uint8)
    begin = data.ctypes.data
    for at in range(len(places)):
        if sizes[at, part] > 0:
            _copy(begin + edges[at], places[at, part], u64(sizes[at, part]))
    return edges, data


@njit(cache=True, nogil=True)
def _headers(places: Any, sizes: Any, names: Any, contents: Any) -> Any:
    lists = np.zeros(len(places) + 1, np.int32)
    for at in range(len(places)):
        lists[at + 1] = lists[at] + sizes[at, HEADERS]
    name_edges, value_edges = np.zeros(lists[-1] + 1, np.int32), np.zeros(lists[-1] + 1, np.int32)
    name_data, value_data = np.empty(names + 1, np.uint8), np.empty(contents + 1, np.uint8)
    there, row, all_of_it = np.ones(lists[-1], np.bool_), 0, u64(0xFFFFFFFFFFFFFFFF)
    for record in range(len(places)):
        count, at = get_varint(places[record, HEADERS], all_of_it)  # all of them were found to be whole
        for _ in range(count):
            size, at = get_varint(at, all_of_it)
            _copy(name_data.ctypes.data + name_edges[row], at, u64(size))
            name_edges[row + 1] = name_edges[row] + size
            size, at = get_varint(at + u64(size), all_of_it)
            there[row] = size >= 0
            if size > 0:
                _copy(value_data.ctypes.data + value_edges[row], at, u64(size))
                at += u64(size)
            value_edges[row + 1] = value_edges[row] + max(size, 0)
            row += 1
    return lists, name_edges, name_data, value_edges, value_data, there
