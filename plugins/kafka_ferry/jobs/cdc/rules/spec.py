"""The params of ``stream_database_changes``, checked once, typed from then on. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator

from kafka_ferry.core.arns import CLUSTER_ARN, PLUGIN_ARN, ROLE_ARN
from kafka_ferry.core.redaction import is_secret_key
from kafka_ferry.core.spec import Entry, Name, Regex, Spec
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.capacity import capacity_from, check_fits
from kafka_ferry.jobs.cdc.debezium_config import HISTORY, MAX_SERVER_ID, Database, translated

_PLUGIN = "io.debezium:debezium-connector-{database}:3.5.0.Final:tar.gz:plugin"

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$")]

#: What the connection says; in a config that was pasted it may stand again.
CLAIMS = ("database.hostname", "database.port", "database.user")
#: Keys of Debezium that a param of ours says.
_PARAMS = {
    "topic.prefix": "topic_prefix",
    "database.server.id": "server_id",
    "database.include.list": "databases",
    "table.include.list": "tables",
    "snapshot.mode": "snapshot_mode",
    f"{HISTORY}kafka.topic": "history_topic",
}
#: What validation rests on.
_FIXED = frozenset(
    {
        "key.converter", "value.converter", "key.converter.schemas.enable", "value.converter.schemas.enable",
        "header.converter",
        "key.converter.decimal.format", "value.converter.decimal.format",
        "key.converter.replace.null.with.default", "value.converter.replace.null.with.default",
        "decimal.handling.mode", "time.precision.mode", "binary.handling.mode", "bigint.unsigned.handling.mode",
        "enable.time.adjuster", "skipped.operations", "tombstones.on.delete", "transforms", "converters",
        "message.key.columns",
    }
)  # fmt: skip
#: Families of keys by which values would be left out or altered.
_FIXED_FAMILIES = ("column.include.", "column.exclude.", "column.mask.", "column.truncate.")


class StreamSpec(Spec):
    """What the user asked for, in the names of the trigger form. Times are in seconds.

    :param stream: names the connector; one run at a time works on it.
    :param databases: by name. ``tables``: ``database.table``, regular expressions; empty takes all.
    :param topic_prefix: topics are ``<prefix>.<database>.<table>``; default: ``stream``.
    :param server_id: another than every server and replica has; default: one made from the name.
    :param connector_config: keys of Debezium's own, in the words of 1.x too.
    :param plugin: Maven coordinates of Debezium's archive; empty: of 3.5.0.Final for the database. With
        ``plugin_folder`` the files of a folder, with ``custom_plugin_arn`` a plugin that is there.
    :param capacity: as ``CreateConnector`` takes it. ``password_reference``: a ConfigProvider's, which connectors get
        in place of the database's password.
    :param keep_streaming: leave the connector at the end. ``forget``: take its offsets and schema history too.
    """

    database_conn_id: str = "database_source"
    database: Database = Database.MARIADB
    databases: list[Entry] = Field(min_length=1)
    tables: list[Regex] = Field(default=[])
    stream: Name = "ferry"
    topic_prefix: Prefix | None = None
    target_conn_id: str = "kafka_target"
    runtime: Literal["connect_rest", "msk_connect"] = "connect_rest"
    connect_conn_id: str = "kafka_connect"
    server_id: int | None = Field(default=None, ge=1, le=MAX_SERVER_ID)
    history_topic: Prefix | None = None
    snapshot_mode: Literal["initial", "no_data", "when_needed"] = "initial"
    tls: bool | None = None
    replication_factor: int | None = Field(default=None, ge=1, le=32767)
    partitions: int = Field(default=1, ge=1, le=1000)
    connector_config: dict[str, str] = Field(default={})
    duplicates: Literal["explain", "fail"] = "explain"
    aws_conn_id: str = "aws_default"
    cluster_arn: str = Field(default="", pattern=rf"^$|{CLUSTER_ARN}")
    service_execution_role_arn: str = Field(default="", pattern=rf"^$|{ROLE_ARN}")
    plugin_bucket: str | None = None
    plugin: str = ""
    plugin_folder: str | None = None
    custom_plugin_arn: str | None = Field(default=None, pattern=PLUGIN_ARN)
    capacity: dict[str, Any] = Field(default={"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}})
    kafka_connect_version: str = "3.7.x"
    worker_properties: dict[str, str] = Field(default={})
    password_reference: str | None = Field(default=None, pattern=r"^\$\{.+\}$")
    log_group: str | None = None
    keep_streaming: bool = True
    forget: bool = False
    dry_run: bool = False
    poll_interval: float = Field(default=10, ge=0.5, le=3600)
    running_timeout: float = Field(default=300, ge=5)
    convergence_timeout: float = Field(default=86400, ge=10)
    no_progress_timeout: float = Field(default=600, ge=5)

    @field_validator("cluster_arn", "service_execution_role_arn", "plugin", mode="before")
    @classmethod
    def _none_is_no_text(cls, value: Any) -> Any:
        return "" if value is None else value

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Check params and return the spec; keys of a Debezium config that a param says are moved into it.

        :raises BadParam: the first param that is unknown, missing or has a bad value; nothing has been changed.
        """
        spec = super().from_params(_moved(params))
        if spec.forget and spec.keep_streaming:
            raise BadParam("forget", "is given, but keep_streaming is too", "set keep_streaming to false")
        if spec.database is Database.POSTGRESQL:
            cure = "kafka_ferry.jobs.cdc.debezium_config.Capture with the operators of your own DAG"
            raise BadParam("database", "postgresql cannot be validated by this version, only configured", cure)
        if spec.runtime == "msk_connect":
            spec._check_msk()
        return spec if spec.plugin else spec.model_copy(update={"plugin": _PLUGIN.format(database=spec.database.value)})

    def _check_msk(self) -> None:
        for name, cure in (
            ("cluster_arn", "the ARN of the MSK cluster that target_conn_id leads to"),
            ("service_execution_role_arn", "the ARN of the role that MSK Connect takes, see docs/msk_connect.md"),
        ):
            if not getattr(self, name):
                raise BadParam(name, "is missing", cure)
        if not self.plugin_bucket and not self.custom_plugin_arn:
            raise BadParam("plugin_bucket", "is missing", "an S3 bucket, or custom_plugin_arn of a plugin there is")
        check_fits(self.database.connector_class, capacity_from(self.capacity))

    @property
    def prefix(self) -> str:
        """First part of every topic's name, and name of the topic of schema changes."""
        return self.topic_prefix or self.stream

    @property
    def history(self) -> str:
        """The topic in which Debezium keeps all DDL for itself."""
        return self.history_topic or f"{self.prefix}.schema-history"

    def replica_id(self, name: str) -> int:
        """The server id; of a stream without one the same on every run."""
        return self.server_id or 100_000 + zlib.crc32(name.encode()) % 2_000_000_000

    def notes(self) -> tuple[str, ...]:
        """What of ``connector_config`` is called otherwise today."""
        return translated(self.connector_config).notes

    def claims(self) -> dict[str, str]:
        """What ``connector_config`` says of the connection: it must be the same."""
        return {key: value for key, value in self.connector_config.items() if key in CLAIMS}

    def own_config(self) -> dict[str, str]:
        """``connector_config`` in today's words, without what connections say."""
        own = translated(self.connector_config).config
        said = (*CLAIMS, f"{HISTORY}kafka.bootstrap.servers", "tasks.max")
        return {key: value for key, value in own.items() if key not in said}


def _moved(params: Mapping[str, Any]) -> dict[str, Any]:
    """The params with what ``connector_config`` says of them; the rest of it stays, in its own words."""
    given = params.get("connector_config")
    if not isinstance(given, Mapping):
        return dict(params)
    moved, kept = dict(params), dict[str, str]()
    for key, value in ((str(key), _text(value)) for key, value in given.items()):
        ((new_key, new_value),) = translated({key: value}).config.items()
        _refuse(key, new_key, value)
        if param := _PARAMS.get(new_key):
            said: Any = new_value.split(",") if param in ("databases", "tables") else new_value
            if params.get(param) not in (None, [], "", said, StreamSpec.model_fields[param].default):
                raise BadParam("connector_config", f"{key} says another {param} than the param", "say it once")
            moved[param] = int(said) if param == "server_id" and said.isdigit() else said
        elif new_key == "connector.class":
            moved["database"] = _database(value)
        else:
            kept[key] = value
    return {**moved, "connector_config": kept}


def _refuse(key: str, new_key: str, value: str) -> None:
    if new_key == "database.password" or (
        is_secret_key(new_key) and "${" not in value and "IAMLoginModule" not in value
    ):
        raise BadParam("connector_config", f"{key} holds a secret, which the form would show",
                       "leave it out; secrets stand in the connections")  # fmt: skip
    if new_key in _FIXED or new_key.startswith(_FIXED_FAMILIES):
        raise BadParam("connector_config", f"{key} is set by this DAG, as its validation rests on it", "leave it out")
    if new_key == "tasks.max" and value != "1":
        raise BadParam("connector_config", "tasks.max is 1 for ever: a database's log is read by one task", "1")


def _database(name: str) -> Database:
    for database in Database:
        if database.connector_class == name:
            return database
    raise BadParam("connector_config", f"connector.class {name!r} is none that we know",
                   ", ".join(database.connector_class for database in Database))  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
