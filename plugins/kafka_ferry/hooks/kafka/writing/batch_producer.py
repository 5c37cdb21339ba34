"""Send records from the buffers they lie in, without an object for each."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numba import njit, types

from kafka_ferry.hooks.kafka.writing import librdkafka
from kafka_ferry.hooks.kafka.writing.librdkafka import lib
from kafka_ferry.records.packed_rows import PackedRows

u64: Any = types.uint64

_produceva: Any = types.ExternalFunction("rd_kafka_produceva", types.uint64(types.uint64, types.intp, types.uint64))
_error_code: Any = types.ExternalFunction("rd_kafka_error_code", types.int32(types.uint64))
_error_destroy: Any = types.ExternalFunction("rd_kafka_error_destroy", types.void(types.uint64))
_headers_new: Any = types.ExternalFunction("rd_kafka_headers_new", types.uint64(types.intp))
_headers_destroy: Any = types.ExternalFunction("rd_kafka_headers_destroy", types.void(types.uint64))
_header_add: Any = types.ExternalFunction(
    "rd_kafka_header_add", types.int32(types.uint64, types.uint64, types.intp, types.uint64, types.intp)
)

# rd_kafka_vtype_t and rd_kafka_vu_t of rdkafka.h: a type, then a union of 64 bytes. In words of 8 bytes.
_RKT, _PARTITION, _VALUE, _KEY, _MSGFLAGS, _TIMESTAMP, _HEADERS = 2, 3, 4, 5, 7, 8, 10
_WORDS, _FIXED = 9, 6
_COPY = 2  # RD_KAFKA_MSG_F_COPY


@njit(cache=True, nogil=True)
def _send(
    handle: Any,
    topic: Any,
    partition: Any,
    first: Any,
    timestamps: Any,
    keys: Any,
    values: Any,
    lists: Any,
    names: Any,
    contents: Any,
) -> Any:
    """(position of the first record that was not taken, error code): all were taken when there is none."""
    words = np.zeros((_FIXED + 1) * _WORDS, np.uint64)
    for place, kind in enumerate((_RKT, _PARTITION, _MSGFLAGS, _TIMESTAMP, _KEY, _VALUE, _HEADERS)):
        words[place * _WORDS] = u64(kind)
    words[1], words[_WORDS + 1], words[2 * _WORDS + 1] = u64(topic), u64(partition), u64(_COPY)
    key_data, value_data = u64(keys.data.ctypes.data), u64(values.data.ctypes.data)
    name_data, content_data = u64(names.data.ctypes.data), u64(contents.data.ctypes.data)
    for at in range(first, len(timestamps)):
        words[3 * _WORDS + 1] = u64(timestamps[at])
        words[4 * _WORDS + 1] = key_data + u64(keys.edges[at]) if keys.there[at] else u64(0)
        words[4 * _WORDS + 2] = u64(keys.edges[at + 1] - keys.edges[at])
        words[5 * _WORDS + 1] = value_data + u64(values.edges[at]) if values.there[at] else u64(0)
        words[5 * _WORDS + 2] = u64(values.edges[at + 1] - values.edges[at])
        count = lists[at + 1] - lists[at]
        headers = _headers_new(count) if count else u64(0)
        # With their sizes: a name may hold any byte, NUL too.
        for one in range(lists[at], lists[at + 1]):
            name_size, size = names.edges[one + 1] - names.edges[one], contents.edges[one + 1] - contents.edges[one]
            content = content_data + u64(contents.edges[one]) if contents.there[one] else u64(0)
            _header_add(headers, name_data + u64(names.edges[one]), name_size, content, size)
        words[_FIXED * _WORDS + 1] = headers
        error = _produceva(handle, words.ctypes.data, _FIXED + 1 if count else _FIXED)
        if error != u64(0):
            if count:  # librdkafka owns only those of a message that it took
                _headers_destroy(headers)
            code = _error_code(error)
            _error_destroy(error)
            return at, code
    return len(timestamps), 0


class NativeProducer:
    """librdkafka's producer.

    :param config: whole librdkafka configuration; strings, numbers and booleans.
    :param on_error: gets (code, text) of an error of no record. ``on_failed``: gets (topic, partition, code, text) of
        each record that was not delivered.
    :raises BadConnection: librdkafka refuses a setting.
    """

    def __init__(self, config: Any, on_error: Any, on_failed: Any) -> None:
        # Kept for as long as the producer lives: librdkafka calls them.
        self._callbacks = (
            librdkafka.ERROR_CB(lambda _handle, code, text, _opaque: on_error(code, (text or b"").decode())),
            librdkafka.DELIVERY_CB(lambda _handle, message, _opaque: on_failed(*_failure(message))),
        )
        named = dict(zip(("error_cb", "dr_msg_cb"), self._callbacks, strict=True))
        self._handle = librdkafka.open_producer(config, **named)
        self._topics: dict[str, Any] = {}

    def send(self, topic: str, partition: int, rows: PackedRows, first: int) -> tuple[int, int]:
        """Hand over the records from position ``first`` on; (where it stopped, error code or 0)."""
        if topic not in self._topics:
            self._topics[topic] = lib.rd_kafka_topic_new(self._handle, topic.encode(), None)
        at, code = _send(
            self._handle,
            self._topics[topic],
            partition,
            first,
            rows.timestamps,
            rows.keys,
            rows.values,
            rows.lists,
            rows.names,
            rows.contents,
        )
        return int(at), int(code)

    def poll(self, seconds: float) -> None:
        """Let callbacks come."""
        lib.rd_kafka_poll(self._handle, round(seconds * 1000))

    def flush(self, seconds: float) -> int:
        """Wait for deliveries; how many are still on their way."""
        lib.rd_kafka_flush(self._handle, round(seconds * 1000))
        return int(lib.rd_kafka_outq_len(self._handle))

    def close(self) -> None:
        """Drop what is not delivered."""
        lib.rd_kafka_purge(self._handle, 1 | 2)  # RD_KAFKA_PURGE_F_QUEUE, _INFLIGHT
        lib.rd_kafka_poll(self._handle, 0)
        for topic in self._topics.values():
            lib.rd_kafka_topic_destroy(topic)
        lib.rd_kafka_destroy(self._handle)


def _failure(message: int) -> tuple[str, int, int, str]:
    """Topic, partition, error code and its text of an ``rd_kafka_message_t``."""
    code = ctypes.c_int32.from_address(message).value
    topic = lib.rd_kafka_topic_name(ctypes.c_void_p.from_address(message + 8).value).decode()
    return topic, ctypes.c_int32.from_address(message + 16).value, code, lib.rd_kafka_err2str(code).decode()
