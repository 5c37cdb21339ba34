"""Records of format 2 where they lie, and what is made of them in machine code: hashes and columns. Pure.

Source: Kafka's protocol guide, "Record". Headers lie there in the very form that ``record_hash`` hashes, but for
numbers longer than they need and lengths below -1, which Kafka reads as null too (``DefaultRecord.readHeaders``): those
are rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import njit, types

from kafka_ferry.exceptions import FerryError
from kafka_ferry.records.record_batch import RecordBatch
from kafka_ferry.records.record_window import PIECE_BYTES, RecordWindow
from kafka_ferry.records.varint import get_varint, get_varint32, put_varint, varint_size
from kafka_ferry.records.xxh64 import xxh64

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
    :param lay_in: the batches they came in: (base offset, the offset behind it, its bytes on the wire).
    """

    offsets: Any
    timestamps: Any
    kinds: Any
    places: Any
    sizes: Any
    names: int
    contents: int
    held: list[Any]
    lay_in: list[tuple[int, int, int]] = field(default_factory=list)

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
    def largest_batch(self) -> tuple[int, int] | None:
        """(base offset, bytes on the wire) of the largest batch that holds any of them; None: it is not known."""
        first = int(self.offsets[0])
        mine = [(size, base) for base, behind, size in self.lay_in if base <= self.last and behind > first]
        size, base = max(mine, default=(0, 0))
        return (base, size) if size else None

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


class BatchDecoder:
    """Memory that records are decompressed into, again and again: no more of it, whatever the batches hold."""

    def __init__(self) -> None:
        self._scratch = memoryview(bytearray(2 * PIECE_BYTES))

    def records(self, batches: Iterable[RecordBatch]) -> Iterator[RawRecords]:
        """Yield the records of the batches, some megabytes of them at a time; take each before the next.

        :raises DamagedBatch: one cannot be decompressed.
        :raises FerryError: what is in one are no records, or a record is too large.
        """
        some: list[tuple[RecordBatch, Any]] = []
        size = 0
        for batch in batches:
            data = batch.records(self._scratch[size:])
            if data is None and some:
                yield _parsed(some)
                some, size = [], 0
                data = batch.records(self._scratch)
            if data is None:  # more than there is memory for
                yield from _in_pieces(batch)
                continue
            some.append((batch, np.frombuffer(data, np.uint8)))
            size += len(data)
            if size >= PIECE_BYTES:
                yield _parsed(some)
                some, size = [], 0
        if some:
            yield _parsed(some)


def _parsed(some: list[tuple[RecordBatch, Any]]) -> RawRecords:
    begins = np.array([data.ctypes.data for _, data in some], np.uint64)
    sizes = np.array([len(data) for _, data in some], np.uint64)
    numbers = np.array([(one.base, one.time, one.log_append_time, one.count, -1) for one, _ in some], np.int64)
    bad, _, _, odd, *columns = _parse(begins, begins + sizes, numbers, False)
    if bad >= 0:
        raise _no_records(some[bad][0])
    return _raw_records(columns, odd, [data for _, data in some], [one for one, _ in some])


def _in_pieces(batch: RecordBatch) -> Iterator[RawRecords]:
    window = RecordWindow(batch)
    left, before = batch.count, -1
    while True:
        data = np.frombuffer(window.data, np.uint8)
        begin = np.array([data.ctypes.data], np.uint64)
        numbers = np.array([(batch.base, batch.time, batch.log_append_time, left, before)], np.int64)
        bad, used, before, odd, *columns = _parse(begin, begin + u64(len(data)), numbers, not window.ended)
        if bad >= 0:
            raise _no_records(batch)
        left -= len(columns[0])
        if left == 0 and not window.is_spent(used):
            raise _no_records(batch)
        if len(columns[0]):
            yield _raw_records(columns, odd, [data], [batch])
        if left == 0:
            return
        window.more(used)


def _no_records(batch: RecordBatch) -> FerryError:
    return FerryError(f"the batch at offset {batch.base} holds no records in Kafka's format 2")


def _raw_records(columns: list[Any], odd: int, held: list[Any], batches: list[RecordBatch]) -> RawRecords:
    """:param odd: bytes of all headers as they should be written, 0 where they are."""
    lay_in = [(one.base, one.next, one.size) for one in batches]
    offsets, timestamps, kinds, places, lengths, names, contents = columns
    if odd:
        held = [*held, _write_headers(places, lengths, odd)]
    return RawRecords(offsets, timestamps, kinds, places, lengths, names, contents, held, lay_in)


@njit(inline="always")
def _sized(at: Any, last: Any) -> Any:
    """(size, address, address behind) of bytes with their length before them; behind ``last``: they reach too far.

    Any length below zero is null to Kafka's own reader.
    """
    size, at = get_varint32(at, last)
    if size <= 0:
        return size, at, at
    if at > last or u64(size) > last - at:
        return 0, at, last + u64(1)
    return size, at, at + u64(size)


@njit(inline="always")
def _header_sizes(count: Any, at: Any, last: Any) -> Any:
    """(bytes of the names, of the values, of it all as it should be written, whether a length is below -1, address
    behind) of so many headers."""
    names, contents, least, below = i64(0), i64(0), varint_size(count), False
    for _ in range(count):
        size, _, at = _sized(at, last)
        if size < 0:
            return names, contents, least, below, last + u64(1)
        least += varint_size(size) + size
        names += max(size, 0)
        size, _, at = _sized(at, last)
        below |= size < -1
        least += varint_size(max(size, -1)) + max(size, 0)
        contents += max(size, 0)
    return names, contents, least, below, at


@njit(inline="always")
def _next_record(at: Any, end: Any, cut: Any) -> Any:
    """(whether it is whole, whether it is cut off, address of its fields, its end)."""
    length, behind = get_varint32(at, end)
    if behind > end:  # ten bytes without an end are no number
        return False, cut and end - at < u64(10), end + u64(1), end
    if length < 0 or u64(length) > end - behind:
        return False, cut and length >= 0, end + u64(1), end
    return True, False, behind, behind + u64(length)


@njit(inline="always")
def _fields(at: Any, last: Any, place: Any, size: Any) -> Any:
    """Key, value and headers; (bytes of the headers' names, of their values, of it all as it should be written, whether
    it is written otherwise, address behind: not ``last`` where it is no record).

    :param place, size: a row each of what ``RawRecords`` holds; they are filled.
    """
    for part in (KEY, VALUE):
        found, place[part], at = _sized(at, last)
        size[part] = max(found, -1)
    place[HEADERS], size[HEADERS_SIZE] = at, last - at
    count, at = get_varint32(at, last)
    if at > last or count < 0 or u64(count) * u64(2) > last - at:
        return i64(0), i64(0), i64(0), False, last + u64(1)
    size[HEADERS] = count
    names, contents, least, below, at = _header_sizes(count, at, last)
    return names, contents, least, below or least != size[HEADERS_SIZE], at


@njit(inline="always")
def _most(begins: Any, ends: Any, numbers: Any, cut: Any) -> Any:
    """(index of a batch that cannot hold its records or -1, how many records there are at most)."""
    total = i64(0)
    for batch in range(len(begins)):
        # A record takes 7 bytes at least: memory is not taken for more of them than there can be.
        most = i64((ends[batch] - begins[batch]) // u64(7))
        if numbers[batch, 3] < 0 or (numbers[batch, 3] > most and not cut):
            return batch, i64(0)
        total += min(numbers[batch, 3], most)
    return -1, total


@njit(cache=True, nogil=True)
def _parse(begins: Any, ends: Any, numbers: Any, cut: Any) -> Any:
    """(index of a batch that cannot be read or -1, bytes that were read of the last batch, its last offset delta, bytes
    of all headers as they should be written or 0 where they are, offsets, timestamps, kinds, places, sizes, bytes of
    header names, of header values).

    :param numbers: base, time, whether it is of the log append, count, offset delta before; a row for each batch.
    :param cut: whether the last record may be cut off: it is left out then.
    """
    bad, total = _most(begins, ends, numbers, cut)
    offsets, timestamps, kinds = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int8)
    places, sizes = np.empty((total, 3), np.uint64), np.empty((total, 4), np.int32)
    names, contents, written, row, odd = i64(0), i64(0), i64(0), 0, False
    used, before = u64(0), i64(-1)
    for batch in range(len(begins) if bad < 0 else 0):
        at, end, base, time, before = (
            begins[batch],
            ends[batch],
            numbers[batch, 0],
            numbers[batch, 1],
            numbers[batch, 4],
        )
        is_cut = False
        for _ in range(numbers[batch, 3]):
            whole, is_cut, at, last = _next_record(at, end, cut)
            if not whole or row == total:
                break
            delta, at = get_varint(at + u64(1), last)  # behind the attributes, which are unused
            timestamps[row] = time if numbers[batch, 2] else time + delta
            kinds[row] = 2 if numbers[batch, 2] else 1
            delta, at = get_varint32(at, last)
            offsets[row] = base + delta
            more_names, more_contents, least, otherwise, at = _fields(at, last, places[row], sizes[row])
            if delta <= before or at != last:
                at = end + u64(1)
                break
            names, contents, written, odd = (
                names + more_names,
                contents + more_contents,
                written + least,
                odd | otherwise,
            )
            before, used, row = delta, at - begins[batch], row + 1
        if not is_cut and at != end and not (cut and row == numbers[batch, 3]):
            bad = batch
            break
    return (
        bad,
        used,
        before,
        written if odd else i64(0),
        offsets[:row],
        timestamps[:row],
        kinds[:row],
        places[:row],
        sizes[:row],
        names,
        contents,
    )


@njit(cache=True, nogil=True)
def _write_headers(places: Any, sizes: Any, written: Any) -> Any:
    """All headers as they should be written, and ``places`` and ``sizes`` are of those."""
    result, end, all_of_it = np.empty(written, np.uint8), 0, u64(0xFFFFFFFFFFFFFFFF)
    for record in range(len(places)):
        begin = end
        count, at = get_varint32(places[record, HEADERS], all_of_it)  # all of them were found to be whole
        end = put_varint(count, result, end)
        for _ in range(2 * count):
            size, at = get_varint32(at, all_of_it)
            end = put_varint(max(size, -1), result, end)
            if size > 0:
                _copy(result.ctypes.data + end, at, u64(size))
                end += size
                at += u64(size)
        places[record, HEADERS] = u64(result.ctypes.data + begin)
        sizes[record, HEADERS_SIZE] = end - begin
    return result


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
        count, at = get_varint32(places[record, HEADERS], all_of_it)  # all of them were found to be whole
        for _ in range(count):
            size, at = get_varint32(at, all_of_it)
            _copy(name_data.ctypes.data + name_edges[row], at, u64(size))
            name_edges[row + 1] = name_edges[row] + size
            size, at = get_varint32(at + u64(size), all_of_it)
            there[row] = size >= 0
            if size > 0:
                _copy(value_data.ctypes.data + value_edges[row], at, u64(size))
                at += u64(size)
            value_edges[row + 1] = value_edges[row] + max(size, 0)
            row += 1
    return lists, name_edges, name_data, value_edges, value_data, there
