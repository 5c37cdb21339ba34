"""Stacks of a test module's own: other versions of Kafka, several brokers, other workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stack import Stack


@contextmanager
def own_stack(name: str, **kind: Any) -> Iterator[Stack]:
    """It runs; its data goes with it.

    :param name: of its folder. ``kind``: what ``Stack`` takes, such as ``source="2.6.0x2"``.
    """
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / name
    stack = Stack(folder, owner_pid=int(os.environ["FERRY_TEST_SESSION_PID"]), report=print, **kind).up()
    try:
        yield stack
    finally:  # in a test's own block a failure comes here, and the session's folder goes before the watchdog looks
        stack.down(purge=True)


def use(stack: Stack, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Its connections are Airflow's, and artifacts go below ``folder``."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(folder / "artifacts"))
    for name, value in stack.variables().items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
