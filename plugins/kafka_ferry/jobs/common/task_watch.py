"""A task that makes no progress ends. Free of Airflow.

Progress is what comes from outside: records, answers of brokers, workers, stores and databases. Those who wait for it
call :func:`beat`. When nothing has beaten for so long, the watch ends the children, then raises in the main thread,
and when that does not end the task either (a call into C that never returns, a thread that is waited for) it ends
the process. Airflow's ``execution_timeout`` alone would not: it raises by a signal's handler, which Python runs only
between two instructions of its own (``airflow/sdk/execution_time/timeout.py``, 3.3.2).

The last resort is faulthandler's own thread, which needs no GIL: a loop in C that holds it stops every other.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from kafka_ferry.core.heartbeat import beat, last_beat
from kafka_ferry.exceptions import TransientError

VARIABLE = "FERRY_NO_PROGRESS_SECONDS"
SECONDS = 1800.0
_GRACE = 30.0  # for what waits to be tidied away after an error
_STDERR = 2  # the task's log

_enders: set[Callable[[], None]] = set()


def ends_with(end: Callable[[], None]) -> Callable[[], None]:
    """Call this when the task makes no progress: it ends a child, say. Returns what takes it back."""
    _enders.add(end)
    return lambda: _enders.discard(end)


def limit_of(*seconds: float) -> float:
    """How long a task may go without progress: ``FERRY_NO_PROGRESS_SECONDS``, 30 minutes by default, and no less than
    twice what its params let it wait for anything."""
    return max([float(os.environ.get(VARIABLE, SECONDS)), *(2 * one for one in seconds)])


class NoProgress(TransientError):
    """The task waited for something that did not come."""


@contextlib.contextmanager
def ended_without_progress(
    limit: float, tell: Callable[[str], None], grace: float = _GRACE, last_resort: bool = True
) -> Iterator[None]:
    """Watch the block, in the main thread of a task's process; elsewhere it is not watched.

    :param limit: seconds without a beat.
    :param tell: notes why, before the process is ended.
    :param last_resort: false where faulthandler serves somebody else, as in tests.
    :raises NoProgress: in the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    beat()
    watch = _Watch(limit, tell, grace, last_resort)
    before = signal.signal(signal.SIGUSR2, watch.interrupted)
    watch.start()
    try:
        yield
    finally:
        watch.over.set()
        signal.signal(signal.SIGUSR2, before)
        if last_resort:
            faulthandler.cancel_dump_traceback_later()


class _Watch(threading.Thread):
    def __init__(self, limit: float, tell: Callable[[str], None], grace: float, last_resort: bool) -> None:
        super().__init__(name="no progress", daemon=True)
        self.over = threading.Event()
        self._limit, self._tell, self._grace, self._last_resort = limit, tell, grace, last_resort
        self._main = threading.main_thread().ident or 0
        self._why = (
            f"no progress for {limit:g} s: nothing came from any broker, worker, store or database, and no record was "
            f"taken. Fix: see the tracebacks in this task's log for what it waits for; {VARIABLE} sets how long"
        )

    def interrupted(self, number: int, frame: FrameType | None) -> None:
        raise NoProgress(self._why)

    def run(self) -> None:
        while not self.over.wait(min(5.0, self._limit / 10)):
            if self._last_resort:  # again and again: when even this thread does not get to run, it is not put off
                faulthandler.dump_traceback_later(self._limit + 2 * self._grace, exit=True, file=_STDERR)
            if time.monotonic() - last_beat() > self._limit:
                self._end()
                return

    def _end(self) -> None:
        faulthandler.dump_traceback(file=_STDERR, all_threads=True)
        for end in list(_enders):
            with contextlib.suppress(Exception):  # what cannot be ended so ends with this process
                end()
        if self.over.wait(1.0):  # an error of an ended child says why, and ends the task
            return
        signal.pthread_kill(self._main, signal.SIGUSR2)
        if not self.over.wait(self._grace):
            with contextlib.suppress(Exception):  # a disk that hangs, say
                threading.Thread(target=self._tell, args=(self._why,), daemon=True).start()
                self.over.wait(min(5.0, self._grace))
            os._exit(1)
