"""Runs of one backup name wait for each other, bounded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import TransientError
from kafka_ferry.jobs.backup.store.backup_lock import wait_for_lock
from kafka_ferry.jobs.common.run_lock import SharedName

B = SharedName("backup", "b", "store/b")


@pytest.fixture
def alive() -> list[str]:
    return []


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: list[str]) -> Any:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    asked = []

    def make(run_id: str, asks: int = 10**6) -> Any:
        """:param asks: how often Airflow says that the others are alive."""

        def count(dag_id: str, run_ids: list[str], states: list[str]) -> int:
            asked.append(run_ids)
            return len(set(alive) & set(run_ids)) if len(asked) <= asks else 0

        return {"dag_run": SimpleNamespace(dag_id="d", run_id=run_id), "ti": SimpleNamespace(get_dr_count=count)}

    return make


def test_a_run_keeps_its_turn_and_others_wait_until_it_has_ended(context: Any, alive: list[str]) -> None:
    wait_for_lock(context("one"), B)
    alive.append("one")
    wait_for_lock(context("one"), B, seconds=0)
    with pytest.raises(TransientError, match="one is still working on the backups 'b'"):
        wait_for_lock(context("two"), B, seconds=0.05, poll_seconds=0.01)
    wait_for_lock(context("two"), SharedName("backup", "other", "store/other"), seconds=0)
    alive.append("two")
    wait_for_lock(context("three", asks=6), B, seconds=60, poll_seconds=0.01)
