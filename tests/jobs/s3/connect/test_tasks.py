"""The connector's own tasks: what stays, what goes, what is told of it, and that the engine has none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.exceptions import NotAuthorized
from kafka_ferry.jobs.common.run_lock import SharedName, acquire_lock
from kafka_ferry.jobs.s3.connect import sides
from kafka_ferry.jobs.s3.connect.sensors import CopiedSensor
from kafka_ferry.jobs.s3.connect.sides import DEPLOYED, ExportSide
from kafka_ferry.jobs.s3.connect.tasks import ConnectorDeployOperator, ConnectorRemoveOperator, S3ReportOperator
from kafka_ferry.jobs.s3.reported import EXPORT
from kafka_ferry.report.artifacts import CHECKS_MADE, LEFTOVERS, PLAN, RunArtifacts
from tasks_by_hand import context_of

PARAMS = {"topics": ["t"], "export": "e", "transport": "connect", "format": "avro", "location": "s3://b/p"}


class Runtime:
    """What runs connectors, by their names."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}
        self.told: list[str] = []
        self.stays = False
        self.refusal: Exception | None = None

    def existing(self, names: list[str]) -> list[str]:
        return [name for name in names if name in self.there]

    def pause(self, names: list[str]) -> None:
        self.there[names[0]] = "paused"

    def resume(self, names: list[str]) -> None:
        self.there[names[0]] = "runs"

    def remove(self, names: list[str], *, forget: bool) -> list[str]:
        self.told.append(f"remove {names[0]} forget={forget}")
        gone = [] if self.stays else [name for name in names if self.there.pop(name, None)]
        if self.refusal:
            raise self.refusal
        return gone

    def left(self, names: list[str]) -> list[str]:
        return [f"connector {name}" for name in self.existing(names)]

    def how_to_stop(self, names: list[str]) -> str:
        return f"curl -X DELETE …/{names[0]}"


class Side(ExportSide):
    """An export whose connector is made by noting it."""

    runtime: Any = None

    @property
    def carrier(self) -> Any:
        return SimpleNamespace(name="e.export-1")

    def _deploy(self) -> None:
        if self.artifacts.read_json("broken") is not None:
            raise RuntimeError("killed in the middle")
        self.runtime.there[self.carrier.name] = "runs"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    made = Runtime()
    monkeypatch.setattr(Side, "runtime", made)
    monkeypatch.setattr(sides, "SIDES", {"export": Side})
    return made


def do(kind: type[Any], task_id: str, run_id: str = "r", **params: Any) -> Any:
    with DAG("d", schedule=None):
        task = kind(task_id=task_id, side="export")
    run = SimpleNamespace(dag_id="d", run_id=run_id, conf={})
    return task.execute(context_of(run, {**PARAMS, **params}, task_id))


def deploy(**params: Any) -> Any:
    return do(ConnectorDeployOperator, "deploy", **params)


def remove(**params: Any) -> Any:
    return do(ConnectorRemoveOperator, "remove", **params)


def leftovers() -> dict[str, Any]:
    (found,) = RunArtifacts("d", "r").read_json(LEFTOVERS) or []
    assert isinstance(found, dict)
    return found


def test_with_the_engine_they_do_nothing(runtime: Runtime) -> None:
    for kind, task_id in (
        (ConnectorDeployOperator, "deploy"),
        (CopiedSensor, "w"),
        (ConnectorRemoveOperator, "remove"),
    ):
        do(kind, task_id, transport="engine")
    assert (runtime.there, runtime.told) == ({}, [])
    assert RunArtifacts("d", "r").read_json(LEFTOVERS) is None, "the report has no line of it"


@pytest.mark.parametrize(("afterwards", "forget"), [("remove", False), ("forget", True)])
def test_what_was_made_is_taken_away(runtime: Runtime, afterwards: str, forget: bool) -> None:
    assert deploy() == "e.export-1"
    assert remove(connector_afterwards=afterwards) == {"removed": ["e.export-1"]}
    assert runtime.told == [f"remove e.export-1 forget={forget}"]
    assert leftovers()["status"] == "pass"


@pytest.mark.parametrize(("afterwards", "state"), [("pause", "paused"), ("run", "runs")])
def test_what_shall_stay_stays_and_the_report_says_how_to_end_it(runtime: Runtime, afterwards: str, state: str) -> None:
    deploy()
    assert remove(connector_afterwards=afterwards) == {"kept": ["e.export-1"]}
    assert runtime.there == {"e.export-1": state}
    assert leftovers()["status"] == "skipped"
    assert f"connector_afterwards is {afterwards}" in leftovers()["detail"]
    assert leftovers()["commands"] == ["curl -X DELETE …/e.export-1"]


def test_what_does_not_go_is_named_and_fails(runtime: Runtime) -> None:
    deploy()
    runtime.stays = True
    with pytest.raises(AirflowFailException, match=r"still present after .*: connector e.export-1. Fix: clear"):
        remove()
    assert (leftovers()["status"], leftovers()["differences"]) == ("fail", ["connector e.export-1"])
    runtime.stays = False
    remove()
    assert leftovers()["status"] == "pass", "the task may be cleared"


def test_a_deploy_that_was_killed_is_looked_after(runtime: Runtime) -> None:
    RunArtifacts("d", "r").write_json("broken", {})
    with pytest.raises(RuntimeError):
        deploy()
    assert RunArtifacts("d", "r").read_json(DEPLOYED) == {"connector": "e.export-1"}
    runtime.there["e.export-1"] = "runs"
    assert remove() == {"removed": ["e.export-1"]}


def test_where_nothing_was_made_nothing_is_looked_for(runtime: Runtime) -> None:
    assert remove() == "no connector was made"
    assert "param 'mode'" in remove(mode="full"), "the plan has refused it"


def test_the_connector_of_a_run_that_works_on_it_is_left_alone(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy()
    shared: SharedName = Side("d", "r", PARAMS).shared_name()
    other = context_of(SimpleNamespace(dag_id="d", run_id="other", conf={}), PARAMS, "plan")
    acquire_lock(other, shared)  # ours has ended, as Airflow knows of no run
    monkeypatch.setattr("kafka_ferry.jobs.common.run_lock._works", lambda *_: True)
    assert remove() == {"kept": ["e.export-1"]}
    assert runtime.there == {"e.export-1": "runs"}
    assert "run other is working on this export" in leftovers()["detail"]


def test_the_position_in_a_target_that_was_not_compared_is_kept(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "SIDES", {"export": Side, "import": Side})
    for compared in (False, True):
        deploy()
        if compared:
            RunArtifacts("d", "r").write_json(CHECKS_MADE, {})
        with DAG("d", schedule=None):
            task = ConnectorRemoveOperator(task_id="remove", side="import")
        run = SimpleNamespace(dag_id="d", run_id="r", conf={})
        task.execute(context_of(run, {**PARAMS, "connector_afterwards": "forget"}, "remove"))
    assert runtime.told == ["remove e.export-1 forget=False", "remove e.export-1 forget=True"]


@pytest.mark.parametrize(
    ("transport", "words"), [("engine", "Kafka Ferry itself"), ("connect", "Kafka Ferry's S3 connector")]
)
def test_the_report_names_what_has_copied(runtime: Runtime, transport: str, words: str) -> None:
    artifacts = RunArtifacts("d", "r")
    artifacts.write_json(PLAN, {"schema": "kafka-ferry.plan/1", "spec": {"transport": transport}})
    with DAG("d", schedule=None):
        report = S3ReportOperator(task_id="report", job=EXPORT).build(artifacts)
    assert words in report.words.engine


def test_topics_that_airflow_may_not_delete_are_told_and_do_not_fail_the_run(runtime: Runtime) -> None:
    """On MSK Connect a sink's workers keep topics on the source, which the run may only be allowed to read."""
    deploy()
    runtime.refusal = NotAuthorized("kafka_source: not allowed to delete topic '__amazon_msk_connect_x'. Fix: an ACL")
    remove()
    assert leftovers()["status"] == "skipped"
    assert "is gone, and something of it stays: kafka_source: not allowed to delete topic" in leftovers()["detail"]


def test_a_connector_that_may_not_be_deleted_fails_the_run(runtime: Runtime) -> None:
    deploy()
    runtime.stays, runtime.refusal = True, NotAuthorized("no right to delete it. Fix: kafkaconnect:DeleteConnector")
    with pytest.raises(AirflowFailException, match="no right to delete it"):
        remove()
