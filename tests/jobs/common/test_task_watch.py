"""A task that makes no progress ends, whatever it hangs in; one that makes progress never does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.jobs.common import task_watch
from kafka_ferry.jobs.common.child_process import Child
from kafka_ferry.jobs.common.task_watch import NoProgress, ended_without_progress, limit_of

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
HEAD = """
import ctypes, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from kafka_ferry.jobs.common.task_watch import NoProgress, beat, ended_without_progress
told = open(sys.argv[1], "w")
def tell(why):
    told.write(why); told.flush()
"""


def hang(tmp_path: Path, body: str, seconds: float = 30) -> tuple[int, str, str]:
    """Exit code, stderr and what was told, of a process that hangs so."""
    told = tmp_path / "told"
    command = [sys.executable, "-c", HEAD + textwrap.dedent(body), str(told)]
    env = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, env=env)
    return done.returncode, done.stderr, told.read_text()


def test_one_that_waits_in_python_gets_an_error_that_a_retry_can_cure() -> None:
    begun = time.monotonic()
    with (
        pytest.raises(NoProgress, match=r"no progress for 0.3 s: .* Fix: see the tracebacks"),
        ended_without_progress(0.3, lambda why: None, last_resort=False),
    ):
        time.sleep(20)
    assert time.monotonic() - begun < 10
    assert NoProgress.retriable


def test_one_that_makes_progress_is_let_be() -> None:
    with ended_without_progress(0.5, lambda why: None, last_resort=False):
        for _ in range(20):
            time.sleep(0.1)
            beat()


def test_threads_that_never_return_end_with_the_process(tmp_path: Path) -> None:
    """The error comes, but Python waits for the pool's thread for ever."""
    code, said, told = hang(
        tmp_path,
        """
        with ended_without_progress(0.5, tell, grace=1.0):
            with ThreadPoolExecutor() as pool:
                pool.submit(threading.Event().wait).result()
        """,
    )
    assert code == 1
    assert "no progress for 0.5 s" in told
    assert "submit(threading.Event().wait)" in said or 'File "<string>"' in said, "where it hung stands in the log"


def test_a_call_into_c_that_keeps_the_interpreter_ends_too(tmp_path: Path) -> None:
    """No Python thread runs any more, and no signal's handler: what ``execution_timeout`` is made of."""
    code, said, _ = hang(
        tmp_path,
        """
        import signal
        signal.setitimer(signal.ITIMER_REAL, 0.2)  # as Airflow's timeout does
        signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError()))
        with ended_without_progress(1.0, tell, grace=0.5):
            time.sleep(0.15)
            libc = ctypes.PyDLL(None)  # keeps the GIL
            while True:
                libc.sleep(1000) if False else libc.usleep(50_000_000)
        """,
    )
    assert code == 1
    assert "Timeout" in said, "faulthandler's traceback"


def test_a_child_that_stands_still_is_ended_and_named(tmp_path: Path) -> None:
    (tmp_path / "standing.py").write_text(
        "import os, signal\n"
        "from kafka_ferry.jobs.common.child_process import answer_order\n"
        "answer_order(lambda order: os.kill(os.getpid(), signal.SIGSTOP))\n"
    )
    child = _child(tmp_path, "standing")
    try:
        with (
            pytest.raises(NoProgress, match="a standing process made no progress and was killed"),
            ended_without_progress(3.0, lambda why: None, last_resort=False),
        ):
            child.answer()
    finally:
        child.kill()
    assert child.process.returncode == -signal.SIGKILL
    assert child.end_stuck not in task_watch._enders


def test_a_childs_progress_is_its_parents(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import time\n"
        "from kafka_ferry.jobs.common.child_process import answer_order\n"
        "from kafka_ferry.jobs.common.task_watch import beat\n"
        "def work(order):\n"
        "    for _ in range(50):\n"
        "        time.sleep(0.1); beat()\n"
        "    return ['x' * 1_000_000]\n"
        "answer_order(work)\n"
    )
    child = _child(tmp_path, "busy")
    try:
        with ended_without_progress(3.0, lambda why: None, last_resort=False):
            assert child.answer() == ["x" * 1_000_000]
    finally:
        child.kill()


def _child(folder: Path, module: str) -> Child:
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(folder)
    try:
        return Child(module, f"a {module} process", {}, [])
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def test_other_threads_than_the_main_one_are_not_watched() -> None:
    seen = []

    def work() -> None:
        with ended_without_progress(0.1, seen.append, last_resort=False):
            time.sleep(0.5)
        seen.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["done"]


def test_the_limit_is_never_shorter_than_what_params_let_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (limit_of(), limit_of(600), limit_of(120, 3600)) == (1800, 1800, 7200)
    monkeypatch.setenv("FERRY_NO_PROGRESS_SECONDS", "60")
    assert (limit_of(10), limit_of(45)) == (60, 90)
