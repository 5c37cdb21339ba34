"""Assets that mean "proven": which run lets whose event come, and that Airflow takes their names and extras."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, Asset
from airflow.sdk.execution_time.context import OutletEventAccessors

from kafka_ferry.core.checks import BackupLine, Report, Status, Throughput, TopicLine
from kafka_ferry.core.job_name import KEY, JobName
from kafka_ferry.core.plan import Kind
from kafka_ferry.jobs.backup.reported import BACKUP, RESTORE, VERIFICATION
from kafka_ferry.jobs.backup.tasks.report import ArchiveReportOperator
from kafka_ferry.jobs.common.proven import PROVEN, asset_of
from kafka_ferry.jobs.common.report import ReportOperator, VerdictFailed
from kafka_ferry.jobs.migration.tasks.plan import PlanOperator
from kafka_ferry.jobs.migration.tasks.report import MigrationReportOperator
from kafka_ferry.report.reported_job import ReportedJob
from tasks_by_hand import context_of


def report(verdict: str = "PASS", **more: Any) -> Report:
    known: dict[str, Any] = {"source": {}, "target": {}, "started": None, "ended": "2026-11-30T04:00:00+00:00"}
    return Report(dag_id="moves", run_id="run", engine="", verdict=verdict, checks=[], **known | more)


def backup(own: bool) -> BackupLine:
    return BackupLine(backup_id="20261130T020000Z", mode="full", created="2026-11-30T02:00:00+00:00",
                      status=Status.PASS, own=own)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("copy", "migration/orders"), ("compare", "comparison/orders"), ("backup", "backup/orders"),
        ("restore", "restore/orders"), ("verify", "verified-backup/orders"), ("export", "export/orders"),
        ("import", "import/orders"), ("stream", "stream/orders"),
    ],
)  # fmt: skip
def test_the_event_of_a_job_is_its_asset_s(kind: str, name: str) -> None:
    assert kind in set(Kind)
    with DAG("moves", schedule=None):
        operator = ReportOperator(task_id="report")
    assert operator.outlets == [PROVEN]
    context: Any = {"outlet_events": OutletEventAccessors()}
    operator.tell_others(context, report(), JobName(kind=kind, name="orders"))
    (event,) = context["outlet_events"][PROVEN].asset_alias_events
    assert (event.dest_asset_key.name, event.dest_asset_key.uri) == (f"x-kafka-ferry://{name}",) * 2
    assert (event.extra["verdict"], event.extra["run_id"], event.extra["name"]) == ("PASS", "run", "orders")
    assert event.extra["link"] == "http://localhost:8080/dags/moves/runs/run/plugin/kafka_ferry"


@pytest.mark.parametrize(
    ("job", "told", "proves"),
    [
        (RESTORE, report(), True),
        (RESTORE, report("FAIL"), False),
        (VERIFICATION, report(backups=[backup(own=False)]), True),
        (BACKUP, report(backups=[backup(own=True)]), True),
        (BACKUP, report("FAIL", backups=[backup(own=True)]), False),
        # Covered by the backup of another run, which has told of it.
        (BACKUP, report(), False),
        (BACKUP, report(backups=[backup(own=False)]), False),
    ],
)
def test_a_backup_is_proven_by_the_run_that_made_it(job: ReportedJob, told: Report, proves: bool) -> None:
    with DAG("moves", schedule=None):
        operator = ArchiveReportOperator(task_id="report", job=job)
    assert operator.proves(told) is proves
    context: Any = {"outlet_events": OutletEventAccessors()}
    operator.tell_others(context, told, JobName(kind="backup", name="nightly"))
    (event,) = context["outlet_events"][PROVEN].asset_alias_events
    own = any(line.own for line in told.backups)
    assert event.extra.get("backup_id") == ("20261130T020000Z" if own else None)


@pytest.mark.parametrize(("verdict", "events"), [("PASS", 1), ("FAIL", 0)])
@pytest.mark.parametrize("told", [True, False])
def test_the_task_lets_it_come_with_a_pass_alone(
    verdict: str, events: int, told: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    with DAG("moves", schedule=None):
        plan = PlanOperator(task_id="plan")
        operator = MigrationReportOperator(task_id="report")
        plan >> operator
    monkeypatch.setattr(operator, "build", lambda artifacts, tasks: report(verdict))
    context: Any = context_of(SimpleNamespace(dag_id="moves", run_id="run"), {}, "report")
    job = JobName(kind="copy", name="orders").to_json() if told else None
    asked: list[tuple[str, str]] = []
    context["ti"].xcom_pull = lambda task_ids, key: asked.append((task_ids, key)) or job
    with contextlib.suppress(VerdictFailed):
        operator.execute_task(context)
    assert asked == [("plan", KEY)]
    # A run that did not say what it is of proves nothing that has a name.
    found = context["outlet_events"][PROVEN].asset_alias_events
    assert [one.dest_asset_key.name for one in found] == ["x-kafka-ferry://migration/orders"] * (events * told)


def test_an_extra_is_flat_as_airflow_3_0_wants_it() -> None:
    with DAG("moves", schedule=None):
        operator = MigrationReportOperator(task_id="report")
    line = TopicLine(source="a", target="a", partitions=1, source_records=7, target_records=7, status=Status.PASS)
    for told, records in (
        (report(topics=[line, line]), 14),
        (report(throughput=Throughput(records=3, seconds=1)), 3),
        (report(), None),
    ):
        context: Any = {"outlet_events": OutletEventAccessors()}
        operator.tell_others(context, told, JobName(kind="copy", name="orders"))
        (event,) = context["outlet_events"][PROVEN].asset_alias_events
        assert event.extra["records"] == records
        assert hash(frozenset(event.extra.items()))


@pytest.mark.parametrize("name", ["orders", "Orders.v2", "my_dag-1", "ä b/c", "x" * 250, "a?b#c", "..", "user:pw@host"])
def test_names_stay_as_they_are_and_are_ascii(name: str) -> None:
    made = asset_of(JobName(kind="copy", name=name))
    assert made.name == made.uri, "Airflow would take one that was normalised for another asset"
    assert made.name.isascii()
    assert Asset(made.name) == made, "as a DAG that waits for it writes it"
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) and len(name) < 100:
        assert made.name == f"x-kafka-ferry://migration/{name}"
