"""Two Connect workers in one group: one of them is killed in mid-copy, and its tasks move to the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka import Producer

from dag_runs import ReadQuota
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack
from witness import sent_again

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

RECORDS, SIZE, PARTITIONS = 120_000, 500, 8


@pytest.fixture(scope="module")
def pair() -> Iterator[Stack]:
    with own_stack("two-workers", connect="x2") as stack:
        yield stack


@pytest.fixture
def two(pair: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    """With its connections; healed afterwards."""
    use(pair, monkeypatch, tmp_path)
    yield pair
    pair.up()


def fill(stack: Stack, topic: str) -> None:
    admin = KafkaAdmin(stack.client_settings("source"), "source")
    admin.create_topics([DesiredTopic(topic, topic, PARTITIONS, 1, {"retention.ms": "-1"})])
    admin.wait_until_usable([(topic, number) for number in range(PARTITIONS)], 60)
    admin.commit({f"{topic}-g": {(topic, 0): 40}})
    producer = Producer({**stack.client_settings("source"), "acks": "all", "linger.ms": 20})
    body = os.urandom(SIZE)
    for number in range(RECORDS):
        while True:
            try:
                producer.produce(topic, b"%08d" % number + body, b"k%d" % (number % 500), number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0


def where(stack: Stack, asked: int, migration: str) -> dict[int, str]:
    """Task of the source connector to the worker it runs on, as a worker says."""
    name = f"mirror_maker2_on_connect.{migration}.MirrorSourceConnector"
    found = requests.get(f"{stack.workers[asked].url}/connectors/{name}/status", timeout=30).json()
    return {task["id"]: f"{task['worker_id']} {task['state']}" for task in found["tasks"]}


def until(what: Callable[[], bool], seconds: float) -> float:
    begun = time.monotonic()
    while not what():
        assert time.monotonic() < begun + seconds
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.mark.parametrize("killed", [1, 0], ids=["the-other", "the-one-asked"])
def test_a_killed_workers_tasks_go_on_on_the_other(two: Stack, killed: int, topic_prefix: str) -> None:
    """The one that the connection names comes back, as a pod does; the other stays away."""
    topic, migration, quota = f"{topic_prefix}orders", f"{topic_prefix}m", ReadQuota(two)
    fill(two, topic)
    target = KafkaAdmin(two.client_settings("target"), "target")
    places = [(topic, number) for number in range(PARTITIONS)]

    def there() -> int:
        return sum(target.offsets(places, "latest", "read_uncommitted").values())

    names: dict[str, Any] = {"topics": [topic], "groups": [f"{topic}-g"], "migration": migration}
    run = Run("mirror_maker2_on_connect", **names, tasks_max=4, duplicates="explain", running_timeout=120)
    run.plan()
    run.provision()
    both = {f"127.0.0.1:{worker.url.rpartition(':')[2]} RUNNING" for worker in two.workers}
    left = f"127.0.0.1:{two.workers[1 - killed].url.rpartition(':')[2]} RUNNING"
    quota(300_000)  # of each client: the copy takes most of a minute
    try:
        run.deploy()
        run.wait_until_running()
        until(lambda: there() > 0, 60)
        until(lambda: set(where(two, 0, migration).values()) == both, 30)  # each has a share
        two.workers[killed].kill9()
        copied = there()
        assert copied < RECORDS, "the copy was over before the kill"
        if killed:
            moved = until(lambda: set(where(two, 0, migration).values()) == {left}, 60)
            print(f"all tasks run on the other worker {moved:.0f} s after the kill")
        else:
            moved = until(lambda: set(where(two, 1, migration).values()) == {left}, 60)
            print(f"all tasks run on the other worker {moved:.0f} s after the kill; the killed one comes back now")
            two.workers[killed].restart()
        quota(0)
        run.wait_until_running()
        run.prove()
    finally:
        quota(0)
        run.remove()
    report = run.report()

    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    (line,) = report["topics"]
    assert (line["lost"], line["reordered"]) == (0, 0)
    again = sent_again(two, [topic])
    print(f"{copied} of {RECORDS} records were there at the kill; {again} were sent again")
    assert line["duplicated"] == again, "what was sent again is told"
    made = {check["name"]: check["status"] for check in report["checks"]}
    assert (made["group_offsets"], made["leftovers"]) == ("pass", "pass")
