"""Ending a stack's processes in the right order, and removing what it left on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stack import celery, postgres, process
from stack.service import Service
from stack.state import State


def stop_in_order(state: State, report: Callable[[str], None], only: set[str] | None = None) -> None:
    """Brokers after Connect workers, ZooKeepers after brokers, what Airflow stands on after Airflow, all else at the
    same time.

    A worker whose broker is gone cannot leave its group; the next one then waits 8 s to join (measured). A broker
    whose ZooKeeper is gone waits for it. PostgreSQL, told to end, waits for its clients.
    """
    names = set(state.processes) if only is None else only
    kafka = {name for name in names if name.startswith(("source", "target"))}
    connect = {name for name in names if name.startswith("worker") or name == "msk"}
    below = {postgres.NAME, celery.BROKER}
    keepers = {name for name in kafka if name.endswith("-zookeeper")}

    def end(*wanted: str) -> None:
        killed = process.stop([state.mark(name) for name in wanted], Service.stop_grace)
        if killed:
            report(f"stack: {' and '.join(wanted)} did not end within {Service.stop_grace:.0f} s, killed {killed}")

    def end_kafka() -> None:
        if connect:
            end(*sorted(connect))
        end(*sorted(kafka - keepers))
        if keepers:
            end(*sorted(keepers))

    def end_others() -> None:
        end(*sorted(names - kafka - connect - below))
        if names & below:
            end(*sorted(names & below))

    with ThreadPoolExecutor(2, thread_name_prefix="stack") as pool:
        jobs = [pool.submit(end_kafka), pool.submit(end_others)]
        for job in jobs:
            job.result()


def remove(folder: Path, kept: str) -> None:
    """All that is in a folder, but for one file."""
    for path in folder.iterdir():
        if path.name == kept:  # held by us; another command may wait for it
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
