"""The demo's data on a real broker, read back case by case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

from demo import catalogue
from demo.data import Summary, load
from demo.loader import LoadError
from demo.spec import Record, TopicSpec
from stack import Stack

pytestmark = pytest.mark.integration

SCALE = 0.01
PREFIX = "demo-data."


@pytest.fixture(scope="module")
def summary(stack: Stack) -> Summary:
    return load(stack.source_bootstrap, scale=SCALE, prefix=PREFIX)


@pytest.fixture(scope="module")
def specs(summary: Summary) -> dict[str, TopicSpec]:
    return {spec.name.removeprefix(PREFIX): spec for spec in catalogue.topics(SCALE, PREFIX)}


def read(bootstrap: str, spec: TopicSpec, isolation: str = "read_uncommitted") -> list[Message]:
    """Every record of the topic, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "demo-data-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "fetch.queue.backoff.ms": 10,
        }
    )
    consumer.assign([TopicPartition(spec.name, p, 0) for p in range(spec.partitions)])
    found: list[Message] = []
    ended: set[int] = set()
    try:
        while len(ended) < spec.partitions:
            message = consumer.poll(30)
            assert message is not None, f"{spec.name}: no record and no end within 30 s"
            if message.error():
                ended.add(message.partition())
            else:
                found.append(message)
    finally:
        consumer.close()
    return sorted(found, key=lambda m: (m.partition(), m.offset()))


def as_read(record: Record) -> tuple[object, ...]:
    """What a reader sees: [] and None are the same on the wire, a header's null is not its empty."""
    return record.key, record.value, record.timestamp, record.headers or None


def as_found(message: Message) -> tuple[object, ...]:
    return message.key(), message.value(), message.timestamp()[1], message.headers() or None


def in_partitions(records: Iterator[Record]) -> dict[int, list[tuple[object, ...]]]:
    placed: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for record in records:
        assert record.partition is not None
        placed[record.partition].append(as_read(record))
    return placed


@pytest.mark.parametrize("name", ["hard.binary", "hard-big_records"])
def test_hard_records_come_back_byte_for_byte_and_in_order(
    source_bootstrap: str, specs: dict[str, TopicSpec], name: str
) -> None:
    found: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for message in read(source_bootstrap, specs[name]):
        found[message.partition()].append(as_found(message))
    assert found == in_partitions(specs[name].all_records())


def test_flights_come_back_with_the_flights_time(source_bootstrap: str, specs: dict[str, TopicSpec]) -> None:
    for name in ("flights.departures", "flights-by-dest", "flights_cancelled", "nyc.weather_hourly-by-origin"):
        found = [as_found(m) for m in read(source_bootstrap, specs[name])]
        assert sorted(map(repr, found)) == sorted(repr(as_read(r)) for r in specs[name].all_records()), name
    keys = defaultdict(set)
    for message in read(source_bootstrap, specs["flights.departures"]):
        keys[message.key()].add(message.partition())
    assert all(len(partitions) == 1 for partitions in keys.values())


def test_last_value_per_key_of_the_compacted_topic_has_tombstones(
    source_bootstrap: str, specs: dict[str, TopicSpec]
) -> None:
    spec = specs["hard-compacted"]
    last = {m.key(): m.value() for m in read(source_bootstrap, spec)}
    assert last == {r.key: r.value for r in spec.all_records()}
    assert sum(value is None for value in last.values()) == 29


def test_aborted_records_are_in_the_log_and_hidden_from_read_committed(
    source_bootstrap: str, specs: dict[str, TopicSpec]
) -> None:
    spec = specs["hard_transactions"]
    every = read(source_bootstrap, spec)
    committed = read(source_bootstrap, spec, "read_committed")
    wanted = [r for t in spec.transactions if t.committed for r in t.records]
    assert len(every) == spec.count
    assert sorted(m.value() for m in committed) == sorted(r.value or b"" for r in wanted)
    assert {m.value()[:9] for m in committed} == {b"committed"}


def test_the_empty_topic_is_empty(source_bootstrap: str, specs: dict[str, TopicSpec]) -> None:
    assert read(source_bootstrap, specs["hard.empty"]) == []


def test_topics_have_the_configs_of_the_catalogue(source_bootstrap: str, specs: dict[str, TopicSpec]) -> None:
    admin = AdminClient({"bootstrap.servers": source_bootstrap})
    resources = [ConfigResource(ConfigResource.Type.TOPIC, spec.name) for spec in specs.values()]
    futures = admin.describe_configs(resources, request_timeout=30)
    live = {resource.name: future.result() for resource, future in futures.items()}
    for spec in specs.values():
        assert {k: live[spec.name][k].value for k in spec.config} == spec.config


def test_groups_stand_at_start_middle_and_end(source_bootstrap: str, summary: Summary) -> None:
    positions: dict[str, list[tuple[int, int]]] = {}
    for group in catalogue.groups(PREFIX):
        consumer = Consumer({"bootstrap.servers": source_bootstrap, "group.id": group.name})
        asked = [
            TopicPartition(spec.name, p)
            for spec in catalogue.topics(SCALE, PREFIX)
            if spec.name in group.topics
            for p in range(spec.partitions)
        ]
        positions[group.name.removeprefix(PREFIX)] = [
            (tp.offset, consumer.get_watermark_offsets(tp, timeout=30)[1])
            for tp in consumer.committed(asked, timeout=30)
            if tp.offset >= 0
        ]
        consumer.close()
    assert all(offset == 0 for offset, _ in positions["audit_replay"])
    assert all(offset == end for offset, end in positions["flights.dashboard"])
    assert all(offset == end // 2 for offset, end in positions["billing-nightly"])
    assert any(0 < offset < end for offset, end in positions["billing-nightly"])
    assert len(positions["weather.half-way_1"]) == 2
    assert all(positions.values())


def test_a_second_load_changes_nothing(source_bootstrap: str, summary: Summary, specs: dict[str, TopicSpec]) -> None:
    before = {name: len(read(source_bootstrap, spec)) for name, spec in specs.items()}
    again = load(source_bootstrap, scale=SCALE, prefix=PREFIX)
    assert again.written == 0
    assert (again.topics, again.records) == (summary.topics, summary.records)
    assert {name: len(read(source_bootstrap, spec)) for name, spec in specs.items()} == before


def test_another_scale_on_the_same_names_is_refused(source_bootstrap: str, summary: Summary) -> None:
    with pytest.raises(LoadError, match=r"flights\.departures ends at offset .* fresh stack"):
        load(source_bootstrap, scale=SCALE * 2, prefix=PREFIX)
