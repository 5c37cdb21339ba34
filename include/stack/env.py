"""``.stack/env``: the shell file after whose reading every command talks to this stack; the same as JSON for Python."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from stack import celery, jars, listeners, mariadb, msk_double, postgres, registries, s3, s3_conditions, security
from stack.airflow import USER
from stack.certificates import Certificates
from stack.cluster import Cluster, Kind
from stack.msk import CLUSTER
from stack.ports import HOST
from stack.state import State, write_private


def libraries(folder: Path) -> Path:
    """Kafka's jars and our own in one folder, for engines that run as processes on this machine."""
    return folder / "libs"


def variables(
    folder: Path, project: Path, state: State, airflow: bool, java: str, database: bool = False
) -> dict[str, str]:
    """All variables of a stack.

    :param java: what engines that run as processes on this machine are started with, by default.
    :param airflow: whether an Airflow server belongs to it; without one the commands of Airflow still work
        (``airflow dags test``), on a database of their own.
    """
    source, target = (Cluster(name, state, Kind.parse(state.kinds.get(name, ""))) for name in ("source", "target"))
    server = (
        _airflow_server(folder, state)
        if airflow
        else dict.fromkeys(("FERRY_AIRFLOW_URL", "FERRY_AIRFLOW_USER", "FERRY_AIRFLOW_PASSWORD"), "")
    )
    return {
        "FERRY_SOURCE_BOOTSTRAP": source.bootstrap,
        "FERRY_TARGET_BOOTSTRAP": target.bootstrap,
        "FERRY_CONNECT_URL": f"{listeners.scheme(state)}://{HOST}:{state.ports['worker']}",
        "FERRY_S3_ENDPOINT": f"http://{HOST}:{_s3_port(state)}",
        **_msk(state),
        **registries.variables(state),
        "FERRY_ARTIFACTS": str(folder / "artifacts"),
        # Empty until `python -m stack mm1-jars` has filled it: `up` fetches nothing that few need.
        "FERRY_MM1_LIBS": str(jars.mm1_jars(jars.cache_folder(project))),
        "FERRY_JAVA": java,
        "FERRY_KAFKA_LIBS": str(libraries(folder)),
        "FERRY_HOST_FOLDER": str(folder / "hosts"),
        # What who triggers may use, see docs/security.md. A developer's own machine: every host there is a connection
        # of, this one, and files of this folder and the cache.
        "AIRFLOW__KAFKA_FERRY__HOSTS": "local, *",
        "AIRFLOW__KAFKA_FERRY__PLUGIN_FOLDERS": f"{folder}, {jars.cache_folder(project)}",
        "AIRFLOW__KAFKA_FERRY__LOCATIONS": f"s3://, file://{folder}",
        **_connections(folder, state, source, target, database),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _airflow_database(folder, state),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": state.fernet_key(),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        # 30 s by default, which a laptop at load 48 exceeded (seen): its DAGs then stand still without a word.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        # Files that have not changed need no second look every 30 s: with a dozen DAGs that is a quarter of a core.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        **server,
        **(celery.variables(state) if airflow and state.celery else {}),
    }


def _connections(folder: Path, state: State, source: Cluster, target: Cluster, database: bool) -> dict[str, str]:
    def kafka(cluster: Cluster, user: str) -> dict[str, object]:
        return {"conn_type": "kafka", "extra": security.client_settings(cluster, user)}

    connect: dict[str, object] = {
        "conn_type": "http",
        "schema": listeners.scheme(state),
        "host": HOST,
        "port": state.ports["worker"],
    }
    more: dict[str, object] = {"verify": str(Certificates(state).ca)} if state.listener else {}
    connections: dict[str, dict[str, object]] = {
        "kafka_source": kafka(source, security.FERRY),
        "kafka_target": kafka(target, security.FERRY),
        "kafka_connect": connect,
        "aws_default": {
            "conn_type": "aws",
            "login": s3.ACCESS_KEY,
            "password": s3.SECRET,
            "extra": {
                "region_name": "us-east-1",
                # For S3 alone: an endpoint_url of the connection itself would catch every other service too.
                "service_config": {
                    "s3": {"endpoint_url": f"http://{HOST}:{_s3_port(state)}"},
                    **{name: {"endpoint_url": msk_double.url(state)} for name in msk_double.SERVICES if state.msk},
                },
            },
        },
    }
    connections |= registries.connections(state)
    providers: dict[str, dict[str, str]] = {}
    if security.has_users(state):
        # A migration's user may not write to the source: who fills it takes these.
        connections["kafka_source_admin"] = kafka(source, security.ADMIN)
        connections["kafka_target_admin"] = kafka(target, security.ADMIN)
    if state.listener:
        providers = {
            f"kafka_{cluster}": {
                key: f"${{file:{folder}/connect-secrets/{cluster}.properties:{key}}}" for key in secrets
            }
            for cluster, secrets in listeners.connect_secrets(state, security.FERRY).items()
        }
    if state.secure:
        providers = {
            f"kafka_{cluster}": {"sasl.password": f"${{file:{folder}/connect-secrets/{cluster}.properties:password}}"}
            for cluster in security.USERS
        }
    if state.s3_connectors:
        # The S3 connectors read their keys from a file on the worker.
        providers["aws_default"] = {
            name: f"${{file:{folder}/connect-secrets/s3.properties:{name}}}" for name in s3.KEYS
        }
    if providers:
        more["config_provider"] = providers
    if database:
        for name, user in (("database_source", mariadb.READER), ("database_source_admin", mariadb.ADMIN)):
            connections[name] = {
                "conn_type": "mysql",
                "host": HOST,
                "port": state.ports["mariadb"],
                "login": user,
                "password": state.secret(f"mariadb_{user}"),
            }
        # Debezium reads the password from a file on the worker, so that the connector's config does not hold it.
        reference = {"password": f"${{file:{folder}/connect-secrets/database.properties:password}}"}
        more["config_provider"] = {**providers, "database_source": reference}
    if more:
        connect["extra"] = more
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in connections.items()}


def _s3_port(state: State) -> int:
    return state.ports[s3_conditions.NAME if state.celery else s3.NAME]


def _airflow_database(folder: Path, state: State) -> str:
    if state.postgres:
        return postgres.url(state)
    # Measured: with sqlite3's own 5 s, ten runs triggered at once on a busy machine end the scheduler ("database is
    # locked").
    return f"sqlite:///{folder}/airflow/airflow.db?timeout=60"


def _msk(state: State) -> dict[str, str]:
    """What the params of a DAG on MSK Connect default to, where the stack has its double."""
    if not state.msk:
        return {}
    return {
        "FERRY_MSK_ENDPOINT": msk_double.url(state),
        "FERRY_MSK_CLUSTER_ARN": CLUSTER,
        "FERRY_MSK_ROLE_ARN": msk_double.ROLE,
        "FERRY_MSK_PLUGIN_BUCKET": msk_double.BUCKET,
    }


def _airflow_server(folder: Path, state: State) -> dict[str, str]:
    port = state.ports["airflow"]
    url = f"http://{HOST}:{port}"
    return {
        "FERRY_AIRFLOW_URL": url,
        "FERRY_AIRFLOW_USER": USER,
        "FERRY_AIRFLOW_PASSWORD": state.secret("airflow_password"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "airflow" / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": state.secret("airflow_session"),
        "AIRFLOW__API_AUTH__JWT_SECRET": state.secret("airflow_jwt"),
        # Measured: with the defaults a task costs a second, with these a quarter of one.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # Measured: the default of 5 s makes a short deferral fail now and then (a race in 3.3.2).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(state.ports["airflow-worker-log"]),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(state.ports["airflow-trigger-log"]),
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(state.ports["airflow-scheduler-health"]),
    }


def shell_file(values: Mapping[str, str], first_on_path: str) -> str:
    """A file for ``. .stack/env``: any value survives any POSIX shell."""
    lines = [
        "# Written by the embedded stack. Use it so:  . .stack/env && airflow dags list",
        *(f"export {name}={shlex.quote(value)}" for name, value in values.items()),
        f'export PATH={shlex.quote(first_on_path)}:"$PATH"',
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path, values: Mapping[str, str]) -> None:
    """Write ``env`` and ``env.json`` (0600: they hold the password of the UI, and of Kafka's users)."""
    (folder / "airflow").mkdir(exist_ok=True)  # without a server of it `airflow dags test` makes its database there
    write_private(folder / "env", shell_file(values, str(Path(sys.executable).parent)))
    write_private(folder / "env.json", json.dumps(dict(values), indent=1))
