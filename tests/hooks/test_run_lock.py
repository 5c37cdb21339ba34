"""One run at a time per migration; no lock that outlives its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.run_lock import claim, other_holder
from kafka_ferry.report.storage import RunArtifacts


@pytest.fixture
def alive() -> set[str]:
    """The runs that Airflow says are queued or running."""
    return set()


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: set[str]) -> Callable[[str], Any]:
    """``context(run_id)`` of a task."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))

    def make(run_id: str) -> Any:
        ti = SimpleNamespace(get_dr_count=lambda dag_id, run_ids, states: len(alive & set(run_ids)))
        return {"dag_run": SimpleNamespace(dag_id="preflight", run_id=run_id), "ti": ti}

    return make


def test_two_runs_of_one_migration(context: Any, alive: set[str]) -> None:
    first, second = context("first"), context("second")
    alive.update({"first", "second"})
    claim(first, "m", settle_seconds=0)
    claim(first, "m", settle_seconds=0)  # a retry, or a clear
    with pytest.raises(BadParam, match="run 'first' of this DAG is at work") as caught:
        claim(second, "m", settle_seconds=0)
    assert caught.value.param == "migration"
    claim(second, "another", settle_seconds=0)
    assert (other_holder(first, "m"), other_holder(second, "m")) == (None, "first")

    alive.discard("first")  # ended, killed or deleted: no lock is left behind
    claim(second, "m", settle_seconds=0)
    alive.add("first")  # cleared later, while the second works
    with pytest.raises(BadParam, match="run 'second'"):
        claim(first, "m", settle_seconds=0)
    assert other_holder(first, "m") == "second", "its teardown leaves the second's connectors alone"


def test_of_two_that_claim_at_the_same_moment_one_wins(
    context: Any, alive: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = context("first"), context("second")
    alive.update({"first", "second"})

    def meanwhile(_seconds: float) -> None:  # between the first's write and its second look
        monkeypatch.setattr("kafka_ferry.hooks.run_lock.time.sleep", lambda _seconds: None)
        RunArtifacts("preflight", "_migrations").write_json("m.json", {"run_id": "second"})
        claim(second, "m")

    monkeypatch.setattr("kafka_ferry.hooks.run_lock.time.sleep", meanwhile)
    with pytest.raises(BadParam, match="run 'second'"):
        claim(first, "m")
