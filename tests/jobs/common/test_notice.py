"""Callbacks of a DAG: what notifiers are told of a run, and that each run is told of anew."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, BaseNotifier

from kafka_ferry.core.job_name import KEY, JobName
from kafka_ferry.jobs.common import notice
from kafka_ferry.jobs.common.notice import notice_of, notify_by
from kafka_ferry.jobs.common.report import ReportOperator
from kafka_ferry.jobs.migration.tasks.plan import PlanOperator
from kafka_ferry.report.artifacts import REPORT, RunArtifacts
from operate_snippets import snippet
from receivers import Receivers

LINK = "http://localhost:8080/dags/moves/runs/manual__2026-11-30T03%3A48%3A10%2B00%3A00/plugin/kafka_ferry"
RUN = "manual__2026-11-30T03:48:10+00:00"


class Heard(BaseNotifier):
    """A notifier as those of providers are."""

    template_fields = ("text",)
    said: list[str] = []  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Any) -> None:
        self.said.append(self.text)


def summary(verdict: str, **more: Any) -> dict[str, Any]:
    return {"verdict": verdict, "topics": 2, "groups": 1, "checks": {}, "failures": [], **more}


def context(found: Any, reason: str = "success", name: str = "orders") -> dict[str, Any]:
    """As the DAG processor makes it."""
    with DAG("moves", schedule=None) as dag:
        PlanOperator(task_id="plan") >> ReportOperator(task_id="report")
    job = JobName(kind="copy", name=name).to_json()

    def xcom_pull(task_ids: str, key: str) -> Any:
        if isinstance(found, Exception):
            raise found
        return {("report", "report"): found, ("plan", KEY): job}[task_ids, key]

    return {"dag": dag, "run_id": RUN, "ti": SimpleNamespace(xcom_pull=xcom_pull), "reason": reason}


@pytest.mark.parametrize(
    ("found", "reason", "verdict", "line"),
    [
        (summary("PASS"), "success", "PASS", "PASS: moves, orders. 2 topics, 1 group."),
        (
            summary("FAIL", checks={"counts": "fail", "content": "fail", "acls": "pass"}),
            "task_failure",
            "FAIL",
            "FAIL: moves, orders. Failed checks: counts, content.",
        ),
        (
            summary("FAIL", failures=["deploy: <!channel> {{ conn.x }}", "fingerprint[3]: x", "fingerprint[4]: y"]),
            "task_failure",
            "FAIL",
            "FAIL: moves, orders. Failed: deploy, fingerprint.",
        ),
        (None, "success", "no verdict", "no verdict: moves, orders. A dry run, or the report did not run."),
        (
            summary("PASS"),
            "task_failure",
            "no verdict",
            "no verdict: moves, orders. The run failed, or was marked so, after its report said PASS.",
        ),
        ("no mapping", "success", "no verdict", "no verdict: moves, orders. A dry run, or the report did not run."),
    ],
)  # fmt: skip
def test_verdict_and_link_are_told(found: Any, reason: str, verdict: str, line: str) -> None:
    told = notice_of(context(found, reason))
    assert told == {"verdict": verdict, "report_link": LINK, "verdict_line": f"{line} {LINK}"}


def test_nothing_that_a_cluster_named_is_told() -> None:
    """A name could be a command of Slack's, markup in a mail, or a template."""
    evil = "<!channel> {{ conn.secret.password }} <img src=x>"
    found = summary("FAIL", failures=[f"validate: {evil}", evil])
    line = notice_of(context(found, "task_failure", name=evil))["verdict_line"]
    assert not set("<>{}!") & set(line)


def test_each_run_is_told_of_anew() -> None:
    """A notifier of Airflow's renders its templates once, and says the same of every later run."""
    template = "{{ verdict_line }}"
    once = Heard(template)
    Heard.said.clear()
    for found in (summary("PASS"), summary("FAIL")):
        made = context(found, "success")
        once({**made, **notice_of(made)})
    assert [text[:4] for text in Heard.said] == ["PASS", "PASS"], "if that has changed, notify_by may be simpler"

    Heard.said.clear()
    tell = notify_by(Heard, text=template)
    for found in (summary("PASS"), summary("FAIL")):
        tell(context(found, "success"))
    assert [text[:4] for text in Heard.said] == ["PASS", "FAIL"]


def test_without_xcoms_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In `airflow dags test`, and in Airflow 3.0, where a question for XComs is never answered."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    asked = context(ImportError("SUPERVISOR_COMMS"))
    assert notice_of(asked)["verdict"] == "no verdict"
    checks = [{"name": "counts", "status": "fail"}, {"name": "topics", "status": "pass"}]
    report = {"dag_id": "moves", "run_id": RUN, "verdict": "FAIL", "checks": checks, "failures": []}
    RunArtifacts("moves", RUN).write_json(REPORT, report)
    asked["reason"] = "task_failure"
    assert "Failed checks: counts. " in notice_of(asked)["verdict_line"]

    monkeypatch.setattr(notice, "CALLBACKS_READ_XCOMS", False)
    waits = context(AssertionError("asked for an XCom"), "task_failure")
    assert notice_of(waits)["verdict"] == "FAIL"
    RunArtifacts("moves", RUN).write_text(REPORT, "{ cut off")
    assert notice_of(waits) == {
        "verdict": "no verdict",
        "report_link": LINK,
        "verdict_line": f"no verdict: moves. A dry run, or the report did not run. {LINK}",
    }


def test_a_dag_that_is_not_ours_is_told_of_too() -> None:
    bare = {"dag": DAG("theirs", schedule=None), "run_id": "r", "reason": "task_failure"}
    assert notice_of(bare)["verdict_line"].startswith("no verdict: theirs. ")


def test_the_notifiers_that_the_docs_show_reach_their_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's, a mail server's and a webhook's, of the providers; each run by its own words."""
    shown: dict[str, Any] = {}
    exec(snippet("SmtpNotifier"), shown)  # noqa: S102  # our own text
    with Receivers() as received:
        for name, connection in received.connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for found, reason in ((summary("PASS"), "success"), (summary("FAIL"), "task_failure")):
            for notifier in ("slack", "mail", "webhook"):
                shown[notifier](context(found, reason))
        lines = [notice_of(context(found, reason))["verdict_line"]
                 for found, reason in ((summary("PASS"), "success"), (summary("FAIL"), "task_failure"))]  # fmt: skip
        assert [body["text"] for body in received.posted("/T/B/x", "moves")] == lines
        assert received.posted("/kafka", "moves") == [{"verdict": word, "link": LINK} for word in ("PASS", "FAIL")]
        assert [(subject, text.strip()) for subject, text in received.mails] == [
            ("PASS: moves", lines[0]),
            ("FAIL: moves", lines[1]),
        ]
