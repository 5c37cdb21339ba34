"""What the machine says of itself and of processes: load, CPU, memory."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import psutil

QUIET_CORES = 0.7
_LOOK_S = 0.5


def describe() -> str:
    """Cores, memory, kernel and load average in one line."""
    memory = psutil.virtual_memory().total / 2**30
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load average {load}"
    )


def await_quiet(patience: float, say: Callable[[str], None]) -> float:
    """Wait until less than :data:`QUIET_CORES` are busy while our own processes rest; the busy cores seen last.

    Not the load average: that remembers for minutes what we did ourselves.
    """
    deadline = time.monotonic() + patience
    while (busy := psutil.cpu_percent(4) / 100 * psutil.cpu_count()) >= QUIET_CORES and time.monotonic() < deadline:
        say(f"{busy:.1f} cores are busy: waiting for a quiet moment")
        time.sleep(4)
    return float(busy)


def cpu_seconds(pid: int | None) -> float:
    """CPU time that a process has used so far."""
    if pid is None:
        raise ProcessLookupError("the process has ended")
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class PeakMemory:
    """Looks at the children of some processes twice a second and keeps the largest RSS of each, by its title.

    :param parents: name → pid; a child is counted as ``<name>: <title>``.
    """

    def __init__(self, parents: Mapping[str, int]) -> None:
        self._parents = dict(parents)
        self.peaks: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_S):
            for name, pid in self._parents.items():
                with contextlib.suppress(psutil.Error):  # ended since the look before
                    parent = psutil.Process(pid)
                    for process in [parent, *parent.children(recursive=True)]:
                        self._note(name, process)

    def _note(self, name: str, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.Error):
            title, memory = " ".join(process.cmdline())[:300], process.memory_info().rss
            key = f"{name}: {title}"
            self.peaks[key] = max(memory, self.peaks.get(key, 0))
