"""How much memory each task of Airflow's takes: looked at while it works, with its children."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import psutil

#: What Airflow calls the process that runs a task's code; its parent watches over it, and takes some as well.
TITLE = "airflow worker -- "


class TaskMemory:
    """Looks at all tasks below some processes, four times a second, between ``with`` and its end.

    :ivar most: task instance's id to most bytes at once, of it and its children: what they share counts in part (PSS).
    """

    def __init__(self, roots: Iterable[int]) -> None:
        self._roots, self.most = list(roots), dict[str, int]()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> TaskMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def of(self, instances: Iterable[dict[str, Any]]) -> dict[str, int]:
        """Task id to most bytes of any of its instances, as Airflow's API lists them."""
        found: dict[str, int] = {}
        for one in instances:
            if one["id"] in self.most:
                found[one["task_id"]] = max(found.get(one["task_id"], 0), self.most[one["id"]])
        return found

    def _look(self) -> None:
        while not self._ended.wait(0.25):
            for task, name in self._tasks():
                self.most[name] = max(self.most.get(name, 0), _bytes_of(task))

    def _tasks(self) -> Iterator[tuple[psutil.Process, str]]:
        for root in self._roots:
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(root).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        title = " ".join(process.cmdline()).strip()
                        if title.startswith(TITLE):
                            yield process, title.removeprefix(TITLE).strip()


def _bytes_of(task: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in [task, *task.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total
