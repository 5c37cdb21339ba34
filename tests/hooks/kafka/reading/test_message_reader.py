"""The reader's rules for ends, errors and stalls, on a scripted consumer; real Kafka is in tests/integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.hooks.kafka.reading import message_reader as record_reader
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader, time_of
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.record_hash import record_hash


class Message:
    """Stands for confluent_kafka.Message, whose methods the reader maps over batches."""

    def __init__(self, partition: int | None, offset: int | None, error: int | None = None) -> None:
        self._partition, self._offset, self._error = partition, offset, error

    def topic(self) -> str | None:
        return None if self._partition is None else "t"

    def partition(self) -> int | None:
        return self._partition

    def offset(self) -> int | None:
        return self._offset

    def error(self) -> KafkaError | None:
        return None if self._error is None else KafkaError(self._error)

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"value"

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return 1, 1000


Step = list[Message] | Callable[[dict[str, Any]], list[Message]]


class Consumer:
    """Hands out scripted batches, then nothing."""

    script: list[Step] = []  # noqa: RUF012  # set anew by each test
    made: list[Consumer] = []  # noqa: RUF012

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.assigned, self.paused, self.closed = config, [], [], False
        self.asked: list[int] = []
        self.made.append(self)

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = [(place.topic, place.partition, place.offset) for place in places]

    def unassign(self) -> None:
        self.assigned = []

    def pause(self, places: list[TopicPartition]) -> None:
        self.paused += [place.partition for place in places]

    def resume(self, places: list[TopicPartition]) -> None:
        for place in places:
            self.paused.remove(place.partition)

    def consume(self, count: int, timeout: float) -> list[Message]:
        self.asked.append(count)
        step = self.script.pop(0) if self.script else []
        return step(self.config) if callable(step) else step

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def consumer(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Consumer]]:
    monkeypatch.setattr(record_reader, "Consumer", Consumer)
    monkeypatch.setattr(record_reader, "Message", Message)
    monkeypatch.setattr(record_reader, "only_librdkafka_knows", lambda config: ["what these tests are of"])
    Consumer.script, Consumer.made = [], []
    yield Consumer


def eof(partition: int, offset: int) -> Message:
    return Message(partition, offset, KafkaError._PARTITION_EOF)


def read(*ranges: PartitionRange, stall: float = 0.05) -> dict[tuple[str, int], list[int]]:
    reader = LibrdkafkaReader({"bootstrap.servers": "x"}, "read_committed", stall)
    return {key: content.offsets.tolist() for key, content in reader.read(ranges).items()}


def span(partition: int, begin: int, end: int) -> PartitionRange:
    return PartitionRange("t", partition, begin, end)


def test_settings_that_keep_verification_honest() -> None:
    Consumer.script = [[Message(0, 0)]]
    read(span(0, 0, 1))
    config = Consumer.made[0].config
    assert config["isolation.level"] == "read_committed"
    assert config["auto.offset.reset"] == "error"
    assert config["enable.partition.eof"] is True
    assert config["check.crcs"] is True
    assert config["enable.auto.commit"] is False
    assert config["fetch.queue.backoff.ms"] == 1


def test_the_last_record_ends_a_range_without_waiting() -> None:
    Consumer.script = [[Message(0, 5), Message(0, 6)]]
    assert read(span(0, 5, 7)) == {("t", 0): [5, 6]}
    assert Consumer.made[0].asked == [2]


def test_a_tail_of_markers_ends_with_eof() -> None:
    Consumer.script = [[Message(0, 0), Message(0, 1)], [eof(0, 4)]]
    assert read(span(0, 0, 4)) == {("t", 0): [0, 1]}


def test_a_record_behind_the_end_ends_the_range_and_is_left_out() -> None:
    Consumer.script = [[Message(0, 0), Message(0, 9)]]
    assert read(span(0, 0, 4)) == {("t", 0): [0]}


def test_an_eof_in_the_same_batch_hides_no_record() -> None:
    Consumer.script = [[Message(0, 0), Message(0, 1), eof(0, 2), Message(1, 0), eof(1, 1)]]
    assert read(span(0, 0, 2), span(1, 0, 1)) == {("t", 0): [0, 1], ("t", 1): [0]}


def test_an_eof_before_the_end_waits_for_more() -> None:
    Consumer.script = [[Message(0, 0), eof(0, 1)], [], [Message(0, 1)]]
    assert read(span(0, 0, 2)) == {("t", 0): [0, 1]}


def test_a_stall_is_an_error_that_names_partition_and_offsets_never_a_short_content() -> None:
    Consumer.script = [[Message(0, 0), eof(0, 1)]]
    with pytest.raises(TransientError, match=r"t-0 \[0, 7\) is at 1, where its log ends for read_committed"):
        read(span(0, 0, 7))
    assert Consumer.made[0].closed


def test_a_stall_quotes_the_last_error() -> None:
    def broken(config: dict[str, Any]) -> list[Message]:
        config["error_cb"](KafkaError(KafkaError._TRANSPORT, "Connection refused"))
        return []

    Consumer.script = [broken]
    with pytest.raises(TransientError, match=r"t-3 \[2, 7\) is at 2.*Connection refused"):
        read(span(3, 2, 7))


def test_refused_credentials_are_a_bad_connection_at_once() -> None:
    def refused(config: dict[str, Any]) -> list[Message]:
        config["error_cb"](KafkaError(KafkaError._AUTHENTICATION, "Invalid username or password"))
        return []

    Consumer.script = [refused]
    with pytest.raises(BadConnection, match="Invalid username or password"):
        read(span(0, 0, 1), stall=60)


@pytest.mark.parametrize(
    "code, error",
    [
        (KafkaError._AUTO_OFFSET_RESET, TransientError),
        (KafkaError.OFFSET_OUT_OF_RANGE, TransientError),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, TransientError),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, BadConnection),
    ],
)
def test_errors_of_a_partition_end_the_reading(code: int, error: type[Exception]) -> None:
    Consumer.script = [[Message(0, 3, code)]]
    with pytest.raises(error, match="t"):
        read(span(0, 3, 9), stall=60)


def test_no_right_to_the_group_is_no_error_for_we_are_in_none() -> None:
    Consumer.script = [[Message(None, None, KafkaError.GROUP_AUTHORIZATION_FAILED)], [Message(0, 0)]]
    assert read(span(0, 0, 1)) == {("t", 0): [0]}


def test_finished_partitions_are_paused_and_resumed_at_the_end() -> None:
    paused: list[list[int]] = []

    def look(config: dict[str, Any]) -> list[Message]:
        paused.append(list(Consumer.made[0].paused))
        return [Message(1, 0), Message(0, 1)]  # partition 0 goes on behind its end: ignored

    Consumer.script = [[Message(0, 0)], look]
    assert read(span(0, 0, 1), span(1, 0, 1)) == {("t", 0): [0], ("t", 1): [0]}
    assert paused == [[0]]
    assert Consumer.made[0].paused == []
    assert Consumer.made[0].assigned == []


def test_empty_ranges_need_no_broker() -> None:
    assert read(span(0, 5, 5)) == {("t", 0): []}
    assert Consumer.made == []


def test_a_partition_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        read(span(0, 0, 1), span(0, 4, 5))


def test_big_requests_are_read_in_portions() -> None:
    reader = LibrdkafkaReader({}, "read_uncommitted", max_records=3)
    seen = [[one.partition for one in some] for some in reader._portions([span(0, 0, 2), span(1, 0, 1), span(2, 0, 9)])]
    assert seen == [[0, 1], [2]]


def test_content() -> None:
    Consumer.script = [[Message(0, 0), Message(0, 4)]]
    content = LibrdkafkaReader({}, "read_uncommitted").read([span(0, 0, 5)], with_keys=True)["t", 0]
    assert content.hashes.tolist() == [record_hash(1000, None, b"k", b"value")] * 2
    assert (content.bytes, content.begin, content.end) == (12, 0, 5)
    assert content.keys is not None
    assert content.keys.tombstones.tolist() == [False, False]


def test_the_timestamp_is_left_out_on_demand() -> None:
    Consumer.script = [[Message(0, 0)]]
    content = LibrdkafkaReader({}, "read_uncommitted").read([span(0, 0, 1)], with_timestamp=False)["t", 0]
    assert content.hashes.tolist() == [record_hash(None, None, b"k", b"value")]


def test_headers_left_out_count_neither_in_hashes_nor_in_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Message, "headers", lambda self: [("added", b"x"), ("own", b"1"), ("added", None)])
    Consumer.script = [[Message(0, 0)], [Message(0, 0)]]
    reader = LibrdkafkaReader({}, "read_uncommitted", without_headers=["added"])
    content = reader.read([span(0, 0, 1)])["t", 0]
    assert content.hashes.tolist() == [record_hash(1000, [("own", b"1")], b"k", b"value")]
    assert reader.read_records({("t", 0): [0]})["t", 0, 0].headers == (("own", b"1"),)


def test_probe_takes_the_first_record_or_the_end() -> None:
    Consumer.script = [[Message(0, 7), Message(0, 8)], [Message(1, 99), eof(2, 5)]]
    found = LibrdkafkaReader({}, "read_uncommitted").probe([span(0, 3, 9), span(1, 0, 4), span(2, 1, 5), span(3, 2, 2)])
    assert found == {("t", 0): 7, ("t", 1): None, ("t", 2): None, ("t", 3): None}


def test_scattered_records_are_read_in_turns() -> None:
    Consumer.script = [[Message(0, 2), Message(0, 3)], [Message(0, 9)]]
    found = LibrdkafkaReader({}, "read_uncommitted").read_records({("t", 0): [9, 3, 2]})
    assert sorted(offset for _, _, offset in found) == [2, 3, 9]


def test_settings_are_refused_without_showing_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    config = {"bootstrap.servers": "x", "sasl.password": "hush-hush", "security.protocol": "hush-hush"}
    with pytest.raises(BadConnection, match=r"security\.protocol") as refused:
        LibrdkafkaReader(config, "read_uncommitted").read([span(0, 0, 1)])
    assert "hush-hush" not in str(refused.value)
    assert "hush-hush" not in repr(LibrdkafkaReader(config, "read_uncommitted"))


@pytest.mark.parametrize(("told", "meant"), [((0, 0), (0, -1)), ((1, 0), (1, 0)), ((1, 7), (1, 7)), ((2, 9), (2, 9))])
def test_a_record_of_before_kafka_0_10_has_no_timestamp_and_is_not_of_1970(
    told: tuple[int, int], meant: tuple[int, int]
) -> None:
    class Old(Message):
        def timestamp(self) -> tuple[int, int]:
            return told

    assert time_of(Old(0, 0)) == meant  # type: ignore[arg-type]
