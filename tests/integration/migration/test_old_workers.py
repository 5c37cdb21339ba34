"""Workers of older Kafka Connect with our configs and plugin: 3.9 as the last of Kafka 3, 3.7 as MSK Connect has it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine_runs import ON_CONNECT, EngineRuns, statuses
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack
from stack import Stack, jars, plugins
from stack.msk import CLUSTER
from stack.msk_double import BUCKET, ROLE
from stack.stack import PROJECT
from whole_cluster import WholeCluster, Witnessed

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

ON_MSK_CONNECT = "mirror_maker2_on_msk_connect"
PASSED = ("topics", "partitions", "counts", "content", "new_records", "groups", "group_offsets", "leftovers")


@pytest.fixture(scope="module")
def workers(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """With workers of that version, those of MSK Connect's double too."""
    with own_stack(f"connect-{request.param}", connect=request.param, msk=True) as stack:
        yield stack


@pytest.fixture
def runs(workers: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EngineRuns]:
    with EngineRuns(workers, tmp_path, monkeypatch) as one:
        yield one


def filled(stack: Stack, name: str) -> WholeCluster:
    cluster = WholeCluster(((3, 2, {"retention.ms": "-1"}),), 200, name)
    cluster.fill(stack.client_settings("source"), replicas=1)
    return cluster


def params_of(name: str) -> dict[str, Any]:
    return {"topics": [f"{name}.*"], "groups": [f"{name}-.*"], "migration": name}


def check(stack: Stack, cluster: WholeCluster, report: dict[str, Any]) -> None:
    made = statuses(report)
    assert report["verdict"] == "PASS", report["checks"]
    assert {name: made[name] for name in PASSED} == dict.fromkeys(PASSED, "pass"), report["checks"]
    sides = [Witnessed.of(stack.client_settings(side), cluster) for side in ("source", "target")]
    assert sides[0].differences(sides[1]) == []
    target = KafkaAdmin(stack.client_settings("target"), "target")
    assert target.committed(cluster.groups) == cluster.groups


@pytest.mark.parametrize("workers", ["3.9.2"], indirect=True, scope="module")
def test_names_are_kept_on_kafka_connect(workers: Stack, runs: EngineRuns) -> None:
    cluster = filled(workers, "kept")
    plan, report = runs.make(ON_CONNECT, **params_of("kept")).whole()
    assert plan["engine"]["version"] == "3.9.2"
    check(workers, cluster, report)


@pytest.mark.parametrize("workers", ["3.9.2"], indirect=True, scope="module")
def test_new_names_by_our_plugin_on_kafka_connect(workers: Stack, runs: EngineRuns) -> None:
    cluster = filled(workers, "renamed")
    _, report = runs.make("replicate_topics", **params_of("renamed")).whole()
    made = statuses(report)
    assert report["verdict"] == "PASS", report["checks"]
    assert {name: made[name] for name in PASSED} == dict.fromkeys(PASSED, "pass"), report["checks"]
    target = KafkaAdmin(workers.client_settings("target"), "target")
    wanted = {
        group: {(f"{topic}.replica", partition): offset for (topic, partition), offset in places.items()}
        for group, places in cluster.groups.items()
    }
    assert target.committed(cluster.groups) == wanted


def msk_params(name: str, version: str) -> dict[str, Any]:
    own = {"cluster_arn": CLUSTER, "service_execution_role_arn": ROLE, "plugin_bucket": BUCKET, "log_group": "/ferry"}
    return {**params_of(name), **own, "kafka_connect_version": version, "running_timeout": 300}


@pytest.mark.parametrize("workers", ["3.7.2"], indirect=True, scope="module")
def test_msk_connects_3_7_keeps_names(workers: Stack, runs: EngineRuns) -> None:
    cluster = filled(workers, "kept")
    _, report = runs.make(ON_MSK_CONNECT, **msk_params("kept", "3.7.x")).whole()
    check(workers, cluster, report)


@pytest.mark.parametrize("workers", ["3.7.2"], indirect=True, scope="module")
def test_msk_connects_3_7_gives_new_names_by_our_plugin(workers: Stack, runs: EngineRuns, tmp_path: Path) -> None:
    cluster, folder = filled(workers, "renamed"), tmp_path / "plugin"
    folder.mkdir()
    shutil.copy(plugins.folder(jars.cache_folder(PROJECT)) / plugins.JAR, folder)
    _, report = runs.make(
        ON_MSK_CONNECT, **msk_params("renamed", "3.7.x"), naming="rename", plugin_folder=str(folder)
    ).whole()
    made = statuses(report)
    assert report["verdict"] == "PASS", report["checks"]
    assert {name: made[name] for name in PASSED} == dict.fromkeys(PASSED, "pass"), report["checks"]
    target = KafkaAdmin(workers.client_settings("target"), "target")
    there = target.committed([f"{cluster.name}-billing"])[f"{cluster.name}-billing"]
    assert {topic for topic, _ in there} == {f"{next(iter(cluster.topics))}.replica"}
