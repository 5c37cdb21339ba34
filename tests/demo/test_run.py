"""The demo's steps with a stack and an Airflow that are made up: order, verdict, exit code, what is stopped."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo import __main__ as command
from demo import run
from demo.airflow_api import AirflowApiError, Task
from demo.display import ProgressLine
from demo.run import Demo, DemoError

REPORT = {
    "verdict": "PASS",
    "checks": [{"name": "topics", "status": "pass", "expected": "9", "actual": "9"}],
    "timeline": [{"stage": "plan", "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:02Z"}],
    "failures": [],
}


class FakeStack:
    source_bootstrap = "127.0.0.1:1"

    def __init__(self, folder: Path, report: Callable[[str], None], fault: BaseException | None = None) -> None:
        self.folder, self.report, self.fault = folder, report, fault
        self.calls: list[str] = []

    def up(self) -> FakeStack:
        self.calls.append("up")
        self.report("source: ready after 1.0 s (pid 1)")
        if self.fault:
            raise self.fault
        return self

    def down(self, purge: bool = False) -> None:
        self.calls.append("purge" if purge else "down")

    def variables(self) -> dict[str, str]:
        return {
            "FERRY_AIRFLOW_URL": "http://127.0.0.1:2",
            "FERRY_AIRFLOW_USER": "admin",
            "FERRY_AIRFLOW_PASSWORD": "p",
            "FERRY_ARTIFACTS": str(self.folder),
        }


class FakeApi:
    """A run that is seen running once and then ends in ``end``; writes the report as the DAG would."""

    def __init__(self, folder: Path, end: str = "success", report: dict[str, Any] | None = REPORT) -> None:
        self.folder, self.end, self.report = folder / run.DAG_ID / run.RUN_ID, end, report
        self.states = ["running", end]
        self.conf: dict[str, Any] = {}
        self.known = [False, True]

    def dag_is_known(self, dag_id: str) -> bool:
        return self.known.pop(0) if self.known else False

    def import_errors(self) -> list[str]:
        return ["broken.py:\nSyntaxError"]

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        self.conf = conf
        self.folder.mkdir(parents=True)
        (self.folder / "progress.jsonl").write_text('{"offsets": 1, "total_offsets": 2, "bytes": 3}\n{"half')
        if self.report:
            (self.folder / "report.json").write_text(json.dumps(self.report))

    def state(self, dag_id: str, run_id: str) -> str:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        last = "failed" if self.end == "failed" else "deferred"
        return [Task("plan", "success", -1, 1), Task("wait_until_converged", last, -1, 2)]

    def log(self, dag_id: str, run_id: str, task: Task) -> list[str]:
        return [f"line {i} of {task.name}" for i in range(100)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "POLL_S", 0.01)


def make(folder: Path, api: FakeApi, out: io.StringIO, **options: Any) -> Demo:
    fault = options.pop("fault", None)
    loaded = options.pop("load", lambda *args, **kwargs: "9 topics")
    return Demo(
        lambda report: FakeStack(folder, report, fault),
        ProgressLine(out),
        scale=0.01,
        load=loaded,
        open_api=lambda *login: api,
        **options,
    )


def test_a_passing_run(tmp_path: Path) -> None:
    out, api = io.StringIO(), FakeApi(tmp_path)
    demo = make(tmp_path, api, out)
    outcome = demo.run()
    assert outcome.passed
    assert outcome.report_path == tmp_path / run.DAG_ID / "demo" / "report.json"
    names = [name for name, _, _ in demo.times]
    assert sorted(names[:2]) == ["data", "stack start"]  # side by side
    assert names[2:] == ["DAG found by Airflow", "DAG run", "  plan", "  Airflow"]
    assert "wait_until_converged (1 of 2 tasks done) · 50 % · 1 of 2 offsets" in out.getvalue()
    assert "hard.empty" in api.conf["topics"]
    assert api.conf["groups"] == [".*"]


@pytest.mark.parametrize(
    ("end", "report"),
    [("failed", REPORT), ("success", {**REPORT, "verdict": "FAIL"}), ("success", None), ("failed", None)],
)
def test_anything_but_success_and_pass_is_no_pass(tmp_path: Path, end: str, report: dict[str, Any] | None) -> None:
    assert not make(tmp_path, FakeApi(tmp_path, end, report), io.StringIO()).run().passed


def test_a_failed_task_shows_the_end_of_its_log(tmp_path: Path) -> None:
    out = io.StringIO()
    make(tmp_path, FakeApi(tmp_path, "failed", None), out).run()
    assert "Task wait_until_converged failed (try 2)" in out.getvalue()
    assert "line 99 of wait_until_converged" in out.getvalue()
    assert "line 59 of" not in out.getvalue()


def test_data_that_cannot_be_loaded_ends_the_demo(tmp_path: Path) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    with pytest.raises(DemoError, match="loading the data failed: disk full"):
        make(tmp_path, FakeApi(tmp_path), io.StringIO(), load=broken).run()


def test_a_dag_that_does_not_parse_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DAG_TIMEOUT_S", 0.05)
    api = FakeApi(tmp_path)
    api.known = []
    with pytest.raises(DemoError, match=r"(?s)did not find mirror_maker2_on_connect.*broken\.py:\nSyntaxError"):
        make(tmp_path, api, io.StringIO()).run()


def test_a_run_that_does_not_end_is_left_with_its_stage(tmp_path: Path) -> None:
    api = FakeApi(tmp_path)
    api.states = ["running"]
    with pytest.raises(DemoError, match=r"did not end within 0 s; it was in: wait_until_converged"):
        make(tmp_path, api, io.StringIO(), run_timeout=0.05).run()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[FakeStack]:
    """Replaces stack, data and Airflow below the command; the stacks it makes."""
    made: list[FakeStack] = []

    def make_stack(folder: Path, airflow: bool, owner_pid: int | None, report: Callable[[str], None]) -> FakeStack:
        made.append(FakeStack(tmp_path, report))
        made[-1].calls.append(f"owner {'none' if owner_pid is None else 'me'}")
        return made[-1]

    monkeypatch.setattr(command, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(command, "Stack", make_stack)
    return made


def connect(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    """Let the command's demo talk to this Airflow."""
    original = Demo.__post_init__

    def patched(self: Demo) -> None:
        self.load, self.open_api = (lambda *args, **kwargs: "9 topics"), (lambda *login: api)  # type: ignore[assignment]
        original(self)

    monkeypatch.setattr(Demo, "__post_init__", patched)


def test_exit_code_0_on_pass_and_all_is_stopped(
    tmp_path: Path, stacks: list[FakeStack], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(monkeypatch, FakeApi(tmp_path))
    assert command.main(["--scale", "0.01"]) == 0
    assert stacks[0].calls == ["owner me", "purge", "up", "down"]
    printed = capsys.readouterr().out
    assert "VERDICT: PASS  (DAG run: success)" in printed
    assert f"Report: {tmp_path / run.DAG_ID / 'demo' / 'report.json'}" in printed
    assert "✓ topics" in printed
    assert "total" in printed


def test_exit_code_1_on_fail_and_all_is_stopped(
    tmp_path: Path, stacks: list[FakeStack], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = {**REPORT, "verdict": "FAIL", "failures": ["topic a: 3 records lost"]}
    connect(monkeypatch, FakeApi(tmp_path, "failed", report))
    assert command.main(["--scale", "0.01"]) == 1
    assert stacks[0].calls[-1] == "down"
    printed = capsys.readouterr().out
    assert "VERDICT: FAIL  (DAG run: failed)" in printed
    assert "topic a: 3 records lost" in printed


@pytest.mark.parametrize(("fault", "code"), [(AirflowApiError("HTTP 500"), 1), (KeyboardInterrupt(), 130)])
def test_faults_and_ctrl_c_stop_everything(
    tmp_path: Path,
    stacks: list[FakeStack],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: BaseException,
    code: int,
) -> None:
    api = FakeApi(tmp_path)

    def broken(*args: object) -> str:
        raise fault

    monkeypatch.setattr(api, "state", broken)
    connect(monkeypatch, api)
    assert command.main(["--scale", "0.01"]) == code
    assert stacks[0].calls[-1] == "down"
    assert "VERDICT: PASS" not in capsys.readouterr().out


def test_an_unforeseen_error_stops_everything_and_is_not_swallowed(
    tmp_path: Path, stacks: list[FakeStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = FakeApi(tmp_path)
    api.report = {"verdict": "PASS"}  # no checks: a broken report
    connect(monkeypatch, api)
    with pytest.raises(KeyError):
        command.main(["--scale", "0.01"])
    assert stacks[0].calls[-1] == "down"


def test_keep_leaves_the_stack_up_and_tells_the_login(
    tmp_path: Path, stacks: list[FakeStack], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(monkeypatch, FakeApi(tmp_path))
    assert command.main(["--scale", "0.01", "--keep"]) == 0
    assert stacks[0].calls == ["owner none", "purge", "up"]
    printed = capsys.readouterr().out
    assert "http://127.0.0.1:2" in printed
    assert "login admin / p" in printed
