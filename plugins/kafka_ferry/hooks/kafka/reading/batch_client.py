"""A consumer that asks brokers for record batches and hands them on as they are: no object for a record, no copy."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from aiokafka import errors
from confluent_kafka import KafkaError

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.reading.broker_wire import LEADERS, Answer, BrokerWire, Leaders
from kafka_ferry.hooks.kafka.reading.range_stream import Event, Faults, Run
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.record_batch import DamagedBatch, RecordBatch, committed_batches, whole_batches

_REFUSED = (
    errors.AuthenticationFailedError,
    errors.SaslAuthenticationFailed,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
)
_FORBIDDEN, _UNKNOWN = KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART
_TELLING = {KafkaError.OFFSET_OUT_OF_RANGE, _FORBIDDEN}  # the others are a matter of asking another broker, or again
_PATIENCE = 5.0  # seconds for which an unknown topic or partition may still turn up
_AGAIN = 0.2  # seconds between attempts


class _Run(Run, Protocol):
    def since(self, begin: int) -> Self:
        """Only the records from this offset on, perhaps none."""


R = TypeVar("R", bound=_Run)
Opening = Callable[[Partition, Iterable[RecordBatch]], Iterator[R]]
"""Makes runs of records of a partition's batches; each is good until the next."""


@dataclass(frozen=True)
class _Portion:
    """Batches that one answer brought of a partition, perhaps none.

    :param begin: records below it are not wanted. ``end``: to be told behind the records.
    """

    begin: int
    batches: list[RecordBatch]
    end: Event | None


class NativeClient(Generic[R]):
    """Fetches of each broker one answer ahead; its network moves while ``consume`` waits. Not thread-safe.

    :param config: whole librdkafka configuration, of settings that ``wire_settings`` knows.
    :raises BadConnection: a certificate or key cannot be read.
    """

    def __init__(self, config: Mapping[str, Any], faults: Faults, opening: Opening[R]) -> None:
        self._settings, self._faults, self._opening = WireSettings.of(config), faults, opening
        self._loop = asyncio.new_event_loop()
        self._wire = BrokerWire(self._settings, faults.on_arrival)
        self._spans: dict[Partition, PartitionRange] = {}
        self._positions: dict[Partition, int] = {}  # of what is still to be fetched; who just got something stands last
        self._paused: set[Partition] = set()
        self._leaders: dict[Partition, int] = {}
        self._missing: dict[Partition, float] = {}  # since when
        self._flights: dict[int, asyncio.Task[Any]] = {}
        self._not_before: dict[int, float] = {}

    def assign(self, spans: Sequence[PartitionRange]) -> None:
        self._spans = {span.key: span for span in spans}
        self._positions = {span.key: span.begin for span in spans}
        self._paused.clear()
        self._missing.clear()

    def unassign(self) -> None:
        self.assign([])

    def pause(self, keys: Iterable[Partition]) -> None:
        self._paused.update(keys)

    def resume(self, keys: Iterable[Partition]) -> None:
        self._paused.difference_update(keys)

    def consume(self, at_most: int, seconds: float) -> tuple[Iterable[tuple[Partition, R]], list[Event]]:
        """What one answer brought; ``at_most`` is not kept to. The events are complete when the runs were taken."""
        events: list[Event] = []
        with self._wire.awake():
            found = self._loop.run_until_complete(self._arrived(seconds, events))
        return self._runs(found, events), events

    def close(self) -> None:
        self.unassign()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        for flight in self._flights.values():
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)
        self._wire.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    def _runs(self, found: dict[Partition, _Portion], events: list[Event]) -> Iterator[tuple[Partition, R]]:
        for key, portion in found.items():
            begin = portion.begin
            try:
                for run in self._opening(key, portion.batches):
                    wanted = run.since(begin)
                    if len(wanted):
                        begin = wanted.last + 1
                        yield key, wanted
            except DamagedBatch as error:
                self._positions[key] = begin  # again from here: what was asked for meanwhile will not be taken
                events.append(Event(*key, begin, KafkaError._BAD_COMPRESSION, str(error)))
            except FerryError as error:
                raise FerryError(f"{key[0]}-{key[1]}: {error}") from error
            else:
                if portion.end is not None:
                    events.append(portion.end)

    async def _arrived(self, seconds: float, events: list[Event]) -> dict[Partition, _Portion]:
        self._launch()
        if not self._flights:
            await asyncio.sleep(min(seconds, _AGAIN))
            return {}
        await asyncio.wait(self._flights.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        found: dict[Partition, _Portion] = {}
        for node, flight in [(node, flight) for node, flight in self._flights.items() if flight.done()]:
            del self._flights[node]
            try:
                landed = flight.result()
            except (OSError, errors.KafkaError, TimeoutError) as error:
                self._failed(node, error)
                continue
            if isinstance(landed, Leaders):
                self._learn(landed, events)
            else:
                found |= self._take(node, landed, events)
        self._launch()  # the next answer is on its way while this one is worked on
        return found

    def _launch(self) -> None:
        """Ask each broker that has nothing to answer, and whoever answers who leads what we do not know of."""
        now = time.monotonic()
        asked: dict[int, dict[Partition, int]] = {}
        for key, position in self._positions.items():
            if key not in self._paused:
                asked.setdefault(self._leaders.get(key, LEADERS), {})[key] = position
        for node, positions in asked.items():
            if node not in self._flights and now >= self._not_before.get(node, 0):
                question = self._wire.leaders(positions) if node == LEADERS else self._wire.fetch(node, positions)
                self._flights[node] = self._loop.create_task(question)

    def _failed(self, node: int, error: Exception) -> None:
        text = str(error) or type(error).__name__
        # A broker that stops in the middle of a handshake refuses nobody.
        refused = isinstance(error, (*_REFUSED, ssl.SSLError)) and not isinstance(error, ssl.SSLEOFError)
        self._faults.on_error(KafkaError._AUTHENTICATION if refused else KafkaError._TRANSPORT, text)
        self._wire.drop(node)
        self._forget([key for key, leader in self._leaders.items() if leader == node])

    def _forget(self, keys: Iterable[Partition]) -> None:
        """Ask again who leads these, after a while."""
        for key in keys:
            self._leaders.pop(key, None)
        self._not_before[LEADERS] = time.monotonic() + _AGAIN

    def _learn(self, found: Leaders, events: list[Event]) -> None:
        self._leaders |= found.nodes
        for key in found.nodes:
            self._missing.pop(key, None)
        events += [_event((topic, -1), -1, _FORBIDDEN) for topic in found.forbidden]
        without = [key for key in self._positions if key not in self._leaders]
        for key in without:
            since = self._missing.setdefault(key, time.monotonic())
            event = _event(key, -1, _UNKNOWN if key in found.unknown else KafkaError.LEADER_NOT_AVAILABLE)
            if event.code == _UNKNOWN and time.monotonic() - since > _PATIENCE:
                events.append(event)
            self._faults.on_error(event.code, event.text)
        if without:
            self._forget(without)

    def _take(self, node: int, answer: Answer, events: list[Event]) -> dict[Partition, _Portion]:
        if answer.throttle:
            self._faults.on_throttle(answer.throttle)
            self._not_before[node] = time.monotonic() + answer.throttle
        found: dict[Partition, _Portion] = {}
        for key, asked in answer.asked.items():
            part = answer.parts.get(key)
            if self._positions.get(key) != asked or part is None:
                continue  # it was assigned again meanwhile
            if part.code:
                event = _event(key, asked, part.code)
                if part.code in _TELLING:
                    events.append(event)
                else:
                    self._faults.on_error(part.code, event.text)
                    self._forget([key])
                continue
            batches: list[RecordBatch] = []
            try:
                for batch in whole_batches(part.data):
                    batches.append(batch)  # noqa: PERF402 - those before a damaged one are good
            except DamagedBatch as error:
                events.append(Event(*key, asked, KafkaError._BAD_MSG, str(error)))
                self._not_before[node] = time.monotonic() + _AGAIN
            position = max(asked, batches[-1].next) if batches else asked
            at_end = position >= self._spans[key].end
            if position > asked:
                del self._positions[key]
            if not at_end:
                self._positions[key] = position  # who got something stands behind the others: it is their turn
            told = at_end or (not part.data and position >= part.end)
            end = Event(*key, position, KafkaError._PARTITION_EOF, "") if told else None
            found[key] = _Portion(asked, list(committed_batches(batches, part.aborted)), end)
        return found


def _event(key: Partition, offset: int, code: int) -> Event:
    return Event(*key, offset, code, f"{key[0]}-{key[1]}: {KafkaError(code).str()}")
