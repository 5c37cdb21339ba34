"""How long nobody can write, at 2,000 records/s and with 2,000 partitions: prints the figures of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from statistics import median
from typing import Any

import pytest

from cutover_lab import Application, CutoverRun, Hook, Lab, ids_from
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_800)]


def cut_over(
    lab: Lab, replicate: Callable[..., Any], make_topics: Any, webhooks: Callable[[str, str], None], name: str,
    topics: int, partitions: int, rate: float,
) -> dict[str, Any]:  # fmt: skip
    """``cutover`` of one wave under load; every id was consumed once."""
    with closing(Lab(lab.stack, f"{lab.prefix}{name}-")) as own:
        return _cut_over(own, replicate, make_topics, webhooks, name, topics, partitions, rate)


def _cut_over(
    own: Lab, replicate: Callable[..., Any], make_topics: Any, webhooks: Callable[[str, str], None], name: str,
    topics: int, partitions: int, rate: float,
) -> dict[str, Any]:  # fmt: skip
    names = [f"{own.prefix}t{number:03}" for number in range(topics)]
    make_topics(own.stack.client_settings("source"), *names, partitions=partitions)
    # A broker that leads them all by the metadata does not yet do so.
    source = KafkaClusterHook("kafka_source").admin
    source.wait_until_usable([(topic, partition) for topic in names for partition in range(partitions)], 120)
    application = Application(own, names, partitions, rate=rate / 3)
    application.start(["plain", "idempotent", "transactional"], [f"{own.prefix}billing"])
    application.wait_for(int(rate * 5), 120)
    resting = {
        f"{own.prefix}resting-{n}": {(names[n % topics], n % partitions): n, (names[-1], 0): 1} for n in range(20)
    }
    for group, offsets in resting.items():
        own.commit(group, offsets)
    migration = replicate(own.prefix).migration
    try:
        with Hook(lambda _: application.switch()).serving() as hook:
            webhooks("moved", hook.connection())
            run = CutoverRun(f"{own.prefix}run", topics=[f"{own.prefix}t.*"], groups=[f"{own.prefix}.*"],
                             migration=f"{own.prefix}wave"[:40], handover_webhook_conn_id="moved",
                             lag_timeout=200, fence_timeout=30, drain_timeout=60, groups_timeout=30)  # fmt: skip
            run.prepare()
            run.gate()
            run.window()
        report = run.finish()
        application.wait_for(len(application.written) + int(rate))
        application.stop()
    finally:
        application.stop()
        for one in migration.connect.connectors():
            if own.prefix in one:
                migration.connect.delete(one, reset_offsets=True)
    assert application.errors == []
    assert report["verdict"] == "PASS", report["failures"]
    assert application.written - application.consumed.keys() == set(), "lost"
    assert {number for number, times in application.consumed.items() if times > 1} == set(), "delivered again"
    for group, offsets in resting.items():
        there = own.admins["target"].committed([group])[group]
        assert ids_from(own, "target", there) == ids_from(own, "source", offsets)
    found: dict[str, Any] = report["cutover"]
    stages = {stage["stage"]: stage["seconds"] for stage in found["stages"]}
    print(f"\n{name}: {len(application.written):,} ids, downtime {found['write_downtime_seconds']} s, longest pause "
          f"{found['longest_producer_pause_seconds']} s, {stages}")  # fmt: skip
    return found


def test_seconds_at_2_000_records_a_second(
    lab: Lab, replicate: Any, make_topics: Any, webhooks: Callable[[str, str], None]
) -> None:
    """40 topics of 5 partitions, five times."""
    seconds = [
        cut_over(lab, replicate, make_topics, webhooks, f"r{number}", 40, 5, 2_000)["write_downtime_seconds"]
        for number in range(5)
    ]
    print("p50", median(seconds), "of", sorted(seconds))
    assert median(seconds) <= 10


def test_seconds_with_2_000_partitions(
    lab: Lab, replicate: Any, make_topics: Any, webhooks: Callable[[str, str], None]
) -> None:
    """360 topics, of 5 or 6 partitions in the mean; here all have 6."""
    found = cut_over(lab, replicate, make_topics, webhooks, "large", 360, 6, 1_000)
    assert found["write_downtime_seconds"] <= 20
