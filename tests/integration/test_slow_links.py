"""Readers over slow links, which are no stalled ones: a real broker behind a proxy that holds bytes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from backup_lab import Backups
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.kafka.reading import broker_connection, broker_wire
from kafka_ferry.hooks.kafka.reading.broker_wire import Pace
from kafka_ferry.hooks.kafka.reading.column_reader import ColumnReader
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.jobs.backup.store import senders
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.verify import compare_restored
from kafka_ferry.records.content import PartitionRange
from link import Link

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of a partition were asked for, question after question."""
    found: list[int] = []
    real = Pace.partition_bytes
    monkeypatch.setattr(Pace, "partition_bytes", property(lambda pace: found.append(real.fget(pace)) or found[-1]))
    return found


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is waited for takes a tenth of the time, and less is asked for."""
    monkeypatch.setattr(broker_wire, "_FIRST_PART", 4)
    monkeypatch.setattr(broker_connection, "_SECONDS", 4.0)
    monkeypatch.setattr(broker_connection, "_SLOW", 0.2)
    monkeypatch.setattr(broker_wire, "_LONG", 0.4)
    monkeypatch.setattr(broker_wire, "_SHORT", 0.1)


def filled(cluster: str, topic: str, megabytes: int, make_topics: Make, produce: Make) -> list[PartitionRange]:
    """A topic of two partitions with so much in each that does not pack."""
    make_topics(cluster, topic, partitions=2)
    count = megabytes * 50
    for partition in range(2):
        own = ({"key": b"%d" % n, "value": os.urandom(20_000), "partition": partition} for n in range(count))
        produce(cluster, topic, own, **{"batch.size": 200_000})
    return [PartitionRange(topic, partition, 0, count) for partition in range(2)]


def hashes(config: dict[str, Any], spans: list[PartitionRange], stall_seconds: float = 30) -> dict[Any, list[int]]:
    with ColumnReader(config, "read_committed", stall_seconds, native=True) as reader:
        found: dict[Any, list[int]] = {span.key: [] for span in spans}
        for key, columns in reader.stream(spans):
            found[key] += columns.hashes.tolist()
    return found


def test_a_topic_comes_whole_over_a_slow_link_that_stands_still_once(
    seconds: None, asked: list[int], source_bootstrap: str, topic_prefix: str, make_topics: Make, produce: Make
) -> None:
    spans = filled(source_bootstrap, f"{topic_prefix}slow", 1, make_topics, produce)
    expected = hashes({"bootstrap.servers": source_bootstrap}, spans)
    asked.clear()
    with Link(source_bootstrap, 400_000, stall_at=300_000, stall_seconds=3, rewrites=True) as link:
        begun = time.monotonic()
        found = hashes({"bootstrap.servers": link.address}, spans, stall_seconds=5)
        assert time.monotonic() - begun > 7, "longer than any time-out; the first answer alone takes more than 4 s"
    assert found == expected
    assert link.total > 2_000_000
    assert link.connections == 2, "none was given up: one that asks who leads, one that reads"
    assert max(asked) == 256 * 1024
    assert min(asked) == 64 * 1024, "less is asked for where it takes long"


@pytest.mark.nightly
def test_a_link_that_stands_still_for_longer_is_taken_up_again(
    seconds: None, asked: list[int], source_bootstrap: str, topic_prefix: str, make_topics: Make, produce: Make
) -> None:
    spans = filled(source_bootstrap, f"{topic_prefix}cut", 1, make_topics, produce)
    expected = hashes({"bootstrap.servers": source_bootstrap}, spans)
    with Link(source_bootstrap, 2_000_000, stall_at=500_000, stall_seconds=7, rewrites=True) as link:
        assert hashes({"bootstrap.servers": link.address}, spans, stall_seconds=15) == expected
    assert link.connections > 2
    with (
        Link(source_bootstrap, 2_000_000, stall_at=500_000, stall_seconds=60, rewrites=True) as link,
        pytest.raises(TransientError, match=r"no records for 6 s.*last error: nothing came from the broker for 4 s"),
    ):
        hashes({"bootstrap.servers": link.address}, spans, stall_seconds=6)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("speed", "megabytes", "stall"),
    [(300_000, 6, 20.0), (50_000, 1, 0.0), (20_000, 1, 0.0)],
)
@pytest.mark.parametrize("way", ["always", "never"])
def test_with_the_time_outs_of_every_day(
    way: str,
    speed: int,
    megabytes: int,
    stall: float,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Make,
    produce: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spans = filled(source_bootstrap, f"{topic_prefix}slow", megabytes, make_topics, produce)
    expected = hashes({"bootstrap.servers": source_bootstrap}, spans)
    monkeypatch.setenv("FERRY_NATIVE", way)
    with Link(source_bootstrap, speed, stall_at=megabytes * 500_000, stall_seconds=stall, rewrites=True) as link:
        begun = time.monotonic()
        with LibrdkafkaReader({"bootstrap.servers": link.address}, "read_committed") as reader:
            found = {key: one.hashes.tolist() for key, one in reader.read(spans).items()}
        print(f"{speed} B/s, {way}: {link.total} bytes, {time.monotonic() - begun:.0f} s, {link.connections} links")
    assert found == expected
    assert link.connections == 2, "none was given up"


@pytest.mark.nightly
@pytest.mark.parametrize("way", ["always", "never"])
def test_a_restore_over_a_slow_link_waits_for_as_long_as_records_arrive(
    way: str,
    connections: dict[str, str],
    source_bootstrap: str,
    target_bootstrap: str,
    topic_prefix: str,
    make_topics: Make,
    produce: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled(source_bootstrap, f"{topic_prefix}slow", 3, make_topics, produce)
    backups, memory = Backups(topic_prefix), {}
    backups.export(backups.begin("b01"))
    restore_run = backups.restore_run()
    restore_run.provision(memory)
    ranges = restore_run.ranges()
    monkeypatch.setenv("FERRY_NATIVE", way)
    monkeypatch.setattr(senders, "_FLUSH_SECONDS", 5.0)
    monkeypatch.setattr(senders, "_WAIT_SECONDS", 1.0)
    with Link(target_bootstrap, 300_000, rewrites=True) as link:
        begun = time.monotonic()
        done = restore_shard({**restore_run.config, "bootstrap.servers": link.address}, restore_run.store, ranges)
        assert time.monotonic() - begun > 15
    assert done.records == 300
    lines = compare_restored(restore_run.config, restore_run.store, ranges)
    assert [line.detail for line in lines if not line.same] == []
    restore_run.release(memory)
