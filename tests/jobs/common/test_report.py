"""The report after all that can happen: a good run, a broken one, a second try, a killed process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

import report_samples as samples
from kafka_ferry.core.checks import CHECKS, Check, Status, Throughput, TopicLine
from kafka_ferry.jobs.backup.report import build_archive_report
from kafka_ferry.jobs.cdc.rules.judge import CHECKS as STREAM_CHECKS
from kafka_ferry.jobs.cdc.tasks import StreamReportOperator
from kafka_ferry.jobs.common.report import ReportOperator, VerdictFailed
from kafka_ferry.records.job import results_digest
from kafka_ferry.report.artifacts import (
    CANARY,
    CHECKS_MADE,
    FINGERPRINTS,
    LEFTOVERS,
    PLAN,
    PROGRESS,
    REPORT,
    STAGES,
    RunArtifacts,
)
from kafka_ferry.report.build import build_report, report_text
from kafka_ferry.report.page import Links, render_page, write_page
from kafka_ferry.report.reading import task_names
from kafka_ferry.report.reported_job import ReportedJob
from kafka_ferry.report.run import read_run

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


#: Whose work validate judges in the DAGs; tests/dags/test_stale_checks.py holds each DAG to it.
JUDGED = (
    "wait_until_converged",
    "fingerprint",
    "translate_groups",
    "export",
    "verify",
    "copy_objects",
    "import",
    "follow",
)


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
    return build_report(artifacts, "mm2", "report", ReportedJob(), judged=JUDGED)


def statuses(report: Any) -> dict[str, Status]:
    return {check.name: check.status for check in report.checks}


def test_a_good_run(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    for at, offsets, size in (("00", 10, 100), ("20", 50, 900)):
        look = {"at": f"2026-11-21T08:00:{at}+00:00", "offsets": offsets, "total_offsets": 50, "bytes": size}
        artifacts.append_line(PROGRESS, look)
    report = build(artifacts)
    assert (report.verdict, report.failures, report.engine) == ("PASS", [], "mm2")
    assert tuple(check.name for check in report.checks) == CHECKS
    assert [stage.stage for stage in report.timeline][3:5] == ["fingerprint[0]", "fingerprint[1]"]
    assert report.started == "2026-11-21T08:00:00.000+00:00"
    assert report.source == {"conn_id": "s"}
    assert report.throughput == Throughput(offsets=40, bytes=800, seconds=20)
    text = report_text(report)
    assert text.startswith("verdict: PASS")
    assert "while waiting: 40 offsets in 20.0 s" in text
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
        "validate: records were compared again since. Fix: clear validate with its downstream tasks"
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
    with DAG("stream", schedule=None):
        operator = StreamReportOperator(task_id="report")
    report = operator.build(artifacts)
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
    assert report.failures[0].startswith("remove: ended without a message")


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
    assert (report.verdict, report.failures) == ("FAIL", ["validate: it wrote no checks"])


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

    def xcom_pull(self, task_ids: str, key: str) -> None:
        """No other task has told of itself."""

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> dict[str, dict[str, str]]:
        return {run_ids[0]: dict.fromkeys(("plan", "deploy", "fingerprint_0", "fingerprint_1"), "success")}


def run_task(artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch) -> Ti:
    ti = Ti()
    monkeypatch.setattr(RunArtifacts, "of", classmethod(lambda cls, context: artifacts))
    with DAG("dag", schedule=None):
        operator = ReportOperator(task_id="report", engine="mm2")
    operator.execute_task({"ti": ti, "dag_run": SimpleNamespace(dag_id="dag", run_id="run")})  # type: ignore[typeddict-item]
    return ti


def test_the_task_writes_the_report_and_pushes_the_summary(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_run(artifacts)
    ti = run_task(artifacts, monkeypatch)
    assert ti.pushed["report"]["verdict"] == "PASS"
    assert artifacts.read_json(REPORT)["verdict"] == "PASS"  # type: ignore[index]


def test_what_the_page_reads_is_written_and_named_in_the_xcom(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_run(artifacts)
    first, second = (run_task(artifacts, monkeypatch).pushed["report"] for _ in range(2))
    assert first["pages"] != second["pages"]
    run = read_run(artifacts, "success", second)
    assert run.overview
    assert run.overview.totals.records == 5
    assert read_run(artifacts, "success", first).overview is None


def test_a_disk_that_is_full_for_the_pages_costs_no_verdict(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full(path: Path, mode: str = "r", *more: Any, **rest: Any) -> Any:
        if "pages" in path.parts and "w" in mode:
            raise OSError(28, "No space left on device")
        return opened(path, mode, *more, **rest)

    good_run(artifacts)
    monkeypatch.setattr(Path, "open", full)
    summary = run_task(artifacts, monkeypatch).pushed["report"]
    assert summary["verdict"] == "PASS"
    assert "pages" not in summary
    assert ">PASS<" in render_page(read_run(artifacts, "success", summary), Links("", "", ""))


def test_fail_is_red_and_not_retried_and_the_report_is_there_all_the_same(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_run(artifacts, Status.FAIL)
    with pytest.raises(VerdictFailed, match="failed checks: topics, counts, content") as caught:
        run_task(artifacts, monkeypatch)
    assert not caught.value.retriable
    assert artifacts.read_json(REPORT)["verdict"] == "FAIL"  # type: ignore[index]


def test_the_report_is_not_skipped_when_a_user_ends_the_run() -> None:
    report = ReportOperator(task_id="report", engine="mm2")
    assert (report.is_teardown, report.on_failure_fail_dagrun) == (True, True)


def test_a_report_is_made_also_when_airflow_does_not_say_how_the_tasks_ended(
    artifacts: RunArtifacts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good_run(artifacts)

    def broken(**_: Any) -> Any:
        raise ConnectionError("the API server does not answer")

    monkeypatch.setattr(Ti, "get_task_states", broken)
    assert run_task(artifacts, monkeypatch).pushed["report"]["verdict"] == "PASS"


def test_the_first_task_that_did_not_do_its_work_is_named_though_it_wrote_nothing(artifacts: RunArtifacts) -> None:
    """The process of ``plan`` never began: Airflow's API server did not answer it in time."""
    tasks = {"plan": "failed", **dict.fromkeys(("deploy", "wait_until_converged", "validate"), "upstream_failed")}
    stage(artifacts, "report", 3, "running")
    report = build_report(
        artifacts, "mm2", "report", ReportedJob(), tasks={**tasks, "report": "running"}, judged=JUDGED
    )
    assert report.verdict == "FAIL"
    assert report.failures == [
        "plan: it never started (in Airflow: failed). Fix: see its log in Airflow, then clear it"
    ]


def test_of_tasks_that_were_all_skipped_the_first_is_named(artifacts: RunArtifacts) -> None:
    stage(artifacts, "plan", 0)
    tasks = {"plan": "success", "deploy": "skipped", "validate": "skipped", "report": "running"}
    report = build_report(artifacts, "mm2", "report", ReportedJob(), tasks=tasks, judged=JUDGED)
    assert (report.verdict, report.failures) == ("FAIL", ["deploy: it did not do its work (in Airflow: skipped)"])


@pytest.mark.parametrize(
    ("noted", "state", "words"),
    [
        ("deferred", "failed", "a user marked it, or the run, as failed"),
        ("running", "failed", "was its process killed, or the run marked as failed"),
        ("running", "success", "it was marked as success in Airflow before it had finished"),
        ("success", "failed", "its last try never started"),
    ],
)
def test_what_airflow_says_of_a_task_counts_beside_its_own_notes(
    artifacts: RunArtifacts, noted: str, state: str, words: str
) -> None:
    good_run(artifacts)
    stage(artifacts, "wait_until_converged", 2, noted)
    tasks = {"plan": "success", "wait_until_converged": state, "fingerprint[0]": "success", "validate": "success"}
    report = build_report(artifacts, "mm2", "report", ReportedJob(), tasks=tasks, judged=JUDGED)
    assert report.verdict == "FAIL"
    assert len(report.failures) == 1
    assert report.failures[0].startswith("wait_until_converged: ")
    assert words in report.failures[0]


def test_states_are_told_in_the_order_of_the_dag_and_by_the_names_of_the_timeline() -> None:
    told = {
        "report": "running",
        "fingerprint_10": "failed",
        "fingerprint_2": None,
        "wait_2": "success",
        "plan": "success",
    }
    assert list(task_names(told, ["plan", "wait_2", "fingerprint", "report"]).items()) == [
        ("plan", "success"), ("wait_2", "success"), ("fingerprint[2]", None), ("fingerprint[10]", "failed"),
        ("report", "running"),
    ]  # fmt: skip


GARBAGE = {
    "empty": b"", "cut off": b'{"stage": "plan", "started": "2026-', "binary": bytes(range(256)), "a list": b"[1]",
    "null": b"null", "an object of another kind": b'{"x": {"y": []}}', "deep": b"[" * 100_000,
}  # fmt: skip


OURS = {
    PROGRESS: "PASS", PLAN: "PASS", LEFTOVERS: "FAIL", CANARY: "FAIL", CHECKS_MADE: "FAIL",
    f"{STAGES}/deploy.json": "FAIL", f"{STAGES}/validate.json": "FAIL", f"{FINGERPRINTS}/000.json": "FAIL",
}  # fmt: skip
#: Where such a thing is no damage.
FINE = {(PROGRESS, "empty"), (PLAN, "an object of another kind")}


def archive(artifacts: RunArtifacts) -> Any:
    return build_archive_report(artifacts, "kafka_ferry", "report", ReportedJob(), judged=JUDGED)


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize(
    ("build_one", "name"),
    [*((build, name) for name in OURS),
     *((archive, name) for name in OURS if name not in (PROGRESS, CANARY, f"{FINGERPRINTS}/000.json"))],
)  # fmt: skip
def test_page_and_report_come_whatever_an_artifact_holds(
    artifacts: RunArtifacts, build_one: Any, name: str, kind: str
) -> None:
    good_run(artifacts)
    for line in samples.progress(3):
        artifacts.append_line(PROGRESS, line)
    path = Path(artifacts.path(name))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(GARBAGE[kind])

    report = build_one(artifacts)
    told = " ".join([*report.notes, *report.failures])
    assert report.verdict == OURS[name]
    assert (name.removesuffix("/000.json") in told) == ((name, kind) not in FINE), told
    assert f">{OURS[name]}<" in Path(write_page(artifacts, report)).read_text()
    known = read_run(artifacts, "failed", None, {})  # a page from before the report
    assert "NO VERDICT" in render_page(known, Links("", "", ""))


def test_a_report_that_cannot_be_read_still_gives_its_verdict(artifacts: RunArtifacts) -> None:
    good_run(artifacts)
    summary = build(artifacts).summary("report.json")
    for garbage in GARBAGE.values():
        Path(artifacts.path(REPORT)).write_bytes(garbage)
        known = read_run(artifacts, "success", summary)
        assert known.report is None
        assert ">PASS<" in render_page(known, Links("", "", ""))
