"""The client that asks for record batches, against brokers that answer as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from aiokafka import errors
from confluent_kafka import KafkaError

from batches import ABORT, TRANSACTIONAL, Record, batch, marker
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.reading import batch_client as native_client
from kafka_ferry.hooks.kafka.reading.batch_client import NativeClient
from kafka_ferry.hooks.kafka.reading.broker_wire import LEADERS, Answer, Leaders, Part
from kafka_ferry.hooks.kafka.reading.range_stream import Faults, RangeStream
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.raw_records import BatchDecoder, RawRecords
from kafka_ferry.records.record_batch import whole_batches

A, B = ("t", 0), ("t", 1)
Positions = Mapping[Partition, int]


class Brokers:
    """Stands where ``BrokerWire`` does. ``led``: who leads what; ``fetched``: what a broker answers, or raises."""

    def __init__(self) -> None:
        self.led: Callable[[set[Partition]], Leaders] = lambda keys: Leaders(dict.fromkeys(keys, 1), set(), [])
        self.fetched: Callable[[int, Positions], Answer] = lambda node, positions: Answer(positions, {}, 0)
        self.asked: list[tuple[int, dict[Partition, int]]] = []
        self.dropped: list[int] = []

    async def leaders(self, keys: Positions) -> Leaders:
        await asyncio.sleep(0)
        return self.led(set(keys))

    async def fetch(self, node: int, positions: Positions) -> Answer:
        self.asked.append((node, dict(positions)))
        await asyncio.sleep(0.001)
        return self.fetched(node, positions)

    def awake(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def drop(self, node: int) -> None:
        self.dropped.append(node)

    def close(self) -> None:
        pass


def opened() -> Callable[[Partition, Any], Iterator[RawRecords]]:
    decoder = BatchDecoder()
    return lambda _, batches: decoder.records(batches)


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    found = Brokers()
    monkeypatch.setattr(native_client, "BrokerWire", lambda settings, on_arrival: found)
    return found


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def client(brokers: Brokers, faults: Faults) -> Iterator[NativeClient[Any]]:
    made = NativeClient({"bootstrap.servers": "x:1", "isolation.level": "read_committed"}, faults, opened())
    yield made
    made.close()


def part(data: bytes = b"", end: int = 100, code: int = 0, aborted: Any = ()) -> Part:
    return Part(code, end, list(aborted), memoryview(data))


def log_of(*made: bytes, end: int = 100) -> Callable[[int, Positions], Answer]:
    """A partition of these batches: an answer holds one, from the asked offset on."""
    known = [(int.from_bytes(one[:8]) + int.from_bytes(one[23:27]) + 1, one) for one in made]

    def answer(_node: int, positions: Positions) -> Answer:
        data = {key: next((one for behind, one in known if behind > at), b"") for key, at in positions.items()}
        return Answer(positions, {key: part(one, end) for key, one in data.items()}, 0)

    return answer


def some(base: int, count: int = 10, **how: Any) -> bytes:
    return batch([Record(number, 0, b"k", b"v%d" % (base + number)) for number in range(count)], base, **how)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """What takes batches apart is compiled when it is first called, which takes seconds on a busy machine."""
    for _ in opened()(A, whole_batches(memoryview(some(0)))):
        pass


def until(client: NativeClient[Any], enough: Callable[[list[int], list[Any]], bool]) -> tuple[list[int], list[Any]]:
    """Offsets and events that came, until there are enough."""
    offsets, events = [], []
    deadline = time.monotonic() + 20
    while not enough(offsets, events):
        assert time.monotonic() < deadline, (offsets, events)
        runs, told = client.consume(100, 0.05)
        offsets += [offset for _, run in runs for offset in run.offsets.tolist()]
        events += told
    return offsets, events


def test_a_range_is_read_to_its_end_and_not_fetched_beyond_it(brokers: Brokers, client: NativeClient[Any]) -> None:
    brokers.fetched = log_of(some(0), some(10), some(20))
    client.assign([PartitionRange("t", 0, 5, 20)])
    offsets, (event,) = until(client, lambda _, events: bool(events))
    assert offsets == list(range(5, 20)), "from the begin on, though its batch holds more"
    assert (event.code, event.offset) == (KafkaError._PARTITION_EOF, 20)
    client.consume(100, 0.05)
    assert [positions[A] for _, positions in brokers.asked] == [5, 10]


def test_the_next_answer_is_asked_for_before_this_one_is_worked_on(brokers: Brokers, client: NativeClient[Any]) -> None:
    brokers.fetched = log_of(some(0), some(10))
    client.assign([PartitionRange("t", 0, 0, 20)])
    runs: Any = []
    while not runs:
        runs = list(client.consume(100, 0.05)[0])
    assert client._flights, "on its way"


def test_partitions_take_turns(brokers: Brokers, client: NativeClient[Any]) -> None:
    """A broker fills its answer in the order of the question: else the first partition would starve the others."""
    brokers.fetched = lambda node, positions: Answer(
        positions, {key: part(some(at) if key == next(iter(positions)) else b"") for key, at in positions.items()}, 0
    )
    client.assign([PartitionRange("t", 0, 0, 1000), PartitionRange("t", 1, 0, 1000)])
    until(client, lambda offsets, _: len(offsets) >= 40)
    assert [next(iter(positions)) for _, positions in brokers.asked[:4]] == [A, B, A, B]


def test_aborted_records_are_left_out_and_the_end_is_told(brokers: Brokers, client: NativeClient[Any]) -> None:
    data = some(0, attributes=TRANSACTIONAL, producer=7) + marker(10, 7, ABORT) + some(11, 2)
    brokers.fetched = lambda node, positions: Answer(
        positions, {A: part(data, 13, aborted=[(7, 0)]) if positions[A] == 0 else part(end=13)}, 0
    )
    client.assign([PartitionRange("t", 0, 0, 50)])
    offsets, events = until(client, lambda _, events: bool(events))
    assert offsets == [11, 12]
    assert (events[0].code, events[0].offset) == (KafkaError._PARTITION_EOF, 13)


def test_a_damaged_batch_is_asked_for_again(brokers: Brokers, client: NativeClient[Any]) -> None:
    good, bad = some(0), bytearray(some(10))
    bad[-1] ^= 1
    answers = iter([good + bytes(bad), bytes(bad), some(10)])
    brokers.fetched = lambda node, positions: Answer(positions, {A: part(next(answers))}, 0)
    client.assign([PartitionRange("t", 0, 0, 20)])
    offsets, events = until(client, lambda offsets, _: len(offsets) >= 20)
    assert offsets == list(range(20))
    assert [event.code for event in events] == [KafkaError._BAD_MSG, KafkaError._BAD_MSG, KafkaError._PARTITION_EOF]
    assert "offset 10: its checksum" in events[0].text


def test_what_cannot_be_decompressed_is_asked_for_again_and_ends_nothing(
    brokers: Brokers, client: NativeClient[Any]
) -> None:
    answers = {0: some(0) + batch(b"no lz4", 10, attributes=3, last=9, count=10), 10: some(10)}
    brokers.fetched = lambda node, positions: Answer(
        positions, {A: part(answers[positions[A]])} if positions.get(A) in answers else {}, 0
    )
    client.assign([PartitionRange("t", 0, 0, 20)])
    offsets, events = until(client, lambda offsets, _: len(offsets) >= 20)
    assert offsets == list(range(20)), "nothing twice, nothing left out"
    assert [event.code for event in events] == [KafkaError._BAD_COMPRESSION, KafkaError._PARTITION_EOF]


@pytest.mark.parametrize("code", [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.FENCED_LEADER_EPOCH, 56])
def test_a_partition_that_moved_is_asked_for_at_its_new_leader(
    code: int, brokers: Brokers, client: NativeClient[Any], faults: Faults
) -> None:
    found = iter([1, 2])
    brokers.led = lambda keys: Leaders(dict.fromkeys(keys, next(found)), set(), [])
    good = log_of(some(0))
    brokers.fetched = lambda node, positions: (
        Answer(positions, {A: part(code=code)}, 0) if node == 1 else good(node, positions)
    )
    client.assign([PartitionRange("t", 0, 0, 10)])
    offsets, _ = until(client, lambda _, events: bool(events))
    assert offsets == list(range(10))
    assert [node for node, _ in brokers.asked] == [1, 2]
    assert "t-0: " in faults.last_error


def test_a_broker_that_goes_away_is_asked_again(brokers: Brokers, client: NativeClient[Any], faults: Faults) -> None:
    problems = iter([ssl.SSLEOFError("in a handshake"), errors.KafkaConnectionError("closed"), TimeoutError()])
    good = log_of(some(0))

    def answer(node: int, positions: Positions) -> Answer:
        for problem in problems:
            raise problem
        return good(node, positions)

    brokers.fetched = answer
    client.assign([PartitionRange("t", 0, 0, 10)])
    assert until(client, lambda _, events: bool(events))[0] == list(range(10))
    assert brokers.dropped == [1, 1, 1]
    assert faults.last_error == "TimeoutError"
    assert faults.denied is None


def test_refused_credentials_are_told(brokers: Brokers, client: NativeClient[Any], faults: Faults) -> None:
    def refuse(keys: set[Partition]) -> Leaders:
        raise errors.SaslAuthenticationFailed("Authentication failed")

    brokers.led = refuse
    client.assign([PartitionRange("t", 0, 0, 10)])
    until(client, lambda _, events: faults.denied is not None)
    assert "Authentication failed" in str(faults.denied)
    assert brokers.dropped == [LEADERS]


def test_what_somebody_must_know_becomes_an_event(
    brokers: Brokers, client: NativeClient[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    brokers.fetched = lambda node, positions: Answer(positions, {A: part(code=KafkaError.OFFSET_OUT_OF_RANGE)}, 0)
    client.assign([PartitionRange("t", 0, 3, 10)])
    _, events = until(client, lambda _, events: bool(events))
    assert (events[0].topic, events[0].offset, events[0].code) == ("t", 3, KafkaError.OFFSET_OUT_OF_RANGE)

    brokers.led = lambda keys: Leaders({}, set(), ["secret"])
    client.assign([PartitionRange("secret", 0, 0, 10)])
    _, events = until(client, lambda _, events: any(one.topic == "secret" for one in events))
    assert events[-1].code == KafkaError.TOPIC_AUTHORIZATION_FAILED

    monkeypatch.setattr(native_client, "_PATIENCE", 0.3)
    brokers.led = lambda keys: Leaders({}, keys, [])
    client.assign([PartitionRange("none", 0, 0, 10)])
    begun = time.monotonic()
    _, events = until(client, lambda _, events: any(one.topic == "none" for one in events))
    assert events[-1].code == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert time.monotonic() - begun > 0.3, "it may still turn up"


def test_a_quota_is_told_and_kept(brokers: Brokers, client: NativeClient[Any], faults: Faults) -> None:
    good, times = log_of(some(0), some(10)), []

    def answer(node: int, positions: Positions) -> Answer:
        times.append(time.monotonic())
        return Answer(positions, good(node, positions).parts, 0.4)

    brokers.fetched = answer
    client.assign([PartitionRange("t", 0, 0, 20)])
    until(client, lambda _, events: bool(events))
    assert times[1] - times[0] >= 0.4
    assert faults.held_until > times[1]


def test_an_answer_to_an_earlier_assignment_is_left_alone(brokers: Brokers, client: NativeClient[Any]) -> None:
    brokers.fetched = log_of(some(0), some(10), some(20))
    client.assign([PartitionRange("t", 0, 0, 30)])
    until(client, lambda offsets, _: bool(offsets))
    assert client._flights, "the next is on its way"
    client.assign([PartitionRange("t", 0, 0, 10)])
    offsets, _ = until(client, lambda _, events: bool(events))
    assert offsets == list(range(10))


def test_a_stream_over_it_reads_two_partitions(brokers: Brokers) -> None:
    brokers.fetched = log_of(some(0, codec="zstd"), some(10, codec="lz4"), some(20))
    config = {"bootstrap.servers": "x:1"}
    stream = RangeStream(lambda faults: NativeClient(config, faults, opened()), "read_uncommitted", 5)
    found: dict[Partition, list[int]] = {A: [], B: []}
    for key, run in stream.stream([PartitionRange(*A, 0, 25), PartitionRange(*B, 12, 30)]):
        found[key] += run.offsets.tolist()
    stream.close()
    assert found == {A: list(range(25)), B: list(range(12, 30))}
