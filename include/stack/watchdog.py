"""Ends a stack when the process that owns it is gone, however that process died.

Test sessions and the demo start their stack with an owner. `make up` does not: that stack is meant to stay.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil

from stack.service import Service
from stack.state import State

INTERVAL = 0.5  # seconds


class Watchdog(Service):
    """A small Python process beside the stack."""

    stop_grace = 2.0

    def __init__(self, folder: Path, state: State, owner_pid: int) -> None:
        super().__init__("watchdog", folder, state)
        self._owner_pid = owner_pid
        # With the time of its creation, so that a reused pid is not taken for the owner.
        self._owner_created = psutil.Process(owner_pid).create_time()

    def command(self) -> list[str]:
        owner = f"{self._owner_pid}:{self._owner_created}"
        return [sys.executable, "-m", "stack", "watch", "--dir", str(self.folder), "--owner", owner]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}

    def problem(self) -> str | None:
        return None


def wait_for_end(owner: str) -> None:
    """Return when the process ``<pid>:<create time>`` does not live any more."""
    pid, created = owner.split(":")
    while True:
        try:
            process = psutil.Process(int(pid))
            if process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - float(created)) > 2:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(INTERVAL)
