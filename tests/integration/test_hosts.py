"""Processes on hosts: the same tests on this machine, over a real sshd, and over SSM Run Command.

SSM is a double of AWS (tests/shared/aws_double.py): compared with botocore's model, its scripts really run.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sshd as ssh_server
from aws_double import AwsDouble
from kafka_ferry.exceptions import BadConnection, BadParam, TransientError
from kafka_ferry.hooks.hosts import ssm
from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.hooks.hosts.open import host_of
from kafka_ferry.hooks.hosts.process import HostProcess, java_processes
from kafka_ferry.jobs.common.by_hand import end_process

pytestmark = pytest.mark.integration

INSTANCE = "i-0123456789abcdef0"
KINDS = ["local", "ssh", "ssm_s3"]
ALL_KINDS = [*KINDS, "ssm"]  # without a bucket only files go another way
TWO_KINDS = ["local", "ssh"]  # for what a shell does alike wherever it runs
LOOP = 'echo "started with $PASSWORD_OF_IT"; cat conf/worker.properties; while :; do sleep 1; done'
Connect = Callable[[str], None]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssh_server.Sshd]:
    server = ssh_server.start(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsDouble]:
    with AwsDouble(INSTANCE) as double:
        yield double


@pytest.fixture
def connect(sshd: ssh_server.Sshd, aws: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Defines the Airflow connection of a kind; SSM is looked at more often than AWS would like."""
    monkeypatch.setattr(ssm, "_WAITS", (0.03, 0.05, 0.1))
    extra = {
        "ssh": {"private_key": sshd.user_key.read_text(), "host_key": sshd.host_key, "look_for_keys": "false"},
        "ssm": {"instance_id": INSTANCE, "endpoint_url": aws.url, "region_name": "eu-west-1"},
    }
    extra["ssm_s3"] = extra["ssm"] | {"bucket": "files", "config_kwargs": {"s3": {"addressing_style": "path"}}}

    def define(kind: str, **other: object) -> None:
        connection: dict[str, object] = {"extra": extra.get(kind, {}) | other}
        if kind == "ssh":
            connection |= {"conn_type": "ssh", "host": "127.0.0.1", "port": sshd.port, "login": sshd.user}
        else:
            connection |= {"conn_type": "aws", "login": aws.access_key, "password": "double-key"}
        connection["port"] = other.pop("port", connection.get("port"))
        monkeypatch.setenv(f"AIRFLOW_CONN_{kind.upper()}", json.dumps(connection))

    return define


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, connect: Connect) -> str:
    name: str = request.param
    if name != "local":
        connect(name)
    return name


@pytest.fixture
def host(kind: str) -> Iterator[Host]:
    opened = host_of(kind)
    yield opened
    opened.close()


@pytest.fixture
def marker() -> str:
    return f"-Dkafka.ferry=t{os.urandom(4).hex()}"


@pytest.fixture
def secret() -> str:
    return f"s3cret-{os.urandom(6).hex()}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "it's a home" / "engine"


@pytest.fixture
def process(host: Host, folder: Path, marker: str, secret: str) -> Iterator[HostProcess]:
    made = loop(host, folder, marker, secret)
    yield made
    made.stop(2)


@pytest.fixture
def stranger(marker: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process with the same words on its command line."""
    other = subprocess.Popen(["/bin/sh", "-c", LOOP, marker], cwd=tmp_path, start_new_session=True)
    yield other
    os.killpg(other.pid, signal.SIGKILL)
    other.wait()


def loop(host: Host, folder: Path | str, marker: str, secret: str, **env: str) -> HostProcess:
    files = {"conf/worker.properties": f"ssl.key.password={secret}\n".encode()}
    return HostProcess(
        host, str(folder), ["/bin/sh", "-c", LOOP, marker], files, {"PASSWORD_OF_IT": secret, **env}, marker=marker
    )


def alive(pid: int | None) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline, "not within 5 s"
        time.sleep(0.05)


def test_a_script_answers_with_its_code_and_both_streams(host: Host) -> None:
    done = host.run("echo out; cat; printf '\\377' >&2; exit 7")
    assert (done.code, done.out, done.err) == (7, "out\n", "�")


def test_a_long_answer_comes_whole(host: Host) -> None:
    done = host.run("i=0; while [ $i -lt 4000 ]; do echo out $i; echo err $i >&2; i=$((i + 1)); done")
    assert done.out == "".join(f"out {i}\n" for i in range(4000))
    assert done.err == "".join(f"err {i}\n" for i in range(4000))


def test_a_script_that_does_not_end_is_given_up(host: Host) -> None:
    started = time.monotonic()
    with pytest.raises(TransientError, match=r"did not end within 1 s|ExecutionTimedOut"):
        host.run("sleep 5", timeout=1)
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("kind", ALL_KINDS, indirect=True)
def test_files_are_written_whole_and_read_back(host: Host, tmp_path: Path) -> None:
    path, content = tmp_path / "new folder" / "a 'file' of ours", os.urandom(70_000)
    assert host.read(str(path)) is None
    host.write(str(path), b"first", 0o640)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    host.write(str(path), content)
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert host.read(str(path)) == content
    assert host.read(str(path), tail_bytes=10) == content[-10:]
    assert host.read(str(path), tail_bytes=80_000) == content
    host.write(str(path), b"")
    assert host.read(str(path)) == b""


@pytest.mark.parametrize("kind", ALL_KINDS, indirect=True)
def test_a_file_that_cannot_be_written_is_told(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransientError, match="cannot write"):
        host.write(str(tmp_path / "file" / "below"), b"x")


def test_the_life_of_a_process(process: HostProcess, host: Host, folder: Path, marker: str, secret: str) -> None:
    assert process.state().pid is None
    assert process.ensure() == "create"
    first = process.state()
    assert (first.running, first.same, first.exit) == (True, True, "")
    assert alive(first.pid)
    assert abs((first.since or 0) - time.time()) < 60
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*") if file.is_file()} == {0o600}
    until(lambda: "ssl.key.password" in process.tail())

    # The same again is nothing, also from another connection.
    host.close()
    assert loop(host, folder, marker, secret).ensure() == "none"
    assert process.state() == first

    # Killed from outside: seen, and started again.
    os.kill(first.pid or 0, signal.SIGKILL)
    until(lambda: not alive(first.pid))
    died = process.state()
    assert (died.running, died.pid, died.same) == (False, first.pid, True)
    assert f"process {first.pid} has ended; last line of its log: ssl.key.password=***" in died.exit
    assert process.ensure() == "start"
    second = process.state()
    assert second.running
    assert second.pid != first.pid

    # Another file: restarted, the old file kept.
    changed = loop(host, folder, marker, secret + "2")
    assert not changed.state().same
    assert changed.ensure() == "update"
    assert not alive(second.pid)
    assert (folder / "conf/worker.properties.bak").read_text() == f"ssl.key.password={secret}\n"
    assert (folder / "conf/worker.properties").read_text() == f"ssl.key.password={secret}2\n"
    third = changed.state()

    assert changed.stop() is True
    assert not alive(third.pid)
    assert changed.stop() is False
    assert changed.ensure() == "start"
    assert changed.remove() == []
    assert not folder.parent.exists()
    assert changed.remove() == []


@pytest.mark.parametrize("kind", TWO_KINDS, indirect=True)
def test_what_ignores_term_and_has_children_is_ended_whole(host: Host, folder: Path, marker: str) -> None:
    deaf = "trap '' TERM; while :; do sleep 1; done"
    stubborn = f"({deaf}) & echo $! >child; {deaf}"
    process = HostProcess(host, str(folder), ["/bin/sh", "-c", stubborn, marker], {}, marker=marker)
    process.ensure()
    until(lambda: (folder / "child").exists() and (folder / "child").read_text() != "")
    child, pid = int((folder / "child").read_text()), process.state().pid
    os.kill(pid or 0, signal.SIGKILL)  # the child outlives its parent
    until(lambda: not alive(pid))
    assert alive(child)
    assert process.ensure(1) == "start"
    assert not alive(child)
    until(lambda: int((folder / "child").read_text() or child) != child)
    child = int((folder / "child").read_text())
    assert process.remove(1) == []
    assert not alive(child)


def test_a_process_with_the_same_words_is_named_and_not_touched(
    process: HostProcess, stranger: subprocess.Popen[bytes], folder: Path
) -> None:
    with pytest.raises(BadParam, match=rf"process {stranger.pid} \(/bin/sh -c .*was not started from"):
        process.ensure()
    assert process.stop() is False
    assert process.remove() == []
    assert stranger.poll() is None


def test_a_pid_that_belongs_to_another_now_is_not_touched(process: HostProcess, folder: Path, marker: str) -> None:
    process.ensure()
    pid_file = folder / "ferry.pid"
    pid, began, boot, fingerprint = pid_file.read_text().split()
    process.stop()
    other = subprocess.Popen(["/bin/sh", "-c", "while :; do sleep 1; done"], start_new_session=True)
    try:
        its_start = Path(f"/proc/{other.pid}/stat").read_text().rpartition(") ")[2].split()[19]
        # The number alone; number and start time, as far as a forged file goes; and all of it before a reboot.
        for noted in (f"{other.pid} {began} {boot}", f"{other.pid} {its_start} {boot}", f"{other.pid} {its_start} 0-0"):
            pid_file.write_text(f"{noted} {fingerprint}\n")
            state = process.state()
            assert (state.running, state.pid) == (False, other.pid)
            assert ("belongs to another process" if boot in noted else "has rebooted") in state.exit
            assert process.stop() is False
        assert process.ensure() == "start"
        assert process.state().pid not in (other.pid, int(pid))
        assert process.remove() == []
        assert other.poll() is None
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()


@pytest.mark.parametrize("kind", TWO_KINDS, indirect=True)
def test_a_folder_that_is_not_ours_is_left_alone(process: HostProcess, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(BadParam, match="holds files that Kafka Ferry did not write"):
        process.ensure()
    assert process.remove() == [f"folder {folder} (not made by Kafka Ferry)"]
    assert (folder / "thesis.tex").exists()


@pytest.mark.parametrize("kind", TWO_KINDS, indirect=True)
def test_what_ends_at_once_is_an_error_with_its_log(host: Host, folder: Path, marker: str, secret: str) -> None:
    process = loop(host, folder, marker, secret)
    dead = HostProcess(
        host, str(folder), ["/bin/sh", "-c", 'echo "bad $PASSWORD_OF_IT"; exit 3', marker], {},
        {"PASSWORD_OF_IT": secret}, marker=marker,
    )  # fmt: skip
    with pytest.raises(TransientError, match=r"exited right after its start. Its log:\nbad \*\*\*"):
        dead.ensure()
    missing = HostProcess(host, str(folder), ["/no/such/java", marker], {}, marker=marker)
    with pytest.raises(TransientError, match="/no/such/java"):
        missing.ensure()
    assert process.ensure() == "update"
    assert process.remove() == []


@pytest.mark.parametrize("kind", ALL_KINDS, indirect=True)
def test_no_secret_is_seen(
    process: HostProcess, kind: str, aws: AwsDouble, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    seen = len(aws.scripts)
    process.ensure()
    until(lambda: "started with" in process.tail())
    assert secret not in process.tail()
    assert secret not in repr(process)
    assert secret not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert secret not in caplog.text
    if kind == "ssm_s3":
        assert len(aws.scripts) > seen
        assert not any(secret in script for script in aws.scripts[seen:])
        assert aws.stored  # files went through the bucket …
        assert aws.objects == {}  # … and are there no more
    if kind == "ssm":
        assert "files go inside commands" in caplog.text


def test_java_processes_of_others_are_named(host: Host, tmp_path: Path, secret: str) -> None:
    java = tmp_path / "java"
    java.symlink_to("/bin/sh")
    (tmp_path / "sleeper").write_text("while :; do sleep 1; done")
    words = [str(java), str(tmp_path / "sleeper"), "org.example.MirrorMaker", "--password", secret, "a b\nc"]
    other = subprocess.Popen(words, start_new_session=True)
    try:
        until(lambda: any(found.pid == other.pid for found in java_processes(host, r"\.MirrorMaker$")))
        (found,) = [found for found in java_processes(host, r"\.MirrorMaker$") if found.pid == other.pid]
        assert found.command.startswith("java ")
        assert secret not in str(found)
        assert all(found.pid != other.pid for found in java_processes(host, "no such words"))
        assert other.poll() is None
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()


@pytest.mark.parametrize("kind", TWO_KINDS, indirect=True)
def test_a_folder_below_home(host: Host, marker: str) -> None:
    name = f"ferry-test-{os.urandom(4).hex()}"
    process = HostProcess(
        host, f"~/{name}/engine", ["/bin/sh", f"~/{name}/engine/run", marker], {"run": b"pwd; sleep 60"}, marker=marker
    )
    assert process.ensure() == "create"
    try:
        assert process.folder == str(Path.home() / name / "engine")
        until(lambda: process.tail().strip() == process.folder)
        host.write(f"~/{name}/engine/more", b"more")
        assert host.read(f"~/{name}/engine/more") == b"more"
    finally:
        assert process.remove() == []
    assert not (Path.home() / name).exists()


def test_addresses(connect: Connect) -> None:
    connect("ssm")
    assert host_of("ssm").address == "127.0.0.1"  # as the agent tells it
    connect("ssm", address="mm2.example")
    assert host_of("ssm").address == "mm2.example"
    connect("ssh")
    assert (host_of("ssh").name, host_of("ssh").address) == ("127.0.0.1", "127.0.0.1")


def test_what_is_wrong_with_an_ssh_connection_is_told(connect: Connect, sshd: ssh_server.Sshd) -> None:
    other_key = sshd.other_key.read_text()
    other_public = " ".join(sshd.other_key.with_suffix(".pub").read_text().split()[:2])
    cases: list[tuple[dict[str, object], type[Exception], str]] = [
        ({"private_key": other_key}, BadConnection, "login refused"),
        ({"private_key": "no key"}, BadConnection, "[Kk]ey"),
        ({"private_key": None, "key_file": "/no/such/key"}, BadConnection, "login refused"),
        ({"host_key": None}, BadConnection, "the host's key is not known"),
        ({"host_key": other_public}, BadConnection, "host key differs from the one in the connection"),
        ({"port": 1}, TransientError, "no answer"),
    ]
    for other, error, words in cases:
        connect("ssh", **other)
        with pytest.raises(error, match=words) as raised:
            host_of("ssh").run("true")
        assert "connection 'ssh'" in str(raised.value)
        assert not any(line in str(raised.value) for line in other_key.splitlines()[1:-1])


def test_a_connection_that_breaks_is_recreation(connect: Connect, sshd: ssh_server.Sshd) -> None:
    connect("ssh")
    host = host_of("ssh")
    assert host.run("echo 1").out == "1\n"
    with pytest.raises(TransientError, match="connection 'ssh'"):
        host.run("kill -9 $PPID", timeout=10)  # the server's end of this connection
    assert host.run("echo 2").out == "2\n"
    host.close()


def test_what_is_wrong_with_an_aws_connection_is_told(connect: Connect, aws: AwsDouble) -> None:
    connect("ssm", instance_id=None)
    with pytest.raises(BadConnection, match="connection 'ssm': its extra has no instance_id"):
        host_of("ssm").run("true")
    connect("ssm", instance_id="i-00000000000000000")
    with pytest.raises(TransientError, match=r"connection 'ssm' \(instance i-0+\): SSM cannot reach it"):
        host_of("ssm").run("true")
    connect("ssm", endpoint_url="http://127.0.0.1:1", config_kwargs={"retries": {"max_attempts": 0}})
    with pytest.raises(TransientError, match=r"connection 'ssm'.*no answer from AWS"):
        host_of("ssm").run("true")
    connect("ssm")
    aws.access_key, before = "another", aws.access_key
    try:
        with pytest.raises(BadConnection, match=r"connection 'ssm'.*AWS refuses"):
            host_of("ssm").run("true")
    finally:
        aws.access_key = before


def test_connections_that_are_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadConnection, match="connection 'nowhere' does not exist"):
        host_of("nowhere")
    monkeypatch.setenv("AIRFLOW_CONN_WEB", '{"conn_type": "http", "host": "x"}')
    with pytest.raises(BadConnection, match="connection 'web' has type 'http'"):
        host_of("web")


def test_without_a_server_the_tests_fail_and_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_server, "SSHD", str(tmp_path / "none"))
    with pytest.raises(RuntimeError, match="apt-get install openssh-server"):
        ssh_server.start(tmp_path)


def test_what_ends_it_by_hand_ends_it_as_we_do(process: HostProcess, host: Host, folder: Path, marker: str) -> None:
    assert process.ensure() == "create"
    pid = process.state().pid
    done = host.run(end_process(host.name, process.folder, marker))
    assert (done.code, done.err) == (0, "")
    assert not alive(pid)
    assert not folder.exists()
    assert process.state().pid is None


def test_what_ends_it_by_hand_leaves_a_stranger_alone(
    process: HostProcess, host: Host, folder: Path, marker: str, tmp_path: Path
) -> None:
    """As after a reboot, when another process has its pid."""
    process.ensure()
    ours = process.state().pid
    other = subprocess.Popen(["/bin/sh", "-c", LOOP, f"{marker}-of-another"], cwd=tmp_path, start_new_session=True)
    try:
        (folder / "ferry.pid").write_text(f"{other.pid} 1 boot print\n")
        assert host.run(end_process(host.name, process.folder, marker)).code == 0
        assert other.poll() is None
        assert not folder.exists()
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()
        os.killpg(ours or 0, signal.SIGKILL)
