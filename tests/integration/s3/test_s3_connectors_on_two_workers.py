"""Our S3 sink and source on two workers of one group, of which one is killed, or stands still and comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from confluent_kafka import Producer

from dag_runs import ReadQuota
from own_stacks import own_stack, use
from s3_connectors import S3Connectors, content, hashes
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

RECORDS, PARTITIONS = 120_000, 6


@pytest.fixture(scope="module")
def s3_pair() -> Iterator[Stack]:
    with own_stack("s3-two-workers", s3_connectors=True, exactly_once=True, connect="x2") as stack:
        yield stack


@pytest.fixture
def two(s3_pair: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    """With its connections; healed afterwards."""
    use(s3_pair, monkeypatch, tmp_path)
    yield s3_pair
    s3_pair.up()


def fill(stack: Stack, topic: str) -> None:
    producer = Producer({**stack.client_settings("source"), "acks": "all", "linger.ms": 20})
    body = os.urandom(300)
    for number in range(RECORDS):
        while True:
            try:
                producer.produce(topic, b"%08d" % number + body, b"k%d" % (number % 500), number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0


def where(pair: S3Connectors, stack: Stack, kind: str) -> set[str]:
    """Workers that run a connector's tasks, as the first one says."""
    found = requests.get(f"{stack.workers[0].url}/connectors/{pair.name(kind)}/status", timeout=30).json()
    return {task["worker_id"].rpartition(":")[2] for task in found.get("tasks", ()) if task["state"] == "RUNNING"}


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_what_a_worker_leaves_goes_on_on_the_other_and_is_there_once(
    two: Stack, topic_prefix: str, make_topics: object, fault: str
) -> None:
    topic, quota = f"{topic_prefix}orders", ReadQuota(two)
    make_topics(two.source_bootstrap, topic, partitions=PARTITIONS)  # type: ignore[operator]
    make_topics(two.target_bootstrap, topic, partitions=PARTITIONS)  # type: ignore[operator]
    fill(two, topic)
    there = content("kafka_source", [topic], PARTITIONS)
    pair = S3Connectors(two, f"{topic_prefix}e")
    ports = [worker.url.rpartition(":")[2] for worker in two.workers]

    def stored() -> int:
        return sum(map(len, pair.stored().values()))

    quota(300_000)  # of each client: the copy takes most of a minute
    try:
        sessions = {
            "consumer__override__session__timeout__ms": 6000,
            "consumer__override__heartbeat__interval__ms": 1500,
        }
        pair.deploy("sink", topics=topic, tasks__max=PARTITIONS, flush__size=500, **sessions)
        pair.deploy("source", tasks__max=PARTITIONS)
        pair.until(lambda: where(pair, two, "sink") == where(pair, two, "source") == set(ports), 90)
        pair.until(lambda: stored() > RECORDS // 20, 120)
        two.workers[1].kill9() if fault == "killed" else two.workers[1].pause()
        before = stored()
        assert before < RECORDS, "the copy was over before the fault"
        moved = pair.until(lambda: where(pair, two, "sink") == where(pair, two, "source") == {ports[0]}, 90)
        pair.until(lambda: stored() > before + RECORDS // 20, 120)
        print(f"{before} records were in S3; {moved:.0f} s later all tasks ran on the other worker")
        two.workers[1].restart() if fault == "killed" else two.workers[1].resume()
        time.sleep(5)  # it wakes with what it held
    finally:
        quota(0)
    # What stood still may see that others took over, and fail: then the task is begun again, as people do.
    deadline = time.monotonic() + 180
    while stored() < RECORDS or hashes(content("kafka_target", [topic], PARTITIONS)) != hashes(there):
        assert time.monotonic() < deadline, (stored(), pair.tasks("sink"), pair.tasks("source"))
        for kind in ("sink", "source"):
            if failed := [trace for state, trace in pair.tasks(kind) if state == "FAILED"]:
                print(f"a task of the {kind} failed: {failed[0].splitlines()[0][:200]}")
                assert "another task has written" in failed[0] or "Fenced" in failed[0], failed[0][:2000]
                pair.tell(kind, "restart?includeTasks=true&onlyFailed=true")
        time.sleep(1)
    assert pair.stored() == there, "in S3 each record is there once, at its offset"
    assert hashes(content("kafka_target", [topic], PARTITIONS)) == hashes(there), "and in the target, in its order"
    pair.remove()
