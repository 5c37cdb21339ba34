"""Processes that outlive their launcher: started in a session of their own, found again, ended for sure.

Every process carries a mark in its environment, ``FERRY_STACK_MARK=<id of the stack>:<name>``, and hands it to its
children. So what belongs to a stack is found also when the launcher was killed before it could write anything down, and
a process that merely got a reused pid is never taken for ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "FERRY_STACK_MARK"
CREATE_TIME_TOLERANCE = 2.0  # seconds: psutil derives it from the boot time, which moves when the clock is set

# Children of this very process: they must be waited for, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """A started process as it is written into the state file."""

    pid: int
    create_time: float  # seconds since the epoch, as psutil tells it
    mark: str
    fingerprint: str  # of command, settings and config files: says whether it may be adopted
    log: str
    ready: bool = False  # was healthy at least once

    def process(self) -> psutil.Process | None:
        """The live process, or None when it ended or its pid now belongs to somebody else."""
        _reap(self.pid)
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.create_time) > CREATE_TIME_TOLERANCE or not _lives(process):
                return None
            return process if self._is_ours(process) else None
        except psutil.NoSuchProcess:
            return None

    def _is_ours(self, process: psutil.Process) -> bool:
        """Java and Python's scripts exec once more as they start: for a moment /proc shows no environment (seen as "the
        process ended" with an empty log, once in some starts). So a process without any is looked at again."""
        for _ in range(10):
            if values := _environment(process):  # read once: the environment may appear between two looks
                return values.get(MARK) == self.mark
            time.sleep(0.02)
        return False


def start(
    command: Sequence[str], *, mark: str, fingerprint: str, log: Path, environment: Mapping[str, str], folder: Path
) -> Running:
    """Start a process in its own session, so that neither Ctrl-C nor the end of the terminal reaches it.

    Its output goes to ``log``; the log of the start before is kept as ``<log>.1``.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(f"{log}.1")
    # SPT_NOENV: without it setproctitle (used by Airflow) overwrites what /proc shows as environment, and our mark.
    full = {**with_path(environment), MARK: mark, "SPT_NOENV": "1"}
    with log.open("wb") as out:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=full,
            cwd=folder,
            start_new_session=True,
        )
    _children[child.pid] = child
    try:
        created = psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:  # ended at once: the caller's health check tells so
        created = 0.0
    return Running(child.pid, created, mark, fingerprint, str(log))


def with_path(values: Mapping[str, str]) -> dict[str, str]:
    """For ``subprocess``: this process's environment, overlaid, the venv first on PATH."""
    return {**os.environ, **values, "PATH": programs_path()}


def programs_path() -> str:
    """PATH with the running venv first: Airflow starts its parts as ``airflow``, by name."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def marked(prefix: str) -> list[psutil.Process]:
    """Live processes with this mark, or, when it ends with a colon (``<id>:``), of that whole stack."""
    mine = os.getuid()
    found = []
    for process in psutil.process_iter():
        try:
            if process.uids().real == mine and _lives(process) and _is_marked(process, prefix):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def marks(prefix: str) -> set[str]:
    """The different marks that :func:`marked` finds."""
    found = set()
    for process in marked(prefix):
        with contextlib.suppress(psutil.Error):
            found.add(process.environ()[MARK])
    return found


def stop(prefixes: Iterable[str], grace: float) -> int:
    """End all processes with such marks: TERM to each, KILL to those that still live after ``grace`` seconds.

    Works on all members of the process trees at once, as Airflow's main process passes no signal on to its children.
    Never touches the calling process.

    :returns: how many had to be killed.
    """
    wanted = tuple(prefixes)
    if grace > 0:
        _wait(_signal_all(wanted, signal.SIGTERM), grace)
    killed = 0
    for _ in range(50):  # a process may fork between the look and the signal
        left = _signal_all(wanted, signal.SIGKILL)
        if not left:
            return killed
        killed += len(left)
        _wait(left, 2)
    return killed


def end(running: Running, grace: float) -> None:
    """End one process, none of its children: TERM, KILL when it still lives after ``grace`` seconds."""
    process = running.process()
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        _wait([process], grace)
        process.kill()
        _wait([process], 2)


def kill9(running: Running) -> None:
    """SIGKILL to one process and wait until it is gone; for fault tests."""
    process = running.process()
    if process is not None:
        process.kill()
        _wait([process], 10)


def tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log file, indented; says so when there is none."""
    if not log.exists():
        return f"    (no log at {log})"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64 * 1024))
        text = file.read().decode(errors="replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (the log is empty)"


def _signal_all(prefixes: tuple[str, ...], number: signal.Signals) -> list[psutil.Process]:
    reached = []
    for process in {process for prefix in prefixes for process in marked(prefix)}:
        if process.pid == os.getpid():
            continue
        try:
            process.send_signal(number)
            reached.append(process)
        except psutil.NoSuchProcess:
            continue
    return reached


def _wait(processes: list[psutil.Process], timeout: float) -> None:
    """Until all have ended. A zombie counts as ended: orphans are reaped by init, which may take its time."""
    deadline = time.monotonic() + timeout
    while any(_still(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)


def _still(process: psutil.Process) -> bool:
    _reap(process.pid)
    return bool(process.is_running()) and _lives(process)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_marked(process: psutil.Process, prefix: str) -> bool:
    mark = _environment(process).get(MARK, "")
    return bool(mark.startswith(prefix) if prefix.endswith(":") else mark == prefix)


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.AccessDenied, psutil.ZombieProcess):
        return {}


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        _children.pop(pid, None)
