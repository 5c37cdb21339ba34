"""The embedded stack's own life: started, adopted, killed, stopped. Each test has a stack of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from confluent_kafka.admin import AdminClient

from stack import Stack, StackError, process

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).resolve().parents[2]
KAFKA = {"source", "target", "worker", "s3"}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "stack"
    yield folder
    Stack(folder).down(purge=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder whose stack several tests use, one after the other; each begins with ``up``, which heals."""
    folder = tmp_path_factory.mktemp("shared") / "stack"
    yield folder
    Stack(folder).down(purge=True)


def launch(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stack", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "include")}
    return subprocess.Popen(
        command, env=environment, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def run(*arguments: str) -> str:
    launcher = launch(*arguments)
    output, _ = launcher.communicate(timeout=180)
    assert launcher.returncode == 0, output
    return output


def up(folder: Path, *more: str) -> str:
    return run("up", "--no-airflow", "--dir", str(folder), *more)


def state_of(folder: Path) -> dict:
    return json.loads((folder / "state.json").read_text())


def pids(folder: Path) -> dict[str, int]:
    return {name: fields["pid"] for name, fields in state_of(folder)["processes"].items()}


def alive(folder: Path) -> list[psutil.Process]:
    return process.marked(f"{state_of(folder)['id']}:")


def lives(pid: int) -> bool:
    """Whether a process still runs; an orphan that init has not reaped yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition, what: str, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {timeout} s"
        time.sleep(0.05)


def test_up_adopts_heals_and_down_leaves_nothing(folder, make_topics):
    up(folder)
    first = pids(folder)
    make_topics(json.loads((folder / "env.json").read_text())["FERRY_SOURCE_BOOTSTRAP"], "kept")
    assert run("status", "--dir", str(folder)).count("healthy") == 4

    assert up(folder).count("runs already") == 4
    assert pids(folder) == first

    os.kill(first["worker"], signal.SIGKILL)
    up(folder)
    healed = pids(folder)
    assert {name for name in first if healed[name] != first[name]} == {"worker"}

    run("down", "--dir", str(folder))
    assert alive(folder) == []
    assert [pid for pid in healed.values() if lives(pid)] == []
    assert "stopped" in run("down", "--dir", str(folder)), "a second down is no error"

    again = Stack(folder).up()
    assert "kept" in AdminClient({"bootstrap.servers": again.source_bootstrap}).list_topics(timeout=10).topics
    assert again.broker("source").bootstrap.endswith(f":{state_of(folder)['ports']['source']}")


def test_up_after_a_launcher_was_killed_in_mid_start(folder):
    launcher = launch("up", "--no-airflow", "--dir", str(folder))
    wait_for(lambda: (folder / "state.json").exists() and alive(folder), "a first process")
    launcher.kill()
    launcher.communicate()

    up(folder)

    assert sorted(found.pid for found in alive(folder)) == sorted(pids(folder).values()), "a process runs twice"
    assert pids(folder).keys() == KAFKA


def test_a_process_that_was_never_written_down_is_ended(shared):
    up(shared)
    recorded = pids(shared)
    state = state_of(shared)
    del state["processes"]["worker"]
    (shared / "state.json").write_text(json.dumps(state))

    assert "left over" in up(shared)

    assert not lives(recorded["worker"])
    assert pids(shared)["source"] == recorded["source"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_launch_stops_what_it_started(folder, number):
    launcher = launch("up", "--no-airflow", "--dir", str(folder))
    wait_for(lambda: (folder / "state.json").exists() and len(alive(folder)) >= 2, "two processes")

    launcher.send_signal(number)
    output, _ = launcher.communicate(timeout=60)

    assert (launcher.returncode, "interrupted" in output) == (130, True), output
    assert alive(folder) == []


def test_a_stack_ends_with_its_owner(folder):
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        up(folder, "--owner-pid", str(owner.pid))
        assert pids(folder).keys() == {*KAFKA, "watchdog"}
        assert len(alive(folder)) == 5
    finally:
        owner.kill()
        owner.wait()

    wait_for(lambda: alive(folder) == [], "the end of all processes", 30)


def test_a_failed_start_shows_the_log_and_leaves_nothing(folder):
    data = folder / "data" / "source"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=EMHTGEz2T9C3T126b9wr2w\n")

    with pytest.raises(StackError, match=r"^source: the process ended.*source.log:(.|\n)*node"):
        Stack(folder).up()

    assert alive(folder) == []


def test_a_process_that_hangs_is_replaced(shared):
    own = Stack(shared).up()
    before = pids(shared)
    own.worker.pause()

    own.up()

    assert {name for name in before if pids(shared)[name] != before[name]} == {"worker"}


def test_a_broker_comes_back_on_its_port_with_its_data(shared, make_topics):
    own = Stack(shared).up()
    bootstrap = own.target_bootstrap
    make_topics(bootstrap, "kept-on-target")

    own.broker("target").kill9()
    assert own.broker("target").pid is None
    own.broker("target").restart()

    assert own.target_bootstrap == bootstrap
    assert "kept-on-target" in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics


def test_two_stacks_started_at_once_share_no_port(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    try:
        launchers = [launch("up", "--no-airflow", "--dir", str(folder)) for folder in folders]
        outputs = [launcher.communicate(timeout=240)[0] for launcher in launchers]
        assert [launcher.returncode for launcher in launchers] == [0, 0], outputs
        used = [port for folder in folders for port in state_of(folder)["ports"].values()]
        assert len(used) == len(set(used)) == 12
    finally:
        for folder in folders:
            Stack(folder).down(purge=True)
