"""The file .stack/env, read by a real shell."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stack import Stack, env
from stack.errors import StackError
from stack.state import State

NASTY = {
    "PLAIN": "value",
    "EMPTY": "",
    "SPACES": "  two words ",
    "QUOTES": """it's "quoted" `twice` $(touch /never)""",
    "DOLLAR": "$HOME ${X} \\ \\n !",
    "LINES": "first\nsecond",
    "JSON": json.dumps({"conn_type": "kafka", "extra": {"sasl.password": "a'b\"c\\d"}}),
    "UNICODE": "ü€😀",
}

KAFKA: dict[str, Any] = {"java": "/usr/bin/java"}


def read_by_shell(file: Path, names: list[str]) -> dict[str, str]:
    dump = ". " + str(file) + "; for n in " + " ".join(names) + '; do eval "printf \'%s\\000\' \\"\\$$n\\""; done'
    out = subprocess.run(["sh", "-ec", dump], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout
    return dict(zip(names, out.decode().split("\0")[:-1], strict=True))


def test_every_value_survives_the_shell(tmp_path):
    file = tmp_path / "env"
    file.write_text(env.shell_file(NASTY, "/venv/bin"))

    assert read_by_shell(file, list(NASTY)) == NASTY


def test_values_are_exported_and_the_venv_is_first_on_path(tmp_path):
    file = tmp_path / "env"
    file.write_text(env.shell_file({"FERRY_X": "1"}, "/a venv/bin"))

    script = f'. {file}; sh -c \'printf "%s %s" "$FERRY_X" "$PATH"\''
    out = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=True, env={"PATH": "/bin"}).stdout

    assert out == "1 /a venv/bin:/bin"


@pytest.fixture
def state(tmp_path) -> State:
    state = State(tmp_path / "state.json")
    names = ("source", "target", "worker", "s3", "airflow", "airflow-worker-log", "airflow-trigger-log")
    state.ports = {name: 20000 + i for i, name in enumerate((*names, "airflow-scheduler-health"))}
    return state


def test_the_contract_of_the_commands_is_kept(tmp_path, state):
    values = env.variables(tmp_path, Path("/project"), state, airflow=True, **KAFKA)

    assert values["FERRY_SOURCE_BOOTSTRAP"] == "127.0.0.1:20000"
    assert values["FERRY_TARGET_BOOTSTRAP"] == "127.0.0.1:20001"
    assert values["FERRY_CONNECT_URL"] == "http://127.0.0.1:20002"
    assert values["FERRY_S3_ENDPOINT"] == "http://127.0.0.1:20003"
    assert values["FERRY_AIRFLOW_URL"] == values["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:20004"
    assert values["FERRY_ARTIFACTS"] == str(tmp_path / "artifacts")
    assert values["AIRFLOW__CORE__DAGS_FOLDER"] == "/project/dags"
    assert values["FERRY_KAFKA_LIBS"] == str(env.libraries(tmp_path))
    assert values["FERRY_AIRFLOW_USER"] == "admin"
    assert "AIRFLOW_HOME" in values
    kafka = json.loads(values["AIRFLOW_CONN_KAFKA_SOURCE"])
    assert kafka == {"conn_type": "kafka", "extra": {"bootstrap.servers": "127.0.0.1:20000"}}
    connect = json.loads(values["AIRFLOW_CONN_KAFKA_CONNECT"])
    assert (connect["conn_type"], connect["host"], connect["port"]) == ("http", "127.0.0.1", 20002)
    aws = json.loads(values["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]
    assert aws["region_name"] == "us-east-1"
    assert aws["service_config"] == {"s3": {"endpoint_url": "http://127.0.0.1:20003"}}


def test_generated_secrets_are_long_differ_and_stay(tmp_path, state):
    first = env.variables(tmp_path, tmp_path, state, airflow=True, **KAFKA)
    state.save()
    again = env.variables(tmp_path, tmp_path, State(tmp_path / "state.json"), airflow=True, **KAFKA)
    other = env.variables(
        tmp_path, tmp_path, _with_ports_of(state, State(tmp_path / "other.json")), airflow=True, **KAFKA
    )

    names = ("FERRY_AIRFLOW_PASSWORD", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY")
    assert [first[name] for name in names] == [again[name] for name in names]
    assert not {first[name] for name in names} & {other[name] for name in names}
    assert all(len(first[name]) >= 32 for name in names)


def _with_ports_of(state: State, other: State) -> State:
    other.ports = state.ports
    return other


def test_without_airflow_its_server_is_named_empty(tmp_path, state):
    values = env.variables(tmp_path, tmp_path, state, airflow=False, **KAFKA)

    assert [values[f"FERRY_AIRFLOW_{name}"] for name in ("URL", "USER", "PASSWORD")] == ["", "", ""]


def test_files_are_for_their_owner_only_and_say_the_same(tmp_path):
    env.write(tmp_path, NASTY)

    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("env", "env.json")] == [0o600, 0o600]
    assert json.loads((tmp_path / "env.json").read_text()) == read_by_shell(tmp_path / "env", list(NASTY))


def test_a_secured_stack_gives_users_and_no_secret_of_theirs_to_connectors(tmp_path, state):
    state.secure = True

    values = env.variables(tmp_path, tmp_path, state, airflow=True, **KAFKA)

    source, target, connect = (
        json.loads(values[f"AIRFLOW_CONN_KAFKA_{name}"])["extra"] for name in ("SOURCE", "TARGET", "CONNECT")
    )
    assert {source["sasl.mechanism"], target["sasl.mechanism"]} == {"SCRAM-SHA-512", "PLAIN"}
    assert {extra["sasl.username"] for extra in (source, target)} == {"ferry"}
    assert {extra["security.protocol"] for extra in (source, target)} == {"SASL_PLAINTEXT"}
    assert source["sasl.password"] != target["sasl.password"]
    assert min(len(extra["sasl.password"]) for extra in (source, target)) >= 32
    assert connect["config_provider"]["kafka_source"] == {
        "sasl.password": f"${{file:{tmp_path}/connect-secrets/source.properties:password}}"
    }
    assert json.loads(values["AIRFLOW_CONN_KAFKA_SOURCE_ADMIN"])["extra"]["sasl.username"] == "admin"


def test_an_open_stack_has_no_users(tmp_path, state):
    values = env.variables(tmp_path, tmp_path, state, airflow=True, **KAFKA)

    assert "AIRFLOW_CONN_KAFKA_SOURCE_ADMIN" not in values
    assert "extra" not in json.loads(values["AIRFLOW_CONN_KAFKA_CONNECT"])
    assert not [name for name in state.secrets if name.startswith("kafka_")]


def test_with_the_double_of_msk_connect_its_services_are_in_the_connection_and_s3_stays_the_stacks(tmp_path, state):
    state.msk, state.ports["msk"] = True, 20099

    values = env.variables(tmp_path, tmp_path, state, airflow=True, **KAFKA)

    services = json.loads(values["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]["service_config"]
    assert services.pop("s3") == {"endpoint_url": "http://127.0.0.1:20003"}
    ours = ("kafkaconnect", "kafka", "logs", "iam")
    assert services == {name: {"endpoint_url": "http://127.0.0.1:20099"} for name in ours}
    assert values["FERRY_MSK_CLUSTER_ARN"].startswith("arn:aws:kafka:")
    assert values["FERRY_MSK_PLUGIN_BUCKET"] != ""


def test_without_it_nothing_speaks_of_it(tmp_path, state):
    assert not [name for name in env.variables(tmp_path, tmp_path, state, airflow=True, **KAFKA) if "MSK" in name]


def test_a_secured_stack_has_no_double(tmp_path):
    with pytest.raises(StackError, match="no login but IAM"):
        Stack(tmp_path, secure=True, msk=True)
