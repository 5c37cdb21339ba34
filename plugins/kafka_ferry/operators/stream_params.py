"""The trigger form of ``stream_database_changes``; what a user always sets carries no section, so that it is open."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kafka_ferry.connectors.debezium import MAX_SERVER_ID
from kafka_ferry.database.spec import StreamSpec
from kafka_ferry.operators.msk_connect_params import msk_connect_params

_CONNECTOR, _TOPICS, _MSK, _TIMES = "Connector", "Topics", "MSK Connect", "Times"
_SHARED = ("cluster_arn", "service_execution_role_arn", "plugin_bucket", "aws_conn_id", "log_group",
           "kafka_connect_version", "custom_plugin_arn", "plugin_folder", "worker_properties")  # fmt: skip


def stream_params() -> dict[str, Param]:
    """Params of ``stream_database_changes``; defaults and limits are those of ``StreamSpec``."""
    return {
        "databases": Param(
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Databases",
            description="Names, one per line, such as ecommerce.",
            examples=[["ecommerce"]],
        ),
        "tables": _param(
            "tables",
            "Tables",
            "database.table or regular expressions, one per line. Empty: all tables of the databases.",
            type=["null", "array"],
            items={"type": "string"},
            examples=[["ecommerce.orders"]],
        ),
        "database_conn_id": _param(
            "database_conn_id",
            "Database",
            "Airflow connection of type mysql: the writer's host, and a user with the rights that Debezium needs.",
            examples=["database_source"],
        ),
        "database": _param(
            "database",
            "Kind of database",
            "Chooses Debezium's connector.",
            enum=["mariadb", "mysql", "postgresql"],
            values_display={
                "mariadb": "MariaDB",
                "mysql": "MySQL, Aurora MySQL",
                "postgresql": "PostgreSQL: refused by this version",
            },
            examples=["mysql"],
        ),
        "topic_prefix": _param(
            "topic_prefix",
            "Topic prefix",
            "Topics are <prefix>.<database>.<table>; schema changes go to <prefix>. Default: the stream's name.",
            type=["null", "string"],
            examples=["ecommerce-server"],
        ),
        "target_conn_id": _param(
            "target_conn_id", "Kafka", "Airflow connection of type kafka, written to.", examples=["kafka_target"]
        ),
        "stream": _param(
            "stream",
            "Stream name",
            "Names the connector. One run at a time works on a name; the next one goes on where it was.",
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$",
            examples=["orders"],
        ),
        "keep_streaming": _param(
            "keep_streaming",
            "Keep streaming",
            "Leave the connector running at the end; the last task says how to stop it.",
            type="boolean",
            examples=[True],
        ),
        "dry_run": _param(
            "dry_run",
            "Dry run",
            "Only plan: say what would be done and stop. Nothing is changed.",
            type="boolean",
            examples=[False],
        ),
        **_connector(),
        **_topics(),
        **_msk(),
        **_times(),
    }


def _connector() -> dict[str, Param]:
    return {
        "runtime": _param(
            "runtime",
            "Runtime",
            "What runs the connector.",
            enum=["connect_rest", "msk_connect"],
            values_display={"connect_rest": "Kafka Connect, by its REST API", "msk_connect": "Amazon MSK Connect"},
            examples=["connect_rest"],
            section=_CONNECTOR,
        ),
        "connect_conn_id": _param(
            "connect_conn_id",
            "Kafka Connect",
            "Airflow connection of type http: a worker of Kafka Connect 3.7 or newer that has Debezium's plugin.",
            examples=["kafka_connect"],
            section=_CONNECTOR,
        ),
        "snapshot_mode": _param(
            "snapshot_mode",
            "Snapshot",
            "initial: the rows that are there, then changes; no_data: changes only; when_needed: anew where the binary "
            "log does not reach back to the position.",
            enum=["initial", "no_data", "when_needed"],
            examples=["initial"],
            section=_CONNECTOR,
        ),
        "server_id": _param(
            "server_id",
            "Server id",
            "As a replica: another than every server and replica has. Default: one made from the name.",
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_SERVER_ID,
            examples=[5501],
            section=_CONNECTOR,
        ),
        "tls": _param(
            "tls",
            "TLS",
            "Whether the connector must reach the database by TLS. Default: where the server has it.",
            type=["null", "boolean"],
            examples=[True],
            section=_CONNECTOR,
        ),
        "connector_config": _param(
            "connector_config",
            "More settings",
            "Keys of Debezium's own, also in the words of Debezium 1: they are translated, and named. No secrets.",
            type="object",
            examples=[{"database.server.name": "ecommerce-server"}],
            section=_CONNECTOR,
        ),
        "forget": _param(
            "forget",
            "Forget",
            "Where the connector is taken away: its position and its schema history too. The next run begins anew.",
            type="boolean",
            examples=[False],
            section=_CONNECTOR,
        ),
        "duplicates": _param(
            "duplicates",
            "Duplicates",
            "Debezium may send events again after a crash. explain: named and counted only; fail: verdict FAIL.",
            enum=["explain", "fail"],
            examples=["explain"],
            section=_CONNECTOR,
        ),
    }


def _topics() -> dict[str, Param]:
    return {
        "partitions": _param(
            "partitions",
            "Partitions",
            "Of topics that are made. Events of one key stay in one partition.",
            type="integer",
            minimum=1,
            maximum=1000,
            examples=[1],
            section=_TOPICS,
        ),
        "replication_factor": _param(
            "replication_factor",
            "Replication factor",
            "Of topics that are made. Empty: the cluster's default.replication.factor.",
            type=["null", "integer"],
            minimum=1,
            maximum=32767,
            examples=[3],
            section=_TOPICS,
        ),
        "history_topic": _param(
            "history_topic",
            "Schema history",
            "Topic in which Debezium keeps all DDL for itself. Default: <prefix>.schema-history.",
            type=["null", "string"],
            examples=["ecommerce-server.schema-history"],
            section=_TOPICS,
        ),
    }


def _msk() -> dict[str, Param]:
    """For ``runtime: msk_connect``; those it shares with ``mirror_maker2_on_msk_connect`` have the same defaults."""
    shared = msk_connect_params()
    found = {}
    for name in _SHARED:
        schema = {key: value for key, value in shared[name].schema.items() if key not in ("pattern", "type")}
        value = shared[name].value
        default = value if isinstance(value, str | dict) else StreamSpec.model_fields[name].default
        kind = "object" if isinstance(default, dict) else ["null", "string"]
        found[name] = Param(default, description=shared[name].description, **{**schema, "type": kind, "section": _MSK})
    return found | {
        "plugin": _param(
            "plugin",
            "Plugin from Maven",
            "Coordinates of Debezium's archive, fetched by mvn on the Airflow worker. Empty: 3.5.0.Final's.",
            examples=["io.debezium:debezium-connector-mysql:3.5.0.Final:tar.gz:plugin"],
            section=_MSK,
        ),
        "capacity": _param(
            "capacity",
            "Capacity",
            "As CreateConnector takes it. Debezium has one task for ever: autoscaled capacity is refused.",
            type="object",
            examples=[{"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}}],
            section=_MSK,
        ),
        "password_reference": _param(
            "password_reference",
            "Password by reference",
            "A ConfigProvider's reference that the connector gets in place of the database's password.",
            type=["null", "string"],
            examples=["${secretsmanager:debezium:password}"],
            section=_MSK,
        ),
    }


def _times() -> dict[str, Param]:
    def seconds(name: str, title: str, description: str, minimum: float, example: float, **limits: Any) -> Param:
        text = f"{description} In seconds."
        return _param(name, title, text, type="number", minimum=minimum, examples=[example], section=_TIMES, **limits)

    return {
        "poll_interval": seconds("poll_interval", "Poll interval", "Between two looks.", 0.5, 10, maximum=3600),
        "running_timeout": seconds("running_timeout", "Time to start", "Until the connector must run.", 5, 300),
        "convergence_timeout": seconds("convergence_timeout", "Time to copy", "Until all must be there.", 10, 86400),
        "no_progress_timeout": seconds("no_progress_timeout", "Patience", "Without progress the run fails.", 5, 600),
    }


def _param(name: str, title: str, description: str, **schema: Any) -> Param:
    schema.setdefault("type", "string")
    default = StreamSpec.model_fields[name].default
    return Param(getattr(default, "value", default), title=title, description=description, **schema)
