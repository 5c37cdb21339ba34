"""How records of format 2 name their schemas, where they lie, in machine code: as ``schema_id_forms`` says. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from kafka_ferry.records.raw_records import HEADERS, RawRecords
from kafka_ferry.records.schema_id_forms import (
    CONTENT_ID,
    GLOBAL_ID,
    GLUE,
    GUID,
    HEADER_ID,
    ID,
    MALFORMED,
    NAME,
    PARTS,
    Found,
    header_names,
)
from kafka_ferry.records.varint import get_varint32
from kafka_ferry.records.xxh64 import load_u8

u64: Any = types.uint64
i64: Any = types.int64
#: The form that each header of ``header_names`` but the first has.
_APICURIO = np.array([0, CONTENT_ID, NAME, GLOBAL_ID, NAME], np.int8)


def raw_schema_ids(run: RawRecords, part: int) -> Found:
    """What each ``KEY`` or ``VALUE`` names."""
    names = [name.encode() for name in header_names(PARTS[part])]
    lengths = np.array([len(name) for name in names], np.int64)
    texts = np.array([list(name.ljust(int(lengths.max()))) for name in names], np.uint8)
    return Found(*_schema_ids(run.places, run.sizes, part, texts, lengths, _APICURIO))


@njit(inline="always")
def _number(at: Any, size: Any) -> Any:
    """So many bytes, the most significant first."""
    found = u64(0)
    for byte in range(size):
        found = (found << u64(8)) | u64(load_u8(at + u64(byte)))
    return found


@njit(inline="always")
def _is(at: Any, text: Any, length: Any) -> Any:
    same = True
    for byte in range(length):
        same &= load_u8(at + u64(byte)) == text[byte]
    return same


@njit(inline="always")
def _last_headers(at: Any, count: Any, texts: Any, lengths: Any, place: Any, size: Any) -> Any:
    """Address and size of the value of the last header of each name; -2: there is none, -1: it is null."""
    all_of_it = u64(0xFFFFFFFFFFFFFFFF)  # the headers were found to be whole
    size[:] = -2
    for _ in range(count):
        length, name = get_varint32(at, all_of_it)
        content, value = get_varint32(name + u64(length), all_of_it)
        for which in range(len(lengths)):
            if length == lengths[which] and _is(name, texts[which], length):
                place[which], size[which] = value, max(content, -1)
        at = value + u64(max(content, 0))


@njit(inline="always")
def _of_headers(place: Any, size: Any, apicurio: Any) -> Any:
    """(form, high, low); form 0: they say nothing."""
    if size[0] >= 0:
        first = load_u8(place[0]) if size[0] > 0 else 255
        if first == 1 and size[0] >= 17:
            return GUID, _number(place[0] + u64(1), 8), _number(place[0] + u64(9), 8)
        if first == 0 and size[0] >= 5:
            return HEADER_ID, u64(0), _number(place[0] + u64(1), 4)
        return MALFORMED, u64(0), u64(0)
    for which in range(1, len(size)):
        if size[which] == -2:
            continue
        if apicurio[which] == NAME:
            return NAME, u64(0), u64(0)
        if size[which] < 8 or load_u8(place[which]) > 127:
            return MALFORMED, u64(0), u64(0)
        return i64(apicurio[which]), u64(0), _number(place[which], 8)
    return 0, u64(0), u64(0)


@njit(inline="always")
def _of_payload(at: Any, size: Any) -> Any:
    if size >= 5 and load_u8(at) == 0:
        return ID, u64(0), _number(at + u64(1), 4)
    if size >= 18 and load_u8(at) == 3:
        second = load_u8(at + u64(1))
        if second in (0, 5):
            return GLUE, _number(at + u64(2), 8), _number(at + u64(10), 8)
    return 0, u64(0), u64(0)


@njit(cache=True, nogil=True)
def _schema_ids(places: Any, sizes: Any, part: Any, texts: Any, lengths: Any, apicurio: Any) -> Any:
    forms, rows = np.zeros(len(places), np.int8), len(places)
    high, low = np.zeros(rows, np.uint64), np.zeros(rows, np.uint64)
    place, size = np.zeros(len(lengths), np.uint64), np.zeros(len(lengths), np.int64)
    for at in range(rows):
        if sizes[at, part] < 0:
            continue
        form, upper, lower = 0, u64(0), u64(0)
        if sizes[at, HEADERS] > 0:
            count, behind = get_varint32(places[at, HEADERS], u64(0xFFFFFFFFFFFFFFFF))
            _last_headers(behind, count, texts, lengths, place, size)
            form, upper, lower = _of_headers(place, size, apicurio)
        if form == 0:
            form, upper, lower = _of_payload(places[at, part], sizes[at, part])
        forms[at], high[at], low[at] = form, upper, lower
    return forms, high, low
