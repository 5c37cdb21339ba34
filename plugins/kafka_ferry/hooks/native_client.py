"""A consumer whose records stay where librdkafka has them until hashes or columns are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kafka_ferry.hooks import native_records
from kafka_ferry.hooks.librdkafka import CONSUMER, ERROR_CB, THROTTLE_CB, lib, open_handle
from kafka_ferry.hooks.range_stream import Event, Faults, Key
from kafka_ferry.verification.content import PartitionRange

_BATCH_BYTES = 16 * 1024 * 1024  # of records that are looked at together: they are held beside what is fetched ahead
_BATCH = 20_000


@dataclass(frozen=True, eq=False)
class NativeRun:
    """Records of one partition; good until the client's next call.

    :param messages: addresses of ``rd_kafka_message_t``, uint64. ``offsets``: int64.
    """

    messages: Any
    offsets: Any

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def last(self) -> int:
        """Offset of the last one."""
        return int(self.offsets[-1])

    def until(self, end: int) -> NativeRun:
        """Only those below this offset."""
        count = int(np.searchsorted(self.offsets, end))
        return NativeRun(self.messages[:count], self.offsets[:count])


class NativeClient:
    """librdkafka's consumer.

    :param config: whole librdkafka configuration; strings, numbers and booleans.
    :raises BadConnection: librdkafka refuses a setting.
    """

    def __init__(self, config: Mapping[str, Any], faults: Faults) -> None:
        self._faults = faults
        # Kept for as long as the client lives: librdkafka calls them.
        self._on_error = ERROR_CB(self._error)
        self._on_throttle = THROTTLE_CB(lambda _rk, _broker, _id, ms, _opaque: faults.on_throttle(ms / 1000))
        self._handle = open_handle(CONSUMER, config, error_cb=self._on_error, throttle_cb=self._on_throttle)
        lib.rd_kafka_poll_set_consumer(self._handle)
        self._queue = lib.rd_kafka_queue_get_consumer(self._handle)
        self._batch = 500
        self._slots = np.zeros(_BATCH, np.uint64)
        self._held = self._slots[:0]

    def _error(self, _handle: Any, code: int, reason: bytes, _opaque: Any) -> None:
        self._faults.on_error(code, (reason or b"").decode(errors="replace"))

    def assign(self, spans: Sequence[PartitionRange]) -> None:
        places = lib.rd_kafka_topic_partition_list_new(len(spans))
        for span in spans:
            place = span.topic.encode(), span.partition
            lib.rd_kafka_topic_partition_list_add(places, *place)
            lib.rd_kafka_topic_partition_list_set_offset(places, *place, span.begin)
        self._check(lib.rd_kafka_assign(self._handle, places), places)

    def unassign(self) -> None:
        self._check(lib.rd_kafka_assign(self._handle, None))

    def pause(self, keys: Iterable[Key]) -> None:
        places = _places(keys)
        self._check(lib.rd_kafka_pause_partitions(self._handle, places), places)

    def resume(self, keys: Iterable[Key]) -> None:
        places = _places(keys)
        self._check(lib.rd_kafka_resume_partitions(self._handle, places), places)

    @staticmethod
    def _check(code: int, places: Any = None) -> None:
        if places:
            lib.rd_kafka_topic_partition_list_destroy(places)
        if code:
            raise RuntimeError(f"librdkafka: {lib.rd_kafka_err2str(code).decode()}")  # our own fault, no broker's

    def consume(self, at_most: int, seconds: float) -> tuple[list[tuple[Key, NativeRun]], list[Event]]:
        self._let_go()
        count = min(self._batch, at_most)
        found = lib.rd_kafka_consume_batch_queue(self._queue, round(seconds * 1000), self._slots.ctypes.data, count)
        self._held = self._slots[: max(0, found)]
        if not len(self._held):
            return [], []
        codes, topics, partitions, offsets, size = native_records.places(self._held)
        self._batch = int(min(_BATCH, max(100, _BATCH_BYTES * len(self._held) // max(1, size))))
        events = [self._event(at, codes, topics, partitions, offsets) for at in np.flatnonzero(codes).tolist()]
        good = codes == 0
        places: dict[Key, Any] = {}
        for topic, partition in {*zip(topics[good].tolist(), partitions[good].tolist(), strict=True)}:
            key = lib.rd_kafka_topic_name(topic).decode(), partition
            mine = good & (topics == topic) & (partitions == partition)
            # By name: were a topic known by two addresses, one partition's records would still be one run, in order.
            places[key] = places[key] | mine if key in places else mine
        runs = [(key, NativeRun(self._held[mine], offsets[mine])) for key, mine in places.items()]
        return runs, events

    def _event(self, at: int, codes: Any, topics: Any, partitions: Any, offsets: Any) -> Event:
        text = lib.rd_kafka_message_errstr(int(self._held[at])) or lib.rd_kafka_err2str(int(codes[at])) or b""
        topic = lib.rd_kafka_topic_name(int(topics[at])).decode() if topics[at] else None
        return Event(topic, int(partitions[at]), int(offsets[at]), int(codes[at]), text.decode(errors="replace"))

    def _let_go(self) -> None:
        if len(self._held):
            native_records.destroy(self._held)
            self._held = self._slots[:0]

    def close(self) -> None:
        self._let_go()
        lib.rd_kafka_consumer_close(self._handle)
        lib.rd_kafka_queue_destroy(self._queue)
        lib.rd_kafka_destroy(self._handle)


def _places(keys: Iterable[Key]) -> Any:
    found = list(keys)
    places = lib.rd_kafka_topic_partition_list_new(len(found))
    for topic, partition in found:
        lib.rd_kafka_topic_partition_list_add(places, topic.encode(), partition)
    return places
