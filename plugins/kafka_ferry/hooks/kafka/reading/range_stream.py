"""Read ranges of offsets to their exact end, whatever turns librdkafka's messages into records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from confluent_kafka import KafkaError

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.records.content import PartitionRange

GROUP_ID = "kafka-ferry-verification"  # librdkafka insists on one; we assign and never commit, so it never exists

CONSUMER_SETTINGS: dict[str, Any] = {
    "group.id": GROUP_ID,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # never jump over records that are gone: say so
    "enable.partition.eof": True,
    "check.crcs": True,
    "fetch.queue.backoff.ms": 1,  # the default 1000 made reading ten times slower (measured; librdkafka issue 2879)
    "queued.max.messages.kbytes": 65536,
    "fetch.wait.max.ms": 100,
    "reconnect.backoff.max.ms": 2000,
    "topic.metadata.propagation.max.ms": 5000,  # how long an unknown topic may still turn up; default 30 s of silence
    "log_level": 2,  # what librdkafka would print 20 times a second while a broker is unavailable is in our exception
}
SMALL_FETCHES: dict[str, Any] = {"max.partition.fetch.bytes": 65536, "fetch.max.bytes": 1048576}
_POLL_SECONDS = 0.1
_HELD_STALLS = 9

_DENIED = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError._SSL,
}
_GONE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
_OUT_OF_RANGE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}


class Run(Protocol):
    """Neighbouring records of one partition, in offset order."""

    def __len__(self) -> int: ...

    @property
    def last(self) -> int:
        """Offset of the last record; there is one."""

    def until(self, end: int) -> Self:
        """Only the records below this offset, perhaps none."""


@dataclass(frozen=True)
class Event:
    """What came in place of a record: the end of a partition, or an error.

    :param topic: None: of no topic. ``code``: librdkafka's. ``text``: what it says of it.
    """

    topic: str | None
    partition: int
    offset: int
    code: int
    text: str


R = TypeVar("R", bound=Run)
R_co = TypeVar("R_co", bound=Run, covariant=True)


class Client(Protocol[R_co]):
    """A consumer that is in no group. Errors of no partition reach the :class:`Faults` it was made with."""

    def assign(self, spans: Sequence[PartitionRange]) -> None:
        """Fetch these, and nothing else, from their begin on."""

    def unassign(self) -> None:
        """Fetch nothing."""

    def pause(self, keys: Iterable[Partition]) -> None:
        """Fetch no more of these."""

    def resume(self, keys: Iterable[Partition]) -> None:
        """Undo ``pause``."""

    def consume(self, at_most: int, seconds: float) -> tuple[Iterable[tuple[Partition, R_co]], list[Event]]:
        """What has arrived, in the order of each partition; take each run before the next, all before the events."""

    def close(self) -> None:
        """Let go of it."""


class Faults:
    """What a client is told beside the records: refusals, quotas, brokers that are unavailable."""

    def __init__(self) -> None:
        self.denied: str | None = None
        self.last_error = ""
        self.held_until = 0.0
        self.arriving_until = 0.0

    def on_error(self, code: int, text: str) -> None:
        """Take a global error. Refusals end the reading; librdkafka retries the rest, and a stall quotes the last."""
        if code in _DENIED:
            self.denied = text
        else:
            self.last_error = text

    def on_throttle(self, seconds: float) -> None:
        """A quota of the cluster: the broker answers nothing for so many seconds, and means no harm."""
        self.held_until = max(self.held_until, time.monotonic() + seconds)

    def on_arrival(self) -> None:
        """Part of a long answer came, over a slow link: it is no stall while more of it keeps coming."""
        self.arriving_until = time.monotonic() + _POLL_SECONDS


class RangeStream(Generic[R]):
    """Reads ranges through a client that it makes when first needed. Not thread-safe.

    :param make_client: a new one, that reports to the given faults; it may raise ``BadConnection``.
    :param isolation_level: of the client, for what a stall says.
    :param stall_seconds: how long nothing may arrive, see
            :class:`kafka_ferry.hooks.kafka.reading.message_reader.LibrdkafkaReader`.
    """

    def __init__(self, make_client: Callable[[Faults], Client[R]], isolation_level: str, stall_seconds: float) -> None:
        self._make_client, self.isolation_level, self.stall_seconds = make_client, isolation_level, stall_seconds
        self._client: Client[R] | None = None
        self._faults = Faults()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client, self._faults = None, Faults()

    def stream(self, ranges: Sequence[PartitionRange], only_first: bool = False) -> Iterator[tuple[Partition, R]]:
        """Yield the records of the ranges in runs of one partition, and return when each range is read to its end.

        A range ends with its record end - 1, with a later record, or with the partition's EOF at or after its end,
        whichever comes first: so a tail of markers ends it too.

        :raises TransientError: an end was not reached, or the log start passed a begin meanwhile.
        :raises BadConnection: the cluster refused the credentials or the topic.
        """
        if len({span.key for span in ranges}) < len(ranges):
            raise ValueError("each partition can be read once at a time")
        reading: _Reading[R] = _Reading({span.key: span for span in ranges if span.begin < span.end}, only_first)
        if not reading.ranges:
            return
        if self._client is None:
            self._client = self._make_client(self._faults)
        client = self._client
        client.assign(list(reading.ranges.values()))
        try:
            yield from self._until_read(client, reading)
        except (BadConnection, TransientError):
            self.close()  # otherwise its threads keep connecting to the cluster as long as the reader lives
            raise
        if reading.paused:  # a pause outlives the assignment
            client.resume(reading.paused)
        client.unassign()

    def _until_read(self, client: Client[R], reading: _Reading[R]) -> Iterator[tuple[Partition, R]]:
        deadline = time.monotonic() + self.stall_seconds
        while reading.ranges:
            before = reading.progress()
            runs, events = client.consume(reading.left(), _POLL_SECONDS)
            for key, run in runs:
                wanted = reading.take(key, run)
                if wanted is not None:
                    yield key, wanted
            self._on_events(events, reading)  # after the records: an EOF stands behind those of its partition
            if reading.progress() != before:
                beat()
                _pause(client, reading)
                deadline = time.monotonic() + self.stall_seconds
            elif time.monotonic() > min(
                max(
                    deadline,
                    self._faults.held_until + self.stall_seconds,
                    self._faults.arriving_until + self.stall_seconds,
                ),
                deadline + _HELD_STALLS * self.stall_seconds,
            ):
                raise TransientError(self._stalled(reading))

    def _on_events(self, events: Iterable[Event], reading: _Reading[R]) -> None:
        if self._faults.denied:
            raise BadConnection(f"cannot read {_names(reading.ranges)}: {self._faults.denied}")
        for event in events:
            self._on_event(event, reading)

    def _on_event(self, event: Event, reading: _Reading[R]) -> None:
        key = event.topic or "", event.partition
        if event.code == KafkaError._PARTITION_EOF:
            reading.end_of_log(key, event.offset)
        elif event.code in _OUT_OF_RANGE:
            raise TransientError(
                f"{reading.ranges.get(key) or key}: offset out of range; its log start moved on by retention or "
                f"deletion, or the topic was recreated, after its offsets were read ({event.text})"
            )
        elif event.code in _DENIED:
            place = f"topic {event.topic!r}" if event.topic else _names(reading.ranges)
            fix = ". Fix: grant READ on it to this user" if event.code == KafkaError.TOPIC_AUTHORIZATION_FAILED else ""
            raise BadConnection(f"cannot read {place}: {event.text}{fix}")
        elif event.code in _GONE:
            raise TransientError(f"{event.topic or _names(reading.ranges)}: the topic or partition no longer exists")
        elif event.code != KafkaError.GROUP_AUTHORIZATION_FAILED:  # we are in no group: no right to one is needed
            self._faults.last_error = event.text

    def _stalled(self, reading: _Reading[R]) -> str:
        places = ", ".join(
            f"{span} is at {reading.reached[key]}"
            + (f", where its log ends for {self.isolation_level}" if key in reading.at_eof else "")
            for key, span in list(reading.ranges.items())[:5]
        )
        more = f" and {len(reading.ranges) - 5} more" if len(reading.ranges) > 5 else ""
        why = f"; last error: {self._faults.last_error}" if self._faults.last_error else ""
        if self._faults.held_until:
            why += "; a client quota of the cluster holds this reader back. Fix: raise consumer_byte_rate for its user"
        if reading.at_eof and self.isolation_level == "read_committed":
            why += "; an open transaction may hold the last stable offset"
        return f"no records for {self.stall_seconds:g} s, end not reached: {places}{more}{why}"


def _pause(client: Client[R], reading: _Reading[R]) -> None:
    """Stop fetching what is behind the end of finished ranges: on a live topic that never ends."""
    done = reading.assigned - reading.ranges.keys() - reading.paused
    if done and reading.ranges:
        client.pause(done)
        reading.paused |= done


class _Reading(Generic[R]):
    """How far each range has been read; finished ones leave ``ranges``."""

    def __init__(self, ranges: dict[Partition, PartitionRange], only_first: bool) -> None:
        self.ranges, self._only_first = ranges, only_first
        self.assigned = frozenset(ranges)
        self.paused: set[Partition] = set()
        self.at_eof: set[Partition] = set()
        self.reached = {key: span.begin for key, span in ranges.items()}

    def left(self) -> int:
        """Upper bound of the records still to come, at least 1."""
        return max(1, sum(span.end - self.reached[key] for key, span in self.ranges.items()))

    def progress(self) -> tuple[int, int]:
        """Changes whenever anything was reached."""
        return len(self.ranges), self.left()

    def take(self, key: Partition, run: R) -> R | None:
        """Note that these arrived and return those inside the range, if any."""
        span = self.ranges.get(key)
        if span is None:
            return None
        self.at_eof.discard(key)
        self.reached[key] = run.last + 1
        inside = run if self.reached[key] <= span.end else run.until(span.end)
        if self.reached[key] >= span.end or self._only_first:
            del self.ranges[key]
        return inside if len(inside) else None

    def end_of_log(self, key: Partition, offset: int) -> None:
        if key not in self.ranges:
            return
        self.reached[key] = max(self.reached[key], offset)
        self.at_eof.add(key)
        if offset >= self.ranges[key].end:
            del self.ranges[key]


def _names(ranges: Mapping[Partition, PartitionRange]) -> str:
    names = [str(span) for span in ranges.values()]
    return shortlist(names, 5)
