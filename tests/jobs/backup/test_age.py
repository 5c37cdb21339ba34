"""How old the youngest backup is, as the metrics are told."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

from kafka_ferry.core.checks import BackupLine, Report, Status
from kafka_ferry.jobs.backup.age import tell_age, tell_age_in
from kafka_ferry.jobs.backup.reported import BACKUP, RESTORE, VERIFICATION
from kafka_ferry.jobs.backup.tasks.report import ArchiveReportOperator
from kafka_ferry.jobs.common.metrics import JobMetrics, Measure


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[Measure, Any]:
    found: dict[Measure, Any] = {}
    monkeypatch.setattr(JobMetrics, "tell", lambda self, values, verdict="": found.update(values))
    return found


def lines(*known: tuple[float, Status]) -> list[BackupLine]:
    return [
        BackupLine(
            backup_id=f"b{hours}", mode="full", created=f"{datetime.now(UTC) - timedelta(hours=hours)}", status=status
        )
        for hours, status in known
    ]


def test_the_youngest_good_one_counts_from_when_it_was_begun(told: dict[Measure, Any]) -> None:
    tell_age("dag", "nightly", lines((1, Status.SKIPPED), (2, Status.FAIL), (5, Status.PASS), (72, Status.PASS)))
    assert told[Measure.BACKUP_AGE] == pytest.approx(5 * 3600, abs=60)
    assert told[Measure.BACKUP_TIME] == pytest.approx(time.time() - 5 * 3600, abs=60)


def test_without_a_good_backup_nothing_is_told(told: dict[Measure, Any]) -> None:
    tell_age("dag", "nightly", lines((1, Status.SKIPPED), (2, Status.FAIL)))
    assert told == {}


def test_a_store_that_does_not_answer_fails_nothing(told: dict[Measure, Any], caplog: pytest.LogCaptureFixture) -> None:
    def manifests() -> Any:
        raise ConnectionError("no answer")

    with caplog.at_level(logging.ERROR):
        tell_age_in(SimpleNamespace(manifests=manifests), "dag", "nightly")  # type: ignore[arg-type]
    assert told == {}
    assert "could not be told" in caplog.text


@pytest.mark.parametrize(("job", "is_told"), [(BACKUP, True), (VERIFICATION, True), (RESTORE, False)])
def test_reports_of_backups_and_their_verification_tell_it(told: dict[Measure, Any], job: Any, is_told: bool) -> None:
    with DAG("dag", schedule=None):
        operator = ArchiveReportOperator(task_id="report", job=job)
    known: dict[str, Any] = {"source": {}, "target": {}, "started": None, "ended": None, "checks": []}
    backups = lines((1, Status.PASS))
    made = Report(dag_id="dag", run_id="run", engine="", verdict="PASS", backups=backups, **known)
    operator.tell_metrics(made, "nightly")
    assert (Measure.BACKUP_AGE in told) is is_told
