"""The report of a backup: a covered interval passes, stale checks do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.core.plan import Plan
from kafka_ferry.jobs.backup.report import build_archive_report
from kafka_ferry.jobs.backup.reported import BACKUP
from kafka_ferry.report.artifacts import CHECKS_MADE, PLAN, STAGES, RunArtifacts
from kafka_ferry.report.page import render_file
from kafka_ferry.report.run import RunData

ARCHIVE = {"backup": "nightly", "backup_id": "20261121T020000Z", "location": "s3://bucket/kafka"}
MADE: dict[str, Any] = {
    "checks": [{"name": "counts", "status": "pass"}],
    "sentence": "10 records are there.",
    "backups": [{"backup_id": "20261121T020000Z", "mode": "full", "created": "2026-11-21T02:00:03+00:00",
                 "status": "pass", "bytes": 1234567, "own": True}],
}  # fmt: skip


@pytest.fixture
def artifacts(tmp_path: Path) -> RunArtifacts:
    return RunArtifacts("backup_topics", "run", str(tmp_path))


def stage(artifacts: RunArtifacts, name: str, second: int, state: str = "success", error: str = "") -> None:
    at = f"2026-11-21T02:00:{second:02}.000+00:00"
    entry = {"stage": name, "started": at, "ended": at, "state": state, "error": error}
    artifacts.write_json(f"{STAGES}/{name}.json", entry)


def test_checks_made_after_the_work_are_the_verdict_and_the_page_lists_the_backups(artifacts: RunArtifacts) -> None:
    for second, name in enumerate(("plan", "freeze", "export", "finish", "validate")):
        stage(artifacts, name, second)
    plan = {"archive": ARCHIVE, "source": {"conn_id": "kafka_source"}}
    artifacts.write_json(PLAN, plan)
    artifacts.write_json(CHECKS_MADE, MADE)
    report = build_archive_report(artifacts, "kafka_ferry", "report", BACKUP)
    assert (report.verdict, report.failures) == ("PASS", [])
    page = render_file(RunData("backup_topics", "run", "success", report=report, plan=Plan.from_json(plan)))
    page = page.replace("<wbr>", "").replace("\u00a0", " ")
    for text in ("10 records are there.", "1,234,567", "nightly · 20261121T020000Z · s3://bucket/kafka", "this run"):
        assert text in page, text


def test_checks_of_an_earlier_try_count_for_nothing(artifacts: RunArtifacts) -> None:
    stage(artifacts, "validate", 1)
    stage(artifacts, "export", 2)
    artifacts.write_json(CHECKS_MADE, MADE)
    report = build_archive_report(artifacts, "kafka_ferry", "report", BACKUP, judged={"export"})
    assert (report.verdict, report.checks, report.backups) == ("FAIL", [], [])
    assert report.failures == ["validate: it wrote no checks"]


def test_a_stage_that_broke_is_named(artifacts: RunArtifacts) -> None:
    stage(artifacts, "freeze", 1, "failed", "the store did not answer")
    report = build_archive_report(artifacts, "kafka_ferry", "report", BACKUP)
    assert report.failures == ["freeze: the store did not answer"]
    assert report.verdict == "FAIL"


def test_a_covered_night_passes_and_says_by_what(artifacts: RunArtifacts) -> None:
    stage(artifacts, "plan", 1)
    covered = {"backup_id": "20261121T020000Z", "created": "2026-11-21T02:00:03+00:00"}
    artifacts.write_json(PLAN, {"archive": ARCHIVE, "covered": covered})
    report = build_archive_report(artifacts, "kafka_ferry", "report", BACKUP)
    assert report.verdict == "PASS"
    assert report.sentence.startswith("Nothing to do: this data interval is covered by backup 20261121T020000Z")
    assert report.checks[0].status == "explained"
