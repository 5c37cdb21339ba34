"""Starting, finding and ending processes: real ones, small ones."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
import uuid

import psutil
import pytest

from stack import process

SLEEP = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True);" + SLEEP


@pytest.fixture
def stack_id():
    name = uuid.uuid4().hex
    yield name
    process.stop([f"{name}:"], 0)


def start(stack_id, tmp_path, code=SLEEP, name="a"):
    running = process.start(
        [sys.executable, "-c", code],
        mark=f"{stack_id}:{name}",
        fingerprint="f",
        log=tmp_path / f"{name}.log",
        environment={},
        folder=tmp_path,
    )
    wait_for(lambda: "here" in (tmp_path / f"{name}.log").read_text())
    return running


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 20 s"
        time.sleep(0.02)


def test_a_started_process_is_found_by_its_record(stack_id, tmp_path):
    running = start(stack_id, tmp_path)

    assert running.process().pid == running.pid
    assert os.getsid(running.pid) == running.pid, "not in a session of its own: Ctrl-C would reach it"


def test_a_reused_pid_is_not_taken_for_ours(stack_id, tmp_path):
    running = start(stack_id, tmp_path)
    other_time = dataclasses.replace(running, create_time=running.create_time - 100)
    other_mark = dataclasses.replace(running, mark=f"{stack_id}:b")
    not_ours = dataclasses.replace(running, pid=os.getpid(), create_time=psutil.Process().create_time())

    assert [other_time.process(), other_mark.process(), not_ours.process()] == [None, None, None]


def test_a_process_that_executes_anew_between_two_looks_stays_ours(stack_id, tmp_path, monkeypatch):
    running = start(stack_id, tmp_path)
    looks = iter([{}, psutil.Process(running.pid).environ()])
    monkeypatch.setattr(psutil.Process, "environ", lambda _: next(looks))

    assert running.process() is not None


def test_only_processes_with_the_mark_are_ended(stack_id, tmp_path):
    mine, sibling = start(stack_id, tmp_path), start(stack_id, tmp_path, name="b")
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.DEVNULL)
    try:
        process.stop([f"{stack_id}:a"], 5)
        assert mine.process() is None
        assert sibling.process() is not None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_term_is_enough_for_a_good_process(stack_id, tmp_path):
    start(stack_id, tmp_path)

    assert process.stop([f"{stack_id}:a"], 10) == 0
    assert process.marked(f"{stack_id}:") == []


def test_a_process_that_ignores_term_is_killed_after_the_grace(stack_id, tmp_path):
    start(stack_id, tmp_path, STUBBORN)

    begun = time.monotonic()
    assert process.stop([f"{stack_id}:a"], 0.5) == 1
    assert 0.5 <= time.monotonic() - begun < 5
    assert process.marked(f"{stack_id}:") == []


def test_children_in_sessions_of_their_own_are_ended_also_when_the_parent_is_gone(stack_id, tmp_path):
    parent = start(stack_id, tmp_path, PARENT)
    wait_for(lambda: len(process.marked(f"{stack_id}:")) == 2)
    process.kill9(parent)
    assert len(process.marked(f"{stack_id}:")) == 1

    process.stop([f"{stack_id}:"], 5)

    assert process.marked(f"{stack_id}:") == []


def test_a_process_that_ended_at_once_is_not_running(stack_id, tmp_path):
    running = process.start(
        ["false"], mark=f"{stack_id}:a", fingerprint="", log=tmp_path / "l", environment={}, folder=tmp_path
    )
    wait_for(lambda: running.process() is None)


def test_the_log_of_the_start_before_is_kept(stack_id, tmp_path):
    start(stack_id, tmp_path, "print('first');" + SLEEP)
    process.stop([f"{stack_id}:a"], 5)
    start(stack_id, tmp_path)

    assert "first" in (tmp_path / "a.log.1").read_text()
    assert "first" not in (tmp_path / "a.log").read_text()


def test_tail_is_the_end_of_the_log_and_says_when_there_is_none(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {i}\n" for i in range(100)))

    assert process.tail(log, 2) == "    line 98\n    line 99"
    assert "no log" in process.tail(tmp_path / "missing")
