"""The stage every task keeps: start, end, error; and which failures are worth a retry."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped, TaskDeferred
from airflow.sdk.log import mask_secret
from airflow.triggers.testing import SuccessTrigger

from kafka_ferry.exceptions import BadParam, DataLossError, FerryError, TransientError
from kafka_ferry.jobs.common.tasks import FerryOperator, stage, stage_file
from kafka_ferry.report.artifacts import ArtifactsUnwritable, RunArtifacts


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))


def context(try_number: int = 1, map_index: int | None = -1) -> Any:
    ti = SimpleNamespace(task_id="t", try_number=try_number, map_index=map_index)
    return {"ti": ti, "dag_run": SimpleNamespace(dag_id="d", run_id="r")}


def noted(ctx: Any) -> dict[str, Any]:
    found = RunArtifacts.of(ctx).read_json(stage_file(ctx))
    assert found is not None
    return dict(found)


def raising(error: BaseException, ctx: Any) -> BaseException:
    with pytest.raises(type(error) if not isinstance(error, FerryError) else Exception) as caught, stage(ctx):
        raise error
    return caught.value


def test_success() -> None:
    ctx = context()
    with stage(ctx):
        assert noted(ctx)["state"] == "running"
    entry = noted(ctx)
    assert (entry["stage"], entry["state"], entry["error"]) == ("t", "success", "")
    assert entry["started"] <= entry["ended"]
    assert entry["started"].endswith("+00:00")


@pytest.mark.parametrize(("index", "name"), [(-1, "t.json"), (None, "t.json"), (0, "t.0.json"), (63, "t.63.json")])
def test_one_file_per_map_index(index: int | None, name: str) -> None:
    assert stage_file(context(map_index=index)) == f"stages/{name}"


@pytest.mark.parametrize("error", [FerryError("no"), DataLossError("no"), BadParam("topics", "no", "yes")])
def test_what_no_retry_can_cure_fails_without_one(error: FerryError) -> None:
    ctx = context()
    raised = raising(error, ctx)
    assert type(raised) is AirflowFailException
    assert str(raised) == str(error)
    assert raised.__cause__ is error
    assert (noted(ctx)["state"], noted(ctx)["error"]) == ("failed", str(error))
    assert noted(ctx)["ended"]


def test_what_airflow_knows_to_be_secret_is_in_no_artifact() -> None:
    mask_secret("correct-horse-battery")  # as hooks do with what a connection holds
    for error in (TransientError("it said correct-horse-battery"), RuntimeError("it said correct-horse-battery")):
        ctx = context()
        raising(error, ctx)
        assert noted(ctx)["error"] == "it said ***"


def test_outside_faults_are_left_to_the_retries() -> None:
    ctx, error = context(), TransientError("broker away")
    assert raising(error, ctx) is error
    assert (noted(ctx)["state"], noted(ctx)["error"]) == ("failed", "broker away")


def test_any_other_error_is_noted_and_passes() -> None:
    ctx, error = context(), KeyError("x")
    assert raising(error, ctx) is error
    assert noted(ctx)["state"] == "failed"
    assert noted(context()) == noted(ctx)


def away(folder: Path) -> None:
    """The artifacts are gone; nothing can be written where they were."""
    if folder.is_dir():
        folder.rename(folder.with_name(f"{folder.name}-before"))
    folder.write_text("no folder")


def test_where_the_start_cannot_be_noted_nothing_is_begun(tmp_path: Path) -> None:
    away(tmp_path)
    with pytest.raises(ArtifactsUnwritable, match="Fix: "), stage(context()):
        pytest.fail("it was begun")


def test_a_teardown_works_even_then_and_fails_afterwards(tmp_path: Path) -> None:
    away(tmp_path)
    worked = []

    class Remove(FerryOperator):
        def execute_task(self, context: Any) -> None:
            worked.append(1)

    with pytest.raises(ArtifactsUnwritable):
        Remove(task_id="t").execute(context())
    assert worked == []
    with pytest.raises(ArtifactsUnwritable):
        Remove(task_id="t").as_teardown().execute(context())
    assert worked == [1]


@pytest.mark.parametrize("error", [TransientError("broker away"), KeyError("x"), AirflowSkipException()])
def test_what_cannot_be_noted_hides_no_error(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as caught, stage(context()):
        away(tmp_path)
        raise error
    assert caught.value is error


def test_an_error_without_words_is_named_by_its_kind() -> None:
    ctx = context()
    raising(KeyboardInterrupt(), ctx)
    assert noted(ctx)["error"] == "KeyboardInterrupt"


@pytest.mark.parametrize("error", [AirflowSkipException("x"), DownstreamTasksSkipped(tasks=["y"])])
def test_skipping_is_success(error: BaseException) -> None:
    ctx = context()
    assert raising(error, ctx) is error
    assert noted(ctx)["state"] == "success"


def deferred() -> TaskDeferred:
    return TaskDeferred(trigger=SuccessTrigger(), method_name="execute_complete")


def test_a_task_that_resumes_keeps_its_start() -> None:
    ctx = context()
    raising(deferred(), ctx)
    first = noted(ctx)
    assert (first["state"], first["ended"]) == ("deferred", None)
    _backdate(ctx)
    with stage(ctx):
        pass
    assert noted(ctx)["started"] == "2026-01-01T00:00:00.000+00:00"
    assert noted(ctx)["state"] == "success"


@pytest.mark.parametrize("before", ["deferred", "success"])
def test_a_new_try_starts_anew(before: str) -> None:
    if before == "deferred":
        raising(deferred(), context())
    else:
        with stage(context()):
            pass
    _backdate(context())
    with stage(context(try_number=2)):
        pass
    entry = noted(context())
    assert entry["started"] > "2026-01-01T00:00:00.000+00:00"
    assert entry["try_number"] == 2


def _backdate(ctx: Any) -> None:
    RunArtifacts.of(ctx).write_json(stage_file(ctx), noted(ctx) | {"started": "2026-01-01T00:00:00.000+00:00"})


def test_an_operator_returns_what_ferry_returns() -> None:
    class Answer(FerryOperator):
        def execute_task(self, context: Any) -> Any:
            return 42

    ctx = context()
    assert Answer(task_id="t").execute(ctx) == 42
    assert noted(ctx)["state"] == "success"


@pytest.mark.parametrize("error", [ValueError, TransientError, DataLossError])
def test_a_secret_in_somebody_elses_words_does_not_reach_the_artifacts(error: type[Exception]) -> None:
    ctx = context()
    raising(error("cannot reach https://ferry:hunter2@worker:8083/connectors"), ctx)
    told = noted(ctx)["error"]
    assert "hunter2" not in told
    assert "worker:8083" in told
