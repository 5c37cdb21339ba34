"""Migrations under new names on a real worker with our ReplicationPolicy: proven, and its silent failures seen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from confluent_kafka.admin import AdminClient

import run_by_hand
from group_offsets import commit, committed
from kafka_ferry.jobs.migration.engines import mirror_connectors
from kafka_ferry.jobs.migration.engines import mirror_maker2_config as mirror_maker2
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent
from kafka_ferry.jobs.migration.engines.registry import engine_of

pytestmark = pytest.mark.integration


class Run(run_by_hand.Run):
    """One run of the DAG's tasks under new names; its verdict is in the report, which every caller looks at."""

    def __init__(self, **params: Any) -> None:
        super().__init__("rename", **{"naming": "rename", **params})

    def report(self) -> dict[str, Any]:
        with contextlib.suppress(AirflowFailException):
            super().report()
        report: dict[str, Any] = self.artifacts.read_json("report.json")
        return report


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``spoil("Checkpoint", key="value")``: deploy that connector with another value, as a builder with a bug would."""

    def change(kind: str, **changes: str) -> None:
        keys = {key.replace("_", "."): value for key, value in changes.items()}

        def configs(intent: MirrorIntent) -> dict[str, dict[str, str]]:
            right = mirror_maker2.configs(intent)
            return {name: {**config, **(keys if kind in name else {})} for name, config in right.items()}

        monkeypatch.setattr(mirror_connectors, "configs", configs)

    return change


@pytest.fixture(autouse=True)
def artifacts(connections: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in report["checks"] if entry["name"] == name)


def names(bootstrap: str, prefix: str) -> set[str]:
    found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
    return {name for name in found if prefix in name}


def records(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"key": f"k{i}", "value": f"v{i}", "headers": [("n", f"{i}")], "timestamp": 1_700_000_000_000 + i,
         "partition": i % 2}
        for i in range(start, start + count)
    ]  # fmt: skip


def test_a_migration_under_new_names_goes_on_where_it_was(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    plain, replica = make_topics(source_bootstrap, f"{topic_prefix}orders", f"{topic_prefix}x.replica", partitions=2)
    produce(source_bootstrap, plain, records(2_000))
    produce(source_bootstrap, replica, records(100))
    group = f"{topic_prefix}group"
    commit(source_bootstrap, group, {(plain, 0): 700, (plain, 1): 1_000})
    params = {
        "topics": [f"{topic_prefix}o.*", replica],
        "groups": [group],
        "migration": f"{topic_prefix}m",
        "topic_rename_format": "eu-${topic}.copy",
    }

    run = Run(**params)
    assert {line["source"]: line["target"] for line in run.plan()["topics"]} == {
        plain: f"eu-{plain}.copy",
        replica: f"eu-{replica}.copy",
    }
    _, report = run.whole()

    assert report["verdict"] == "PASS", report["failures"]
    assert {line["source"]: line["target_records"] for line in report["topics"]} == {plain: 2_000, replica: 100}
    assert check(report, "new_topics")["status"] == check(report, "new_records")["status"] == "pass"
    assert check(report, "group_offsets")["status"] == "pass"
    assert committed(target_bootstrap, group) == {(f"eu-{plain}.copy", 0): 700, (f"eu-{plain}.copy", 1): 1_000}
    assert names(target_bootstrap, topic_prefix) == {f"eu-{plain}.copy", f"eu-{replica}.copy"}, "and nothing else"

    produce(source_bootstrap, plain, records(500, 2_000))
    again = Run(**params, canary=False)
    lines = {line["source"]: line for line in again.plan()["topics"]}
    assert (lines[plain]["records"], lines[plain]["already_there"]) == (2_500, 2_000)
    _, report = again.whole()
    assert report["verdict"] == "PASS", "what was there has not been copied twice"
    assert {line["source"]: line["target_records"] for line in report["topics"]} == {plain: 2_500, replica: 100}


def test_a_checkpoint_connector_with_another_policy_translates_for_nobody(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, spoil: Any
) -> None:
    """The silent failure of a policy that is not on all connectors: all is RUNNING, but offsets go to other names."""
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}orders", partitions=2)
    produce(source_bootstrap, topic, records(200))
    group = f"{topic_prefix}group"
    commit(source_bootstrap, group, {(topic, 0): 50, (topic, 1): 100})
    run = Run(topics=[topic], groups=[group], migration=f"{topic_prefix}m", group_offsets="mm2", canary=False)
    spoil("Checkpoint", replication_policy_class="org.apache.kafka.connect.mirror.IdentityReplicationPolicy")

    _, report = run.whole()

    assert report["verdict"] == "FAIL"
    assert check(report, "content")["status"] == "pass"
    # It commits for a topic that does not exist, and says nothing (measured).
    assert {name for name, _ in committed(target_bootstrap, group)} <= {topic}
    assert check(report, "groups")["differences"] == [f"{group} has no commit on the target"]
    assert {line["status"] for line in report["groups"]} == {"fail"}


def test_a_source_connector_with_another_format_runs_and_brings_nothing(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any, spoil: Any
) -> None:
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}orders", partitions=2)
    run = Run(topics=[topic], groups=[], migration=f"{topic_prefix}m", canary=False)

    spoil("Source", replication_policy_topic_rename_format="other.${topic}")

    _, report = run.whole(lambda: produce(source_bootstrap, topic, records(200)))

    assert report["verdict"] == "FAIL"
    (line,) = report["topics"]
    assert (line["target"], line["target_records"], line["lost"]) == (f"{topic}.replica", 0, 200)


def test_within_one_cluster(source_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any) -> None:
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}orders", partitions=2)
    produce(source_bootstrap, topic, records(200))
    params = {"target_conn_id": "kafka_source", "groups": [], "migration": f"{topic_prefix}m", "canary": False}
    with pytest.raises(AirflowFailException, match="would be copied again"):
        Run(topics=[f"{topic_prefix}.*"], **params).plan()

    run = Run(topics=[f"{topic_prefix}.*"], exclude_topics=[r".*\.replica"], **params)
    run.plan()
    _, report = run.whole()

    assert report["verdict"] == "PASS", report["failures"]
    assert names(source_bootstrap, topic_prefix) == {topic, f"{topic}.replica"}


def test_a_worker_without_the_class_is_told_before_anything_is_made(
    source_bootstrap: str, topic_prefix: str, make_topics: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (topic,) = make_topics(source_bootstrap, f"{topic_prefix}orders")
    for module in (mirror_maker2, mirror_connectors):
        monkeypatch.setattr(module, "RENAME_POLICY", "kafkaferry.connect.NotOnThisWorker")
    run = Run(topics=[topic], migration=f"{topic_prefix}m")

    with pytest.raises(AirflowFailException, match=r"param 'naming'.*no class kafkaferry.connect.NotOnThisWorker"):
        run.plan()

    assert engine_of(run.migration).left() == []
