"""A compacted topic as a table: the last value of each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook

_PORTION = 50_000  # offsets of one partition read at once


@dataclass(frozen=True)
class Row:
    """The last record of a key."""

    value: bytes
    timestamp_ms: int


class TableTopic:
    """Remembers where it has read to: each look reads only what is new.

    :param cluster: the one that holds the topic.
    """

    def __init__(self, cluster: KafkaClusterHook, topic: str) -> None:
        self._cluster, self.topic = cluster, topic
        self._id: str | None = None
        self._positions: dict[tuple[str, int], int] = {}
        self._rows: dict[bytes, Row] = {}

    def rows(self) -> Mapping[bytes, Row]:
        """The last record of each key up to now, without those whose value is null; empty while there is no topic."""
        admin = self._cluster.admin
        found = admin.topics([self.topic]).get(self.topic)
        if found is None or found.topic_id != self._id:
            self._positions, self._rows = {}, {}  # recreated
        if found is None:
            return {}
        self._id = found.topic_id
        partitions = [(self.topic, number) for number in range(found.partitions)]
        begins = admin.offsets(partitions, "earliest", "read_committed")
        ends = admin.offsets(partitions, "latest", "read_committed")
        at = {tp: max(begins[tp], self._positions.get(tp, 0)) for tp in partitions}
        while wanted := {tp: range(at[tp], min(ends[tp], at[tp] + _PORTION)) for tp in partitions if at[tp] < ends[tp]}:
            self._read(wanted)
            at |= {tp: span.stop for tp, span in wanted.items()}
        self._positions = at
        return self._rows

    def _read(self, wanted: Mapping[tuple[str, int], range]) -> None:
        with self._cluster.reader("read_committed") as reader:
            found = reader.read_records(wanted)
        for _, record in sorted(found.items()):
            key = record.key or b""
            if record.value is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = Row(record.value, record.timestamp_ms)
