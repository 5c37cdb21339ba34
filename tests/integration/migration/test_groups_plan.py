"""The dry table of group offsets on real clusters: what it says, and what 500 groups on 100 partitions take."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.planning import make_plan
from kafka_ferry.jobs.migration.plan_text import plan_text
from kafka_ferry.jobs.migration.rules.groups_plan import KEPT
from kafka_ferry.jobs.migration.rules.plan import MigrationPlan
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.report.artifacts import GROUPS_PLAN
from stack import Stack

pytestmark = pytest.mark.integration

GROUPS, TOPICS, PARTITIONS = 500, 5, 20
SECONDS = 10  # measured: below 1 s each; a loop with a call per partition would take minutes


@contextmanager
def timed(took: dict[str, float], what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    took[what] = time.monotonic() - begun


def test_the_plan_says_where_groups_stand_and_names_the_active(
    stack: Stack, connections: dict[str, str], topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, fresh, there, busy = (f"{topic_prefix}{name}" for name in ("t", "fresh", "there", "busy"))
    make_topics(stack.source_bootstrap, topic)
    make_topics(stack.target_bootstrap, topic)
    produce(stack.source_bootstrap, topic, 100)
    source, target = (
        KafkaAdmin({"bootstrap.servers": stack.source_bootstrap}, "source"),
        KafkaAdmin({"bootstrap.servers": stack.target_bootstrap}, "target"),
    )
    source.commit({fresh: {(topic, 0): 10}, there: {(topic, 0): 100}, busy: {(topic, 0): 30}})
    target.commit({there: {(topic, 0): 0}})
    consumer = Consumer(
        {"bootstrap.servers": stack.target_bootstrap, "group.id": busy, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        deadline = time.monotonic() + 30
        while target.consumer_groups().get(busy) != "STABLE":
            assert time.monotonic() < deadline
            consumer.poll(0.1)
        plan = plan_of(topic, topic_prefix)
    finally:
        consumer.close()

    lines = {line.group: line for line in plan.group_offsets.first}
    assert {group: (line.source_offset, line.lag, line.action) for group, line in lines.items()} == {
        fresh: (10, 90, "compute"),
        there: (100, 0, "there"),
        busy: (30, 70, "active"),
    }
    assert (lines[there].target_offset, lines[fresh].target_offset) == (0, None)
    assert f"groups active on the target: {busy}" in plan_text(plan)
    assert target.committed([fresh])[fresh] == {}  # a plan changes nothing


def plan_of(topics: str, topic_prefix: str, kept: dict[str, str] | None = None) -> MigrationPlan:
    params = {"topics": [topics], "groups": [f"{topic_prefix}.*"], "migration": f"{topic_prefix}m", "canary": False}
    migration = Migration("groups", MigrationSpec.from_params(params))
    return make_plan(migration, (kept if kept is not None else {}).__setitem__)


def test_500_groups_on_100_partitions_take_seconds(
    stack: Stack,
    connections: dict[str, str],
    topic_prefix: str,
    make_topics: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    topics = [f"{topic_prefix}t{i}" for i in range(TOPICS)]
    places = [(topic, partition) for topic in topics for partition in range(PARTITIONS)]
    make_topics(stack.source_bootstrap, *topics, partitions=PARTITIONS)
    make_topics(stack.target_bootstrap, *topics, partitions=PARTITIONS)
    source = KafkaAdmin({"bootstrap.servers": stack.source_bootstrap}, "source")
    target = KafkaAdmin({"bootstrap.servers": stack.target_bootstrap}, "target")
    commits = {f"{topic_prefix}g{i:03}": dict.fromkeys(places, i) for i in range(GROUPS)}
    assert source.commit(commits) == {}
    took: dict[str, float] = {}
    kept: dict[str, str] = {}

    with timed(took, "the whole plan, its table from both sides"):
        plan = plan_of(f"{topic_prefix}t.*", topic_prefix, kept)
    with timed(took, "read from the source"):
        read = source.committed(commits)
    with timed(took, "commit on the target"):
        refused = target.commit(read)
    with timed(took, "read from the target"):
        written = target.committed(commits)

    assert plan.group_offsets.lines == GROUPS * len(places)
    assert len(plan.group_offsets.first) == KEPT
    assert plan.group_offsets.artifact == GROUPS_PLAN
    assert len(json.loads(kept[GROUPS_PLAN])["lines"]) == GROUPS * len(places)
    assert read == commits == written
    assert refused == {}
    with capsys.disabled():
        figures = "; ".join(f"{what}: {seconds:.2f} s" for what, seconds in took.items())
        print(f"\n{GROUPS} groups x {len(places)} partitions: {figures}; {len(kept[GROUPS_PLAN]):,} B")
    assert max(took.values()) < SECONDS, took
    # The way a consumer of one such group sees it.
    group = f"{topic_prefix}g123"
    consumer = Consumer({"bootstrap.servers": stack.target_bootstrap, "group.id": group})
    seen = consumer.committed([TopicPartition(*tp) for tp in places], timeout=10)
    consumer.close()
    assert {place.offset for place in seen} == {123}
