"""The trigger form of ``stream_database_changes``."""

from __future__ import annotations

from airflow.sdk import Param

from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.common.form import Form
from kafka_ferry.jobs.runtimes.msk_connect_params import FROM_ENVIRONMENT, add


def stream_params() -> dict[str, Param]:
    """Params of ``stream_database_changes``."""
    form = Form(StreamSpec, environment=FROM_ENVIRONMENT)
    form("databases", "Databases", "Names, one per line, such as ecommerce.", examples=[["ecommerce"]])
    form(
        "tables",
        "Tables",
        "database.table or regular expressions, one per line. Empty: all tables of the databases.",
        type=["null", "array"],
        examples=[["ecommerce.orders"]],
    )
    form(
        "database_conn_id",
        "Database",
        "Airflow connection of type mysql: the writer's host, and a user with the rights that Debezium needs.",
        examples=["database_source"],
    )
    form(
        "database",
        "Kind of database",
        "Chooses Debezium's connector.",
        enum=["mariadb", "mysql", "postgresql"],
        values_display={
            "mariadb": "MariaDB",
            "mysql": "MySQL, Aurora MySQL",
            "postgresql": "PostgreSQL: refused by this version",
        },
    )
    form(
        "topic_prefix",
        "Topic prefix",
        "Topics are <prefix>.<database>.<table>; schema changes go to <prefix>. Default: the stream's name.",
        examples=["ecommerce-server"],
    )
    form("target_conn_id", "Kafka", "Airflow connection of type kafka, written to.", examples=["kafka_target"])
    form(
        "stream",
        "Stream name",
        "Names the connector. One run at a time works on a name; the next one goes on where it was.",
        examples=["orders"],
    )
    form(
        "keep_streaming",
        "Keep streaming",
        "Leave the connector running at the end; the last task says how to stop it.",
    )
    form("dry_run", "Dry run", "Only plan: say what would be done and stop. Nothing is changed.")
    _connector(form)
    _topics(form)
    _msk(form)
    _times(form)
    return form.params


def _connector(form: Form) -> None:
    form.section = "Connector"
    form(
        "runtime",
        "Runtime",
        "What runs the connector.",
        values_display={"connect_rest": "Kafka Connect, by its REST API", "msk_connect": "Amazon MSK Connect"},
    )
    form(
        "connect_conn_id",
        "Kafka Connect",
        "Airflow connection of type http: a worker of Kafka Connect 3.7 or newer that has Debezium's plugin.",
        examples=["kafka_connect"],
    )
    form(
        "snapshot_mode",
        "Snapshot",
        "initial: the rows that are there, then changes; no_data: changes only; when_needed: anew where the binary "
        "log does not reach back to the position.",
    )
    form(
        "server_id",
        "Server id",
        "As a replica: another than every server and replica has. Default: one made from the name.",
        examples=[5501],
    )
    form(
        "tls",
        "TLS",
        "Whether the connector must reach the database by TLS. Default: where the server has it.",
    )
    form(
        "connector_config",
        "More settings",
        "Keys of Debezium's own, also in the words of Debezium 1: they are translated, and named. No secrets.",
        examples=[{"database.server.name": "ecommerce-server"}],
    )
    form(
        "forget",
        "Forget",
        "Where the connector is taken away: its position and its schema history too. The next run begins anew.",
    )
    form(
        "duplicates",
        "Duplicates",
        "Debezium may send events again after a crash. explain: named and counted only; fail: verdict FAIL.",
    )


def _topics(form: Form) -> None:
    form.section = "Topics"
    form("partitions", "Partitions", "Of topics that are made. Events of one key stay in one partition.")
    form(
        "replication_factor",
        "Replication factor",
        "Of topics that are made. Empty: the cluster's default.replication.factor.",
    )
    form(
        "history_topic",
        "Schema history",
        "Topic in which Debezium keeps all DDL for itself. Default: <prefix>.schema-history.",
        examples=["ecommerce-server.schema-history"],
    )


def _msk(form: Form) -> None:
    """For ``runtime: msk_connect``; in the words of ``mirror_maker2_on_msk_connect``, as far as it has them."""
    form.section = "MSK Connect"
    add(form, "cluster_arn", "service_execution_role_arn", type=["null", "string"])
    add(
        form, "plugin_bucket", "aws_conn_id", "log_group", "kafka_connect_version", "custom_plugin_arn",
        "plugin_folder", "worker_properties",
    )  # fmt: skip
    form(
        "plugin",
        "Plugin from Maven",
        "Coordinates of Debezium's archive, fetched by mvn on the Airflow worker. Empty: 3.5.0.Final's.",
        type=["null", "string"],
        examples=["io.debezium:debezium-connector-mysql:3.5.0.Final:tar.gz:plugin"],
    )
    form(
        "capacity",
        "Capacity",
        "As CreateConnector takes it. Debezium has one task for ever: autoscaled capacity is refused.",
        examples=[{"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}}],
    )
    form(
        "password_reference",
        "Password by reference",
        "A ConfigProvider's reference that the connector gets in place of the database's password.",
        examples=["${secretsmanager:debezium:password}"],
    )


def _times(form: Form) -> None:
    form.section = "Times"
    form("poll_interval", "Poll interval", "Between two looks. In seconds.")
    form("running_timeout", "Time to start", "Until the connector must run. In seconds.")
    form("convergence_timeout", "Time to copy", "Until all must be there. In seconds.")
    form("no_progress_timeout", "Patience", "Without progress the run fails. In seconds.")
