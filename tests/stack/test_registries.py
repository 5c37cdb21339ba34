"""The schema registries of a stack, without starting one."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from stack import env, registries
from stack.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state.json")
    names = ("source", "source-controller", "target", "target-controller", "worker", "s3", *registries.CONNECTIONS)
    state.ports = {name: 20000 + i for i, name in enumerate(names)}
    state.registry = True
    return state


@pytest.mark.parametrize(
    ("version", "program"),
    [(registries.OLD, "apicurio-registry-app-1-runner.jar"), (registries.NEW, "quarkus-run.jar")],
)
def test_what_was_downloaded_is_unpacked_to_what_is_started(
    tmp_path: Path, state: State, version: registries.Version, program: str
) -> None:
    with tarfile.open(tmp_path / "apicurio-registry-app-1-all.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo(program)
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"jar"))

    registries._unpack(tmp_path)

    assert not list(tmp_path.glob("*.tar.gz"))
    server = registries.Registry("registry-source", tmp_path, state, "java", tmp_path, version)
    assert server.command()[-1] == str(tmp_path / program)
    assert f"-Dquarkus.http.port={state.ports['registry-source']}" in server.command()


def test_each_has_a_database_of_its_own_that_outlives_it(tmp_path: Path, state: State) -> None:
    one, two = (
        registries.Registry(name, tmp_path, state, "java", tmp_path, version).environment()
        for name, version in registries.VERSIONS.items()
    )

    assert one == {"REGISTRY_DATASOURCE_URL": f"jdbc:h2:file:{tmp_path}/data/registry-source/registry"}
    assert two == {"APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{tmp_path}/data/registry-target/registry"}


def test_no_port_is_a_fixed_one(tmp_path: Path, state: State) -> None:
    """Of two stacks at once one would not start."""
    (tmp_path / "quarkus-run.jar").touch()
    command = registries.Registry("registry-target", tmp_path, state, "java", tmp_path, registries.NEW).command()
    assert "-Dquarkus.management.port=0" in command
    assert "-Dquarkus.management.host=127.0.0.1" in command


def test_each_has_a_java_that_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "find_java", lambda report, minimum: f"java {minimum}")

    assert registries.java_of(registries.OLD, "java 17") == "java 17"
    assert registries.java_of(registries.NEW, "java 17") == "java 21"


def test_connections_and_variables_name_them(tmp_path: Path, state: State) -> None:
    values = env.variables(tmp_path, tmp_path, state, airflow=False, java="java")

    url = f"http://127.0.0.1:{state.ports['registry-target']}/apis/ccompat/v7"
    assert json.loads(values["AIRFLOW_CONN_REGISTRY_TARGET"]) == {"conn_type": "http", "host": url}
    assert values["FERRY_TARGET_REGISTRY"] == url


def test_a_stack_without_them_has_no_connections_of_theirs(tmp_path: Path, state: State) -> None:
    state.registry = False
    values = env.variables(tmp_path, tmp_path, state, airflow=False, java="java")

    assert not [name for name in values if "REGISTRY" in name]


def test_the_state_remembers_that_there_are_registries(tmp_path: Path, state: State) -> None:
    state.save()

    assert State(tmp_path / "state.json").registry
