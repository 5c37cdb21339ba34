"""Secured clusters with a replication that is alive, for cutovers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cutover_lab import Lab
from run_by_hand import Run
from stack import Stack

Replicate = Callable[..., Run]


@pytest.fixture
def lab(secure_stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topic_prefix: str) -> Iterator[Lab]:
    """With the stack's own connections."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    for name, value in secure_stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    made = Lab(secure_stack, topic_prefix)
    yield made
    made.close()


@pytest.fixture
def replicate_on() -> Iterator[Callable[[list[str], str], Run]]:
    """``replicate_on(topics, migration)``: by MirrorMaker 2 on the worker that the connections name, from now on."""
    runs: list[Run] = []

    def begin(topics: list[str], migration: str) -> Run:
        run = Run("mirror_maker2_on_connect", topics=topics, migration=migration[:40], keep_replicating=True,
                  canary=False, acls="skip", groups=[])  # fmt: skip
        runs.append(run)
        run.plan()
        run.provision()
        run.deploy()
        run.wait_until_running()
        return run

    yield begin
    for run in runs:
        for name in run.migration.connect.connectors() if run.migration.connect else ():
            if f".{run.migration.spec.migration}." in name:
                run.migration.connect.delete(name, reset_offsets=True)


@pytest.fixture
def replicate(lab: Lab, topic_prefix: str, replicate_on: Callable[[list[str], str], Run]) -> Iterator[Replicate]:
    """``replicate()``: all topics of this prefix, or of another."""
    begun: list[Run] = []

    def begin(prefix: str = topic_prefix) -> Run:
        begun.append(replicate_on([f"{prefix}.*"], f"{prefix}mm"))
        return begun[-1]

    yield begin
    for run in begun:
        for name in run.migration.connect.connectors() if run.migration.connect else ():
            if topic_prefix in name:  # of a way back, too
                run.migration.connect.delete(name, reset_offsets=True)


@pytest.fixture
def webhooks(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``webhooks(conn_id, connection as JSON)``."""

    def make(conn_id: str, value: str) -> None:
        json.loads(value)
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", value)

    return make
