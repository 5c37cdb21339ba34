"""Provisioning through MSK's topic API: the same operator, and no word to the target's brokers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

import msk_lab
from kafka_ferry.core.topics import TopicState
from kafka_ferry.hooks.msk.topics import MskTopicsHook
from kafka_ferry.jobs.migration.live import migration as migration_module
from kafka_ferry.jobs.migration.tasks.topics import ProvisionTopicsOperator
from stack.msk.cluster import ARN as CLUSTER
from stack.msk.server import MskConnectDouble


class Source:
    """The admin calls of a source with one topic."""

    def __init__(self, topic: TopicState) -> None:
        self.topic = topic

    def topic_names(self) -> list[str]:
        return [self.topic.name]

    def topics(self, names: Any) -> dict[str, TopicState]:
        return {self.topic.name: self.topic}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MskConnectDouble]:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(MskTopicsHook, "delay", 0.0)
    with msk_lab.connected(monkeypatch) as running:
        yield running


def provision(monkeypatch: pytest.MonkeyPatch, topic: TopicState, **params: Any) -> Any:
    def cluster(conn_id: str, *_: Any) -> Any:
        # Of the target there is nothing at all that could be asked.
        return SimpleNamespace(admin=Source(topic)) if conn_id == "kafka_source" else SimpleNamespace()

    monkeypatch.setattr(migration_module, "KafkaClusterHook", cluster)
    given = {"topics": ["orders"], "connect_conn_id": None, "provision_through": "msk_api", "cluster_arn": CLUSTER,
             "replication_factor": 2, **params}  # fmt: skip
    ti = SimpleNamespace(task_id="t", map_index=-1, try_number=1)
    context: Any = {"dag_run": SimpleNamespace(dag_id="d", run_id="r", conf={}), "params": given, "ti": ti}
    return ProvisionTopicsOperator(task_id="t").execute(context)


def source(partitions: int = 2, **configs: str) -> TopicState:
    own = {key.replace("_", "."): value for key, value in configs.items()}
    return TopicState("orders", "id", partitions, 3, own, own)


def test_topics_are_made_once_and_changed_by_difference(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    assert provision(monkeypatch, source(retention_ms="-1"))["create"] == 1
    assert provision(monkeypatch, source(retention_ms="-1"))["none"] == 1  # cleared
    assert provision(monkeypatch, source(3, retention_ms="7"))["update"] == 1
    assert provision(monkeypatch, source(3, retention_ms="7"))["none"] == 1
    (made,) = aws.account.topics.values()
    assert (made.partitions, made.replication_factor, made.configs) == (3, 2, {"retention.ms": "7"})
    assert aws.requests.count("CreateTopic") == 1
    assert aws.requests.count("UpdateTopic") == 2  # partitions, configs


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"cluster_arn": None}, "cluster_arn"),
        ({"cluster_arn": "orders"}, "cluster_arn"),
        ({"replication_factor": None}, "replication_factor"),
        ({"topics": ["orders"], "source_alias": "x", "naming": "prefix", "replication_factor": 9}, "larger than"),
    ],
)
def test_bad_input_is_refused(
    aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AirflowFailException, match=problem):
        provision(monkeypatch, source(), **params)
    assert aws.account.topics == {}


def test_partitions_cannot_be_taken_away(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    provision(monkeypatch, source(3))
    with pytest.raises(AirflowFailException, match="cannot remove partitions"):
        provision(monkeypatch, source(2))
