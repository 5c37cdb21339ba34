"""Faults planted on real Kafka: each must be found and named, and none invented."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.jobs.migration.live import fingerprint_process
from kafka_ferry.jobs.migration.live.fingerprint_process import compare_partitions
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.job import PartitionJob, PartitionResult
from kafka_ferry.records.translate import GroupMark

pytestmark = pytest.mark.integration

Fields = dict[str, Any]
MakeTopics = Callable[..., list[str]]
Produce = Callable[..., None]
T0 = 1_700_000_000_000


class Pair:
    """A topic on the source and one on the target, with what the tests do to them."""

    def __init__(self, source: str, target: str, topic: str, make: MakeTopics, produce: Produce) -> None:
        self.source, self.target, self.topic, self._make, self._produce = source, target, topic, make, produce

    def create(self, partitions: int = 1, **config: str) -> None:
        self._make(self.source, self.topic, partitions=partitions, config=config)
        self._make(self.target, self.topic, partitions=partitions, config=config)

    def write(self, bootstrap: str, records: list[Fields]) -> None:
        self._produce(bootstrap, self.topic, [{"partition": 0, **record} for record in records])

    def copy(self, change: Callable[[list[Fields]], list[Fields]] = list, isolation: str = "read_committed") -> None:
        """A plain consumer and producer, with a fault planted between them."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.source,
                "group.id": "copy",
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(self.topic, 0, 0)])
        records: list[Fields] = []
        while True:
            message = consumer.poll(20)
            assert message is not None
            if message.error():
                break
            records.append(
                {
                    "key": message.key(),
                    "value": message.value(),
                    "headers": message.headers() or [],
                    "timestamp": message.timestamp()[1],
                }
            )
        consumer.close()
        self.write(self.target, change(records))

    def ends(self, bootstrap: str, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED) -> tuple[int, int]:
        admin = AdminClient({"bootstrap.servers": bootstrap})
        place = TopicPartition(self.topic, 0)
        begin, end = (
            admin.list_offsets({place: spec}, isolation_level=isolation)[place].result(30).offset
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        )
        return begin, end

    def job(self, isolation: str = "read_committed", **more: Any) -> PartitionJob:
        level = IsolationLevel.READ_COMMITTED if isolation == "read_committed" else IsolationLevel.READ_UNCOMMITTED
        target_begin, target_end = self.ends(self.target)
        begin, end = self.ends(self.source, level)
        return PartitionJob(self.topic, self.topic, 0, begin, end, end, target_begin, target_end, **more)

    def compare(self, isolation: str = "read_committed", **more: Any) -> PartitionResult:
        configs = {"bootstrap.servers": self.source}, {"bootstrap.servers": self.target}
        without = more.pop("without_headers", ())
        jobs = [self.job(isolation, **more)]
        return compare_partitions(*configs, jobs, isolation, processes=1, without_headers=without)[0]


@pytest.fixture(params=["never", "always"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading must find the same."""
    monkeypatch.setenv("FERRY_NATIVE", request.param)
    return str(request.param)


@pytest.fixture
def pair(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: MakeTopics, produce: Produce
) -> Pair:
    return Pair(source_bootstrap, target_bootstrap, f"{topic_prefix}verified", make_topics, produce)


def some_records(count: int = 20) -> list[Fields]:
    """Numbered records with every kind of emptiness among them."""
    records: list[Fields] = [
        {"key": f"k{i}", "value": f"v{i}", "headers": [("n", b"%d" % i), ("n", b"again")], "timestamp": T0 + i}
        for i in range(count)
    ]
    records[7] |= {"key": None, "headers": [("h", None)]}
    records[8] |= {"key": b"", "headers": [("h", b"")]}
    records[9] |= {"value": None, "headers": []}
    records[10] |= {"value": b""}
    return records


def told(result: PartitionResult) -> list[str]:
    return [str(difference) for difference in result.comparison.differences]


def edit(at: int, **fields: Any) -> Callable[[list[Fields]], list[Fields]]:
    return lambda records: [record | fields if i == at else record for i, record in enumerate(records)]


def test_a_faithful_copy_passes(pair: Pair) -> None:
    pair.create()
    pair.write(pair.source, some_records())
    pair.copy()
    result = pair.compare()
    assert result.comparison.status == "pass"
    assert result.source == result.target
    assert result.source.count == 20
    assert PartitionResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    "fault, expected",
    [
        (lambda records: records[:4] + records[5:], "1 lost: source offset 4"),
        (lambda records: records[:6] + records[5:], "1 duplicated: source offset 5, target offset 6"),
        (edit(3, value=b"other"), "1 altered (value): source offset 3, target offset 3"),
        (edit(3, key=b"other"), "1 altered (key): source offset 3, target offset 3"),
        (edit(3, timestamp=T0), "1 altered (timestamp: -3 ms): source offset 3, target offset 3"),
        (edit(3, headers=[("n", b"3"), ("n", b"x")]), "1 altered (header 'n'): source offset 3, target offset 3"),
        (
            edit(3, headers=[("n", b"again"), ("n", b"3")]),
            "1 altered (header: in another order): source offset 3, target offset 3",
        ),
        (
            edit(3, headers=[("n", b"Mw=="), ("n", b"YWdhaW4=")]),
            "1 altered (header: base64 text of the source's; the connector lacks header.converter=ByteArrayConverter): "
            "source offset 3, target offset 3",
        ),
        (edit(3, headers=[]), "1 altered (header: 2 became 0): source offset 3, target offset 3"),
        (edit(8, key=None), "1 altered (key: empty became null): source offset 8, target offset 8"),
        (edit(7, key=b""), "1 altered (key: null became empty): source offset 7, target offset 7"),
        (edit(10, value=None), "1 altered (value: empty became null): source offset 10, target offset 10"),
        (edit(9, value=b""), "1 altered (value: null became empty): source offset 9, target offset 9"),
        (
            edit(8, headers=[("h", None)]),
            "1 altered (header 'h': empty became null): source offset 8, target offset 8",
        ),
        (lambda records: [*records[:4], {"value": b"rogue"}, *records[4:]], "1 unexpected: target offset 4"),
    ],
)
def test_a_planted_fault_is_the_only_one_named(
    pair: Pair, fault: Callable[[list[Fields]], list[Fields]], expected: str
) -> None:
    pair.create()
    pair.write(pair.source, some_records())
    pair.copy(fault)
    result = pair.compare()
    assert result.comparison.status == "fail"
    assert told(result) == [expected]
    assert result.source != result.target


def test_a_header_that_the_replicator_added_can_be_left_out(pair: Pair) -> None:
    def mark(records: list[Fields]) -> list[Fields]:
        return [{**one, "headers": [*one["headers"], ("__mskmr", b"cluster,topic")]} for one in records]

    pair.create()
    pair.write(pair.source, some_records())
    pair.copy(mark)
    assert pair.compare().comparison.status == "fail"
    result = pair.compare(without_headers=["__mskmr"])
    assert (result.comparison.status, result.comparison.target_records) == ("pass", 20)


def test_two_swapped_records_are_reordered(pair: Pair) -> None:
    pair.create()
    pair.write(pair.source, some_records())
    pair.copy(lambda records: [*records[:4], records[5], records[4], *records[6:]])
    result = pair.compare()
    assert (result.comparison.status, result.comparison.reordered, result.comparison.lost) == ("fail", 1, 0)
    assert told(result)[0] in (
        "1 reordered: source offset 4, target offset 5",
        "1 reordered: source offset 5, target offset 4",
    )
    assert result.source.sum == result.target.sum
    assert result.source.ordered != result.target.ordered


def test_log_append_time_on_the_target_leaves_the_timestamp_out(pair: Pair) -> None:
    pair._make(pair.source, pair.topic)
    pair._make(pair.target, pair.topic, config={"message.timestamp.type": "LogAppendTime"})
    pair.write(pair.source, some_records())
    pair.copy()
    assert pair.compare().comparison.altered == 20
    assert pair.compare(with_timestamp=False).comparison.status == "pass"


def transactions(pair: Pair, plan: str) -> None:
    """Write one transaction of three records per letter: c(ommitted) or a(borted)."""
    producer = Producer({"bootstrap.servers": pair.source, "transactional.id": pair.topic})
    producer.init_transactions(30)
    for number, outcome in enumerate(plan):
        producer.begin_transaction()
        for i in range(3):
            producer.produce(pair.topic, value=f"{outcome}{number}.{i}".encode(), partition=0)
        producer.flush(30)
        producer.commit_transaction(30) if outcome == "c" else producer.abort_transaction(30)
    deadline = time.monotonic() + 30  # the last marker lands after the call: ListOffsets right after it is one short
    while pair.ends(pair.source)[1] < 4 * len(plan):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("isolation, expected", [("read_committed", 9), ("read_uncommitted", 15)])
@pytest.mark.parametrize("plan", ["cacac", "ccaca"])
def test_transactions_at_both_isolation_levels(pair: Pair, isolation: str, expected: int, plan: str) -> None:
    """Markers shift offsets and end the log; the last transaction may be aborted: the reader must end all the same."""
    pair.create()
    transactions(pair, plan)
    pair.copy(isolation=isolation)
    started = time.monotonic()
    result = pair.compare(isolation, marks=(GroupMark("middle", 8, 6 if isolation == "read_uncommitted" else None),))
    assert time.monotonic() - started < 10
    assert result.comparison.status == "pass"
    assert result.source.count == expected
    before = sum(3 for outcome in plan[:2] if outcome == "c" or isolation == "read_uncommitted")
    assert result.groups[0].expected_offset == before


def test_aborted_records_that_were_copied_are_unexpected(pair: Pair) -> None:
    pair.create()
    transactions(pair, "cac")
    pair.copy(isolation="read_uncommitted")
    assert told(pair.compare("read_committed")) == ["3 unexpected: target offsets 3-5"]


def test_probe_tells_markers_from_records(pair: Pair) -> None:
    pair.create()
    transactions(pair, "ca")  # 0-2 records, 3 marker, 4-6 aborted, 7 marker
    config = {"bootstrap.servers": pair.source}
    key = (pair.topic, 0)
    cases = [
        ("read_committed", 2, 2),
        ("read_committed", 3, None),
        ("read_committed", 7, None),
        ("read_uncommitted", 3, 4),
        ("read_uncommitted", 7, None),
    ]
    for isolation, begin, first in cases:
        with LibrdkafkaReader(config, isolation) as reader:
            started = time.monotonic()
            assert reader.probe([PartitionRange(pair.topic, 0, begin, 8)]) == {key: first}
            assert time.monotonic() - started < 5


def test_probe_of_an_open_transaction_is_undecided(pair: Pair) -> None:
    pair.create()
    producer = Producer({"bootstrap.servers": pair.source, "transactional.id": pair.topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(pair.topic, value=b"open", partition=0)
    producer.flush(30)
    config = {"bootstrap.servers": pair.source}
    with LibrdkafkaReader(config, "read_committed", stall_seconds=2) as reader:
        with pytest.raises(TransientError, match=r"\[0, 1\) is at 0.*open transaction"):
            reader.probe([PartitionRange(pair.topic, 0, 0, 1)])
        producer.commit_transaction(30)
        assert reader.probe([PartitionRange(pair.topic, 0, 0, 1)]) == {(pair.topic, 0): 0}


def test_reading_stops_at_the_end_of_a_growing_log(pair: Pair) -> None:
    pair.create(partitions=2)
    records = [{"partition": i % 2, "value": b"%d" % i} for i in range(4000)]
    pair._produce(pair.source, pair.topic, records)
    with LibrdkafkaReader({"bootstrap.servers": pair.source}, "read_uncommitted") as reader:
        for _ in range(2):  # the second time over the same consumer
            found = reader.read([PartitionRange(pair.topic, 0, 5, 17), PartitionRange(pair.topic, 1, 0, 2000)])
            assert found[pair.topic, 0].offsets.tolist() == list(range(5, 17))
            assert found[pair.topic, 1].offsets.tolist() == list(range(2000))
        records_read = reader.read_records({(pair.topic, 0): [1900, 3, 4], (pair.topic, 1): [0, 999_999_999 % 2000]})
    assert {offset for _, _, offset in records_read} == {3, 4, 1900, 0, 1999}
    assert records_read[pair.topic, 0, 4].value == b"8"


def test_a_trimmed_head(pair: Pair) -> None:
    pair.create()
    pair.write(pair.source, some_records())
    pair.copy()
    admin = AdminClient({"bootstrap.servers": pair.source})
    for future in admin.delete_records([TopicPartition(pair.topic, 0, 6)]).values():
        future.result(30)
    result = pair.compare(marks=(GroupMark("old", 2, 6), GroupMark("behind", 10, 8), GroupMark("ahead", 10, 12)))
    assert (result.comparison.status, result.comparison.expired) == ("explained", 6)
    assert told(result) == ["6 expired: target offsets 0-5"]
    assert [(line.status, line.redelivered, line.skipped) for line in result.groups] == [
        ("exact", 0, 0),
        ("redelivered", 2, 0),
        ("skipped", 0, 2),
    ]
    job = replace(pair.job(), source_begin=0)
    configs = {"bootstrap.servers": pair.source}, {"bootstrap.servers": pair.target}
    with pytest.raises(TransientError, match=r"verified-0 \[0, 20\): offset out of range"):
        compare_partitions(*configs, [job], "read_committed", processes=1)


def test_an_empty_topic(pair: Pair) -> None:
    pair.create()
    result = pair.compare(marks=(GroupMark("idle", 0, 0),))
    assert (result.comparison.status, result.source.count) == ("pass", 0)
    assert (result.groups[0].status, result.groups[0].expected_offset) == ("exact", 0)


def test_a_record_of_one_megabyte(pair: Pair) -> None:
    pair.create(**{"max.message.bytes": "2097152"})
    big = os.urandom(1 << 20)
    settings = {"message.max.bytes": 2_000_000}
    for bootstrap in (pair.source, pair.target):
        pair._produce(bootstrap, pair.topic, [{"value": big, "timestamp": T0, "partition": 0}], **settings)
    result = pair.compare()
    assert (result.comparison.status, result.source.bytes) == ("pass", 1 << 20)


def test_a_compacted_topic_counts_the_last_value_of_each_key(pair: Pair) -> None:
    """The target gets the last values only, in a denser log, as after the source's cleaner had run."""
    pair.create(**{"cleanup.policy": "compact"})
    source: list[Fields] = [{"key": f"k{i % 5}", "value": f"v{i}", "timestamp": T0 + i} for i in range(20)]
    source.append({"key": "k0", "value": None, "timestamp": T0 + 20})
    pair.write(pair.source, source)
    pair.write(pair.target, source[16:20])
    assert pair.compare().comparison.status == "fail"
    result = pair.compare(mode="last_value")
    assert (result.comparison.status, result.comparison.source_records) == ("pass", 4)
    pair.write(pair.target, [source[0]])
    assert told(pair.compare(mode="last_value")) == [
        "1 stale (value: null became content, timestamp: -20 ms): source offset 20, target offset 4"
    ]


def test_several_processes_answer_like_one(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, make_topics: MakeTopics, produce: Produce
) -> None:
    monkeypatch.setattr(fingerprint_process, "MIN_RECORDS_PER_PROCESS", 1)
    partitions = 4
    pair.create(partitions=partitions)
    records: list[Fields] = [{"partition": i % partitions, "value": b"%d" % i, "timestamp": T0 + i} for i in range(400)]
    produce(pair.source, pair.topic, records)
    produce(pair.target, pair.topic, [record for i, record in enumerate(records) if i != 41])
    configs = {"bootstrap.servers": pair.source}, {"bootstrap.servers": pair.target}
    jobs = [
        PartitionJob(pair.topic, pair.topic, i, 0, 100, 100, 0, 99 if i == 1 else 100, marks=(GroupMark("g", 50, 50),))
        for i in range(partitions)
    ]
    alone = compare_partitions(*configs, jobs, "read_committed", processes=1)
    together = compare_partitions(*configs, jobs, "read_committed", processes=3)
    assert together == alone
    assert [result.comparison.status for result in together] == ["pass", "fail", "pass", "pass"]
    assert told(together[1]) == ["1 lost: source offset 10"]
    assert together[1].groups[0].skipped == 1


def test_an_error_in_a_process_keeps_its_class_and_shows_no_secret(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint_process, "MIN_RECORDS_PER_PROCESS", 1)
    pair.create(partitions=2)
    jobs = [PartitionJob(pair.topic, pair.topic, i, 0, 9, 9, 0, 9) for i in range(2)]
    good = {"bootstrap.servers": pair.source, "sasl.password": "hush-hush"}
    with pytest.raises(BadConnection, match="no-such-setting") as refused:
        compare_partitions(good, good | {"no-such-setting": "1"}, jobs, "read_committed", processes=2)
    with pytest.raises(TransientError, match="end not reached") as stalled:
        compare_partitions(good, good, jobs, "read_committed", processes=2, stall_seconds=1)
    assert "hush-hush" not in f"{refused.value}{stalled.value}"


def test_processes_end_when_their_parent_is_killed(pair: Pair, tmp_path: Path) -> None:
    """kill -9 of a task process must not leave readers behind."""
    pair.create(partitions=2)
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        "from kafka_ferry.jobs.migration.live import fingerprint_process as f\n"
        "from kafka_ferry.records.job import PartitionJob\n"
        "f.MIN_RECORDS_PER_PROCESS = 1\n"
        f"config = {{'bootstrap.servers': {pair.source!r}}}\n"
        f"jobs = [PartitionJob({pair.topic!r}, {pair.topic!r}, i, 0, 9, 9, 0, 9) for i in range(2)]\n"
        "f.compare_partitions(config, config, jobs, 'read_committed', processes=2, stall_seconds=300)\n"
    )
    package = str(Path(fingerprint_process.__file__).parents[4])
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": package})
    try:
        deadline = time.monotonic() + 30
        while len(started := psutil.Process(parent.pid).children()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)  # let them begin to wait for records that never come
        assert all(child.is_running() for child in started)
    finally:
        parent.kill()
        parent.wait()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
