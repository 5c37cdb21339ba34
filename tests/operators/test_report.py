"""The report after all that can happen: a good run, a broken one, a second try, a killed process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.database.judge import CHECKS as STREAM_CHECKS
from kafka_ferry.operators.report import ReportOperator, VerdictFailed
from kafka_ferry.operators.stream import StreamReportOperator
from kafka_ferry.report.build import build_report, report_text
from kafka_ferry.report.model import CHECKS, Check, Status, TopicLine
from kafka_ferry.report.storage import CHECKS_MADE, LEFTOVERS, PLAN, PROGRESS, REPORT, STAGES, RunArtifacts
from kafka_ferry.verification.job import results_digest

TASKS = ("plan", "deploy", "wait_until_converged", "fingerprint.0", "fingerprint.1", "validate", "remove")


@pytest.fixture
def artifacts(tmp_path: Path) -> RunArtifacts:
    return RunArtifacts("dag", "run", str(tmp_path))


def stage(artifacts: RunArtifacts, name: str, minute: int, state: str = "success", error: str = "") -> None:
    entry = {
        "stage": name.split(".")[0],
        "try_number": 1,
        "started": f"2026-11-21T08:{minute:02}:00.000+00:00",
        "ended": None if state == "running" else f"2026-11-21T08:{minute:02}:30.000+00:00",
        "state": state,
        "error": error,
    }
    artifacts.write_json(f"{STAGES}/{name}.json", entry)


def made(checks: list[Any], topics: list[Any]) -> dict[str, Any]:
    """checks.json as validate writes it when there was nothing to compare."""
    return {"judged": results_digest([]), "checks": checks, "topics": topics, "groups": []}


def good_run(artifacts: RunArtifacts, status: Status = Status.PASS) -> None:
    for minute, name in enumerate(TASKS):
        stage(artifacts, name, minute)
    stage(artifacts, "report", 59, "running")
    checks = [Check(name=name, status=status).model_dump(mode="json") for name in ("topics", "counts", "content")]
    line = TopicLine(source="a", target="a", partitions=2, source_records=5, target_records=5, status=status)
    artifacts.write_json(CHECKS_MADE, made(checks, [line.model_dump(mode="json")]))
    artifacts.write_json(LEFTOVERS, [Check(name="leftovers", status=Status.PASS).model_dump(mode="json")])
    artifacts.write_json(PLAN, {"source": {"conn_id": "s"}, "target": {"conn_id": "t"}})


def build(artifacts: RunArtifacts) -> Any:
    return build_report(artifacts, "mm2", "report")


def statuses(report: Any) -> dict[str, Status]:
    return {check.name: check.status for check in report.checks}


def test_a_good_run(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    artifacts.append_line(PROGRESS, {"at": "2026-11-21T08:00:00+00:00", "records": 10, "bytes": 100})
    artifacts.append_line(PROGRESS, {"at": "2026-11-21T08:00:20+00:00", "records": 50, "bytes": 900})
    report = build(artifacts)
    assert (report.verdict, report.failures, report.engine) == ("PASS", [], "mm2")
    assert tuple(check.name for check in report.checks) == CHECKS
    assert [stage.stage for stage in report.timeline][3:5] == ["fingerprint[0]", "fingerprint[1]"]
    assert report.started == "2026-11-21T08:00:00.000+00:00"
    assert report.source == {"conn_id": "s"}
    assert (report.throughput.records, report.throughput.bytes, report.throughput.seconds) == (40, 800, 20)
    text = report_text(report)
    assert text.startswith("verdict: PASS")
    assert "while waiting: 40 records in 20.0 s" in text
    assert "failure:" not in text


@pytest.mark.parametrize("where", ["engine", "stream"])
def test_what_the_plan_found_about_the_service_role_is_in_the_report(artifacts: RunArtifacts, where: str) -> None:
    good_run(artifacts)
    check = Check(name="service_role", status=Status.SKIPPED, detail="IAM may not be read").model_dump(mode="json")
    role = {"service_role": {"arn": "arn:aws:iam::1:role/x", "check": check}}
    artifacts.write_json(PLAN, {"source": {}, "target": {}, **({"engine": role} if where == "engine" else role)})
    report = build(artifacts)
    assert report.verdict == "PASS"
    assert (report.checks[-1].name, report.checks[-1].detail) == ("service_role", "IAM may not be read")
    assert "IAM may not be read" in report_text(report)


def test_checks_of_other_fingerprints_do_not_count(artifacts: RunArtifacts) -> None:
    """``fingerprint`` was cleared on its own and found something: what validate said before is no verdict any more."""
    good_run(artifacts)
    artifacts.write_json(CHECKS_MADE, artifacts.read_json(CHECKS_MADE) | {"judged": "of before"})
    report = build(artifacts)
    assert report.verdict == "FAIL"
    assert report.failures == [
        "validate: records were compared anew since. Cure: clear validate with its downstream tasks"
    ]


def test_no_check_that_was_not_made_passes(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    skipped = [check for check in build(artifacts).checks if check.status is Status.SKIPPED]
    assert {check.name for check in skipped} == set(CHECKS) - {"topics", "counts", "content", "leftovers"}
    assert all(check.detail for check in skipped)


def test_a_run_that_broke_half_way(artifacts: RunArtifacts) -> None:
    stage(artifacts, "plan", 0)
    stage(artifacts, "wait_until_converged", 1, "failed", "a-0: log start passed")
    stage(artifacts, "remove", 2)
    stage(artifacts, "report", 3, "running")
    report = build(artifacts)
    assert report.verdict == "FAIL"
    assert report.failures == ["wait_until_converged: a-0: log start passed"]
    assert set(statuses(report).values()) == {Status.SKIPPED}
    assert next(c for c in report.checks if c.name == "content").detail == "the run ended before this check"
    assert "failure: wait_until_converged: a-0: log start passed" in report_text(report)


def test_a_stream_that_broke_names_its_own_checks_and_no_migrations(artifacts: RunArtifacts) -> None:
    stage(artifacts, "plan", 0)
    stage(artifacts, "validate", 1, "failed", "the server does not answer")
    stage(artifacts, "report", 3, "running")
    report = StreamReportOperator(task_id="report").build(artifacts)
    assert [check.name for check in report.checks] == list(STREAM_CHECKS)
    assert set(statuses(report).values()) == {Status.SKIPPED}
    assert {"changes", "schema_changes"} < set(STREAM_CHECKS)
    assert not {"groups", "acls", "quotas"} & set(STREAM_CHECKS)


def test_a_run_of_which_nothing_is_known(artifacts: RunArtifacts) -> None:
    report = build(artifacts)
    assert report.verdict == "FAIL"
    assert report.failures


@pytest.mark.parametrize("state", ["running", "deferred"])
def test_a_killed_process_is_a_failure_though_it_wrote_none(artifacts: RunArtifacts, state: str) -> None:
    good_run(artifacts)
    stage(artifacts, "remove", 9, state)
    report = build(artifacts)
    assert report.verdict == "FAIL"
    assert report.failures[0].startswith("remove: ended without a word")


LATER = ["wait_until_converged", "fingerprint.1"]


@pytest.mark.parametrize(
    "later", [*LATER, "translate_groups", "export.0", "verify.0", "copy_objects", "import.3", "follow"]
)
def test_checks_of_an_earlier_try_are_not_used(artifacts: RunArtifacts, later: str) -> None:
    good_run(artifacts)
    stage(artifacts, later, 30, "failed", "broke")
    report = build(artifacts)
    assert report.verdict == "FAIL"
    assert report.failures
    assert report.topics == []
    assert statuses(report)["content"] is Status.SKIPPED


@pytest.mark.parametrize("later", LATER)
def test_a_task_cleared_alone_after_success_gives_the_same_verdict(artifacts: RunArtifacts, later: str) -> None:
    good_run(artifacts)
    stage(artifacts, later, 30)
    assert build(artifacts).verdict == "PASS"


def test_validate_that_failed_leaves_no_checks_of_before(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    stage(artifacts, "validate", 30, "failed", "broker away")
    report = build(artifacts)
    assert (report.verdict, report.failures) == ("FAIL", ["validate: broker away"])
    assert statuses(report)["content"] is Status.SKIPPED


def test_validate_that_wrote_nothing(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    artifacts.delete(CHECKS_MADE)
    report = build(artifacts)
    assert (report.verdict, report.failures) == ("FAIL", ["validate: it made no checks"])


def test_a_failed_check_and_what_it_names(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    bad = Check(name="content", status=Status.FAIL, differences=["a-0: 1 lost: source offset 7"])
    artifacts.write_json(CHECKS_MADE, made([bad.model_dump(mode="json")], []))
    report = build(artifacts)
    assert (report.verdict, report.failures) == ("FAIL", [])
    assert "  content: a-0: 1 lost: source offset 7" in report_text(report)


class Ti:
    task_id, try_number, map_index = "report", 1, -1

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def run_task(artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch) -> Ti:
    ti = Ti()
    monkeypatch.setattr(RunArtifacts, "of", classmethod(lambda cls, context: artifacts))
    ReportOperator(task_id="report", engine="mm2").ferry({"ti": ti})  # type: ignore[typeddict-item]
    return ti


def test_the_task_writes_the_report_and_pushes_the_summary(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_run(artifacts)
    ti = run_task(artifacts, monkeypatch)
    assert ti.pushed["report"]["verdict"] == "PASS"
    assert artifacts.read_json(REPORT)["verdict"] == "PASS"  # type: ignore[index]


def test_fail_is_red_and_not_retried_and_the_report_is_there_all_the_same(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_run(artifacts, Status.FAIL)
    with pytest.raises(VerdictFailed, match="failed checks: topics, counts, content") as caught:
        run_task(artifacts, monkeypatch)
    assert not caught.value.retriable
    assert artifacts.read_json(REPORT)["verdict"] == "FAIL"  # type: ignore[index]


def test_the_report_runs_after_failures() -> None:
    assert ReportOperator(task_id="report", engine="mm2").trigger_rule == "all_done"
