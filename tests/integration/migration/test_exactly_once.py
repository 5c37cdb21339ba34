"""MirrorMaker 2 in transactions: a killed worker repeats nothing, and groups stay exact though offsets shift."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

RECORDS = 200_000


@pytest.fixture(scope="module")
def transactional() -> Iterator[Stack]:
    with own_stack("exactly-once", exactly_once=True) as stack:
        yield stack


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Stack], None]:
    return lambda stack: use(stack, monkeypatch, tmp_path)


def test_a_worker_that_cannot_is_refused_in_the_plan(
    stack: Stack, of: Callable[[Stack], None], topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    of(stack)
    topic = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic)
    produce(stack.source_bootstrap, topic, 10)
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[], migration=f"{topic_prefix}m", exactly_once=True)
    with pytest.raises(AirflowFailException, match=r"exactly_once.*Fix: exactly\.once\.source\.support"):
        run.plan()


def test_a_killed_worker_repeats_nothing(
    transactional: Stack, of: Callable[[Stack], None], topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    of(transactional)
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}g"
    make_topics(transactional.source_bootstrap, topic, partitions=4)
    records = ({"key": b"k%d" % n, "value": b"v%d" % n * 20, "partition": n % 4} for n in range(RECORDS))
    produce(transactional.source_bootstrap, topic, records)
    places = [(topic, number) for number in range(4)]
    admin = KafkaAdmin(transactional.client_settings("source"), "source")
    admin.commit({group: dict.fromkeys(places, 30_000)})
    target = KafkaAdmin(transactional.client_settings("target"), "target")
    names = {"topics": [topic], "groups": [group], "migration": f"{topic_prefix}m"}
    run = Run("mirror_maker2_on_connect", **names, exactly_once=True, duplicates="fail", running_timeout=180)
    run.plan()
    run.provision()
    try:
        run.deploy()
        run.wait_until_running()
        seen = 0
        for _ in range(2):
            deadline = time.monotonic() + 120
            while (there := sum(target.offsets(places, "latest", "read_uncommitted").values())) <= seen:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            seen = there
            transactional.worker.kill9()
            transactional.worker.restart()
        assert seen < RECORDS, "the worker was killed in mid-copy"
        run.wait_until_running()
        run.prove()
    finally:
        run.remove()
    report = run.report()

    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    made = {check["name"]: check["status"] for check in report["checks"]}
    assert (made["counts"], made["content"], made["group_offsets"]) == ("pass", "pass", "pass")
    ends = target.offsets(places, "latest", "read_committed")
    assert sum(ends.values()) > RECORDS, "markers of transactions have offsets, too"
    committed = target.committed([group])[group]
    assert set(committed) == set(places)
    assert any(offset > 30_000 for offset in committed.values()), "the same record, further on"
