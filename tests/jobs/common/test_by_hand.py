"""Commands for a user's shell: whole, quoted, without a secret, and of nothing but what they are for."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from kafka_ferry.jobs.common.by_hand import delete_connector, delete_msk_connectors, delete_on_brokers, end_process

MARKER = "-Dkafka.ferry=by-hand"


def connect(url: str, auth: Any = None) -> Any:
    session = requests.Session()
    session.auth = auth
    return SimpleNamespace(rest=SimpleNamespace(base_url=url, session=session))


def cluster(**extra: str) -> Any:
    return SimpleNamespace(extra=extra)


def test_a_connector_is_deleted_at_its_workers_own_address() -> None:
    command = delete_connector(connect("http://connect:8083"), "dag.live.MirrorSourceConnector")
    address = "http://connect:8083/connectors/dag.live.MirrorSourceConnector"
    assert shlex.split(command) == ["curl", "-X", "DELETE", address]


def test_the_password_is_asked_for_and_never_told() -> None:
    worker = connect("https://ferry:hunter2@connect:8083/base", auth=("ferry", "hunter2"))
    command = delete_connector(worker, "a")
    assert shlex.split(command) == ["curl", "-X", "DELETE", "-u", "ferry", "https://connect:8083/base/connectors/a"]
    assert "hunter2" not in command


@pytest.mark.parametrize("name", ["a b", "a/../b", "$(touch x)", "it's", "a;b", "é"])
def test_a_connectors_name_is_one_part_of_the_address(name: str) -> None:
    address = shlex.split(delete_connector(connect("http://c:1"), name))[-1]
    assert address.count("/") == 4
    assert requests.utils.unquote(address.rpartition("/")[2]) == name


def test_topics_and_groups_are_deleted_one_a_line() -> None:
    lines = delete_on_brokers("topic", cluster(**{"bootstrap.servers": "b-1:9092,b-2:9092"}), ["a", "b c"]).split("\n")
    start = ["kafka-topics.sh", "--bootstrap-server", "b-1:9092,b-2:9092", "--delete", "--topic"]
    assert [shlex.split(line) for line in lines] == [[*start, "a"], [*start, "b c"]]
    group = shlex.split(delete_on_brokers("group", cluster(**{"metadata.broker.list": "b:1"}), ["$x; `y`"]))
    assert group == ["kafka-consumer-groups.sh", "--bootstrap-server", "b:1", "--delete", "--group", "$x; `y`"]


@pytest.mark.parametrize(("protocol", "secured"), [("PLAINTEXT", False), ("plaintext", False), ("SASL_SSL", True)])
def test_a_secured_cluster_needs_a_file_of_settings(protocol: str, secured: bool) -> None:
    extra = {"bootstrap.servers": "b:1", "security.protocol": protocol, "sasl.password": "hunter2"}
    command = delete_on_brokers("topic", cluster(**extra), ["a"])
    assert ("--command-config client.properties" in command) is secured
    assert "hunter2" not in command


def test_connectors_of_msk_connect_are_asked_for_by_their_whole_names() -> None:
    command = delete_msk_connectors("eu-central-1", ["live-source", "live-checkpoint"])
    assert "--connector-name-prefix live- " in command
    assert "connectors[?connectorName=='live-source' || connectorName=='live-checkpoint'].connectorArn" in command
    assert "\n" not in command, "the page shows a line as a command"


def running(folder: Path, words: str = MARKER) -> subprocess.Popen[bytes]:
    """A process that takes a moment to end, and its pid in the folder as ours note it."""
    folder.mkdir(parents=True)
    script = "trap 'sleep 1; touch ended; exit' TERM; touch ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(["sh", "-c", script, words], cwd=folder.parent)
    (folder / "ferry.pid").write_text(f"{process.pid} 1 boot print\n")
    while not (folder.parent / "ready").exists():
        time.sleep(0.02)
    return process


def run(commands: str, folder: Path) -> None:
    subprocess.run(["sh", "-c", commands], cwd=folder, timeout=30, check=True)


def test_a_process_has_ended_before_its_folder_goes(tmp_path: Path) -> None:
    folder = tmp_path / "it's a home" / "engine"
    process = running(folder)
    run(end_process("this one", str(folder), MARKER), tmp_path)
    assert (folder.parent / "ended").exists(), "the folder went before the process had ended"
    assert process.wait(5) == 0
    assert not folder.exists()


@pytest.mark.parametrize("words", ["somebody else's", f"{MARKER}-2"])
def test_a_process_that_has_its_pid_now_is_left_alone(tmp_path: Path, words: str) -> None:
    folder = tmp_path / "home" / "engine"
    process = running(folder, words)
    run(end_process("this one", str(folder), MARKER), tmp_path)
    try:
        assert process.poll() is None
        assert not folder.exists()
    finally:
        process.kill()
        process.wait()
