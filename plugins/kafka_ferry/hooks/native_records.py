"""Loops over librdkafka's messages in machine code: their sizes, hashes and columns, without an object for each.

Offsets into ``rd_kafka_message_t`` are those of ``rdkafka.h`` on 64-bit platforms; the struct is public and part of
the ABI ``librdkafka.so.1``. Whoever calls these imports ``hooks.librdkafka`` first, which makes its functions known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from kafka_ferry.verification.varint import put_varint
from kafka_ferry.verification.xxh64 import load_i32, load_i64, load_u64, xxh64

u64: Any = types.uint64
i64: Any = types.int64
_ERR, _TOPIC, _PARTITION, _PAYLOAD, _SIZE, _KEY, _KEY_SIZE, _OFFSET = 0, 8, 16, 24, 32, 40, 48, 56

_timestamp: Any = types.ExternalFunction("rd_kafka_message_timestamp", types.int64(types.uint64, types.intp))
_headers: Any = types.ExternalFunction("rd_kafka_message_headers", types.int32(types.uint64, types.intp))
_header_count: Any = types.ExternalFunction("rd_kafka_header_cnt", types.uint64(types.uint64))
_header: Any = types.ExternalFunction(
    "rd_kafka_header_get_all", types.int32(types.uint64, types.uint64, types.intp, types.intp, types.intp)
)
_destroy: Any = types.ExternalFunction("rd_kafka_message_destroy", types.void(types.uint64))
_copy: Any = types.ExternalFunction("memcpy", types.intp(types.intp, types.uint64, types.uint64))
_length: Any = types.ExternalFunction("strlen", types.uint64(types.uint64))


@njit(cache=True, nogil=True)
def places(messages: Any) -> Any:
    """(error, topic handle, partition, offset) of each message, and their bytes in all; 0 is no error.

    :param messages: addresses, uint64.
    """
    count = len(messages)
    errors, topics = np.empty(count, np.int32), np.empty(count, np.uint64)
    partitions, offsets, size = np.empty(count, np.int32), np.empty(count, np.int64), u64(0)
    for at in range(count):
        message = messages[at]
        errors[at] = load_i32(message)
        topics[at] = load_u64(message + u64(_TOPIC))
        partitions[at] = load_i32(message + u64(_PARTITION))
        offsets[at] = load_i64(message + u64(_OFFSET))
        size += load_u64(message + u64(_SIZE)) + load_u64(message + u64(_KEY_SIZE))
    return errors, topics, partitions, offsets, size


@njit(cache=True, nogil=True)
def destroy(messages: Any) -> None:
    """Give the messages back to librdkafka."""
    for at in range(len(messages)):
        _destroy(messages[at])


@njit(cache=True, nogil=True)
def measure(messages: Any) -> Any:
    """(timestamps, kinds, key sizes, value sizes, header counts, header name bytes, header value bytes).

    A size of -1 is a null. The sums of headers are per message.
    """
    count = len(messages)
    timestamps, kinds = np.empty(count, np.int64), np.empty(count, np.int8)
    keys, values = np.empty(count, np.int32), np.empty(count, np.int32)
    counts, names, contents = np.zeros(count, np.int32), np.zeros(count, np.int64), np.zeros(count, np.int64)
    kind, out = np.zeros(1, np.int32), np.zeros(3, np.uint64)
    first = out.ctypes.data
    for at in range(count):
        message = messages[at]
        timestamps[at] = _timestamp(message, kind.ctypes.data)
        kinds[at] = kind[0]
        null = load_u64(message + u64(_KEY)) == 0
        keys[at] = -1 if null else i64(load_u64(message + u64(_KEY_SIZE)))
        null = load_u64(message + u64(_PAYLOAD)) == 0
        values[at] = -1 if null else i64(load_u64(message + u64(_SIZE)))
        if _headers(message, first) == 0:
            headers = out[0]
            number = _header_count(headers)
            counts[at] = number
            for one in range(number):
                _header(headers, u64(one), first, first + 8, first + 16)
                names[at] += i64(_length(out[0]))
                if out[1] != 0:
                    contents[at] += i64(out[2])
    return timestamps, kinds, keys, values, counts, names, contents


@njit(cache=True, nogil=True)
def hashes(messages: Any, timestamps: Any, counts: Any, names: Any, contents: Any) -> Any:
    """``record_hash`` of each message.

    :param timestamps: as they go into the hash: zeros leave them out. The others as ``measure`` gives them.
    """
    count = len(messages)
    result, out = np.empty(count, np.uint64), np.zeros(3, np.uint64)
    first = out.ctypes.data
    largest = 5
    for at in range(count):
        largest = max(largest, 5 + 10 * counts[at] + names[at] + contents[at])
    buffer = np.empty(largest, np.uint8)
    begin = buffer.ctypes.data
    none = u64(0xFFFFFFFFFFFFFFFF)
    for at in range(count):
        message = messages[at]
        end = put_varint(i64(counts[at]), buffer, 0)
        if counts[at] > 0 and _headers(message, first) == 0:
            headers = out[0]
            for one in range(counts[at]):
                _header(headers, u64(one), first, first + 8, first + 16)
                name, value, size = out[0], out[1], i64(out[2])
                length = i64(_length(name))
                end = put_varint(length, buffer, end)
                _copy(begin + end, name, u64(length))
                end += length
                if value == 0:
                    end = put_varint(i64(-1), buffer, end)
                else:
                    end = put_varint(size, buffer, end)
                    _copy(begin + end, value, u64(size))
                    end += size
        seed = xxh64(u64(begin), u64(end), u64(timestamps[at]))
        for place, length_at in ((_KEY, _KEY_SIZE), (_PAYLOAD, _SIZE)):
            address = load_u64(message + u64(place))
            if address == 0:
                seed = xxh64(u64(begin), u64(0), seed ^ none)
            else:
                seed = xxh64(address, load_u64(message + u64(length_at)), seed)
        result[at] = seed
    return result


@njit(cache=True, nogil=True)
def key_hashes(messages: Any) -> Any:
    """``key_hash`` of each message."""
    result = np.zeros(len(messages), np.uint64)
    for at in range(len(messages)):
        address = load_u64(messages[at] + u64(_KEY))
        if address != 0:
            result[at] = xxh64(address, load_u64(messages[at] + u64(_KEY_SIZE)), u64(0))
    return result


@njit(cache=True, nogil=True)
def column(messages: Any, sizes: Any, value: Any) -> Any:
    """(edges, bytes) of the keys, or of the values, as Arrow lays out binaries; nulls are empty there."""
    count = len(messages)
    place = u64(_PAYLOAD if value else _KEY)
    edges = np.zeros(count + 1, np.int32)
    for at in range(count):
        edges[at + 1] = edges[at] + max(sizes[at], 0)
    data = np.empty(max(edges[count], 1), np.uint8)
    begin = data.ctypes.data
    for at in range(count):
        if sizes[at] > 0:
            _copy(begin + edges[at], load_u64(messages[at] + place), u64(sizes[at]))
    return edges, data


@njit(cache=True, nogil=True)
def header_columns(messages: Any, counts: Any, names: Any, contents: Any) -> Any:
    """(list edges, name edges, name bytes, value edges, value bytes, value is there) of all headers, in order."""
    count = len(messages)
    lists = np.zeros(count + 1, np.int32)
    for at in range(count):
        lists[at + 1] = lists[at] + counts[at]
    total = lists[count]
    name_edges, value_edges = np.zeros(total + 1, np.int32), np.zeros(total + 1, np.int32)
    name_data, value_data = np.empty(names.sum() + 1, np.uint8), np.empty(contents.sum() + 1, np.uint8)
    name_begin, value_begin = name_data.ctypes.data, value_data.ctypes.data
    there, out = np.ones(total, np.bool_), np.zeros(3, np.uint64)
    first = out.ctypes.data
    row = 0
    for at in range(count):
        if counts[at] > 0 and _headers(messages[at], first) == 0:
            headers = out[0]
            for one in range(counts[at]):
                _header(headers, u64(one), first, first + 8, first + 16)
                length = i64(_length(out[0]))
                _copy(name_begin + name_edges[row], out[0], u64(length))
                name_edges[row + 1] = name_edges[row] + length
                if out[1] == 0:
                    there[row] = False
                    value_edges[row + 1] = value_edges[row]
                else:
                    _copy(value_begin + value_edges[row], out[1], out[2])
                    value_edges[row + 1] = value_edges[row] + i64(out[2])
                row += 1
    return lists, name_edges, name_data, value_edges, value_data, there
