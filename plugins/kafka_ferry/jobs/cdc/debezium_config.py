"""Debezium's change data capture: a typed intent → a 3.x connector config, and 1.x keys → what they are called now.

Measured on Debezium 3.6.3's ``config/validate``: of a 1.x config only ``topic.prefix`` and ``database.server.id`` are
reported; ``database.history.*`` and ``database.server.name`` are **ignored in silence**, and missing
``schema.history.internal.kafka.*`` are not flagged. So keys are translated and checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kafka_ferry.core.client_settings import with_prefix
from kafka_ferry.exceptions import BadParam

HISTORY = "schema.history.internal."
_OLD_HISTORY = "database.history."
_KEYS = {
    "database.server.name": "topic.prefix",
    "database.whitelist": "database.include.list",
    "database.blacklist": "database.exclude.list",
    "schema.whitelist": "schema.include.list",
    "schema.blacklist": "schema.exclude.list",
    "table.whitelist": "table.include.list",
    "table.blacklist": "table.exclude.list",
    "column.whitelist": "column.include.list",
    "column.blacklist": "column.exclude.list",
    "database.history": "schema.history.internal",
    "database.history.store.only.monitored.tables.ddl": f"{HISTORY}store.only.captured.tables.ddl",
}
_VALUES = {
    ("snapshot.mode", "schema_only"): "no_data",
    ("snapshot.mode", "schema_only_recovery"): "recovery",
    ("snapshot.mode", "never"): "no_data",
    (
        "schema.history.internal",
        "io.debezium.relational.history.KafkaDatabaseHistory",
    ): "io.debezium.storage.kafka.history.KafkaSchemaHistory",
}
MAX_SERVER_ID = 2**32 - 1
_JSON = "org.apache.kafka.connect.json.JsonConverter"
# How values are written, so that a reader knows without a schema; and nothing left out: by default a TRUNCATE is.
_FORMS = {
    "key.converter": _JSON,
    "key.converter.schemas.enable": "false",
    "value.converter": _JSON,
    "value.converter.schemas.enable": "false",
    # Some events have headers of text; a worker set up for MirrorMaker 2 has a converter that refuses these (measured).
    "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "decimal.handling.mode": "string",
    "time.precision.mode": "adaptive_time_microseconds",
    "binary.handling.mode": "bytes",
    # A BIGINT UNSIGNED above 2^63-1 as the number it is; by default base64.
    "key.converter.decimal.format": "NUMERIC",
    "value.converter.decimal.format": "NUMERIC",
    # By default a NULL in a column that has a default arrives as that default (KIP-581, measured).
    "key.converter.replace.null.with.default": "false",
    "value.converter.replace.null.with.default": "false",
    "skipped.operations": "none",
    # Without it the position that is committed stands still while only other tables change, and binary logs expire.
    "heartbeat.interval.ms": "2000",
}


class Database(StrEnum):
    """What changes are read from; Aurora is one of these to Debezium."""

    MYSQL = "mysql"
    MARIADB = "mariadb"
    POSTGRESQL = "postgresql"

    @property
    def connector_class(self) -> str:
        """Debezium's connector; MariaDB has its own since 2.7."""
        return {
            Database.MYSQL: "io.debezium.connector.mysql.MySqlConnector",
            Database.MARIADB: "io.debezium.connector.mariadb.MariaDbConnector",
            Database.POSTGRESQL: "io.debezium.connector.postgresql.PostgresConnector",
        }[self]

    @property
    def keeps_schema_history(self) -> bool:
        """Whether it needs a topic with all DDL, to know the columns of an old binlog position."""
        return self is not Database.POSTGRESQL


class Check(StrEnum):
    """What a connector asks of the server's certificate, with TLS."""

    NOTHING = "nothing"
    AUTHORITY = "authority"
    NAME = "name"


#: PostgreSQL's words are libpq's. The other two spell the same differently (``disable``, ``disabled``: on 3.5.0).
_SSL_MODES = {
    Database.MARIADB: {
        None: "disable", Check.NOTHING: "trust", Check.AUTHORITY: "verify-ca", Check.NAME: "verify-full",
    },
    Database.MYSQL: {
        None: "disabled", Check.NOTHING: "required", Check.AUTHORITY: "verify_ca", Check.NAME: "verify_identity",
    },
    Database.POSTGRESQL: {
        None: "disable", Check.NOTHING: "require", Check.AUTHORITY: "verify-ca", Check.NAME: "verify-full",
    },
}  # fmt: skip
SSL_MODE = "database.ssl.mode"
KEYSTORE = "database.ssl.keystore"


def tls_of(config: Mapping[str, str]) -> Check | None:
    """What a MariaDB or MySQL connector's config comes to; None: no TLS, or only where the server offers it."""
    mode = config.get(SSL_MODE, "").lower().replace("_", "-")
    for modes in _SSL_MODES.values():
        for check, word in modes.items():
            if check and word.replace("_", "-") == mode:
                return check
    return None


@dataclass(frozen=True)
class Capture:
    """One stream of changes.

    :param password: kept out of the repr; may be a reference such as ``${secrets:orders:password}``.
    :param topic_prefix: topics are ``<topic_prefix>.<database>.<table>``, schema changes ``<topic_prefix>``.
    :param server_id: of MySQL and MariaDB: another than every server and replica has.
    :param databases: of MySQL and MariaDB their names; of PostgreSQL the one.
    :param tables: ``database.table``, of PostgreSQL ``schema.table``; regular expressions; empty takes all.
    :param tls: whether the database must be reached by TLS; the default takes it where the server has it.
    :param check: what its certificate is compared with then: the authorities of ``stores``, else of the worker's JVM.
    :param stores: ``truststore``, ``keystore`` and their ``…_password``: files of the workers, PKCS12 or JKS.
    :param more: Debezium's own keys, which win.
    :param kafka: Java client settings of the cluster that keeps the schema history, with ``bootstrap.servers``.
    """

    database: Database
    hostname: str
    port: int
    user: str
    password: str = field(repr=False)
    topic_prefix: str
    databases: tuple[str, ...]
    tables: tuple[str, ...] = ()
    server_id: int | None = None
    tls: bool | None = None
    check: Check = Check.NOTHING
    stores: Mapping[str, str] = field(default_factory=dict, repr=False)
    snapshot_mode: str = "initial"
    replication_factor: int = -1
    partitions: int = 1
    history_topic: str = ""
    kafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    def config(self) -> dict[str, str]:
        """The connector config.

        :raises BadParam: something is missing without which Debezium would fail late, or lose changes in silence.
        """
        base = {
            "connector.class": self.database.connector_class,
            "tasks.max": "1",  # it has one for ever
            "database.hostname": self.hostname,
            "database.port": str(self.port),
            "database.user": self.user,
            "database.password": self.password,
            "topic.prefix": self.topic_prefix,
            "snapshot.mode": self.snapshot_mode,
            # Brokers with auto.create.topics.enable=false, and MSK, need Connect to make the topics (KIP-158).
            "topic.creation.default.replication.factor": str(self.replication_factor),
            "topic.creation.default.partitions": str(self.partitions),
            **_FORMS,
        }
        if self.tables:
            base["table.include.list"] = ",".join(self.tables)
        config = {**base, **(self._binlog() if self.database.keeps_schema_history else self._logical()), **self.more}
        if found := problems(config):
            raise BadParam("capture", "; ".join(found), "see the connector's reference at debezium.io")
        return config

    def _binlog(self) -> dict[str, str]:
        topic = self.history_topic or f"{self.topic_prefix}.schema-history"
        config = {
            "database.include.list": ",".join(self.databases),
            "include.schema.changes": "true",
            # By default such a number above 2^63-1 becomes negative, and the year 20 becomes 2020.
            "bigint.unsigned.handling.mode": "precise",
            "enable.time.adjuster": "false",
            f"{HISTORY}kafka.topic": topic,
            f"{HISTORY}kafka.bootstrap.servers": self.kafka.get("bootstrap.servers", ""),
        }
        if self.server_id is not None:
            config["database.server.id"] = str(self.server_id)
        if self.tls is not None:
            config[SSL_MODE] = self._ssl_mode(self.tls)
        if self.tls:
            config |= {f"database.ssl.{key.replace('_', '.')}": value for key, value in self.stores.items()}
        security = {key: value for key, value in self.kafka.items() if key != "bootstrap.servers"}
        for role in ("producer", "consumer"):  # the history's own clients take nothing from the worker
            config |= with_prefix(security, f"{HISTORY}{role}.")
        return config

    def _ssl_mode(self, tls: bool) -> str:
        return _SSL_MODES[self.database][self.check if tls else None]

    def _logical(self) -> dict[str, str]:
        if len(self.databases) != 1:
            raise BadParam("databases", "a PostgreSQL connector reads one database", "one name")
        slot = "".join(letter if letter.isalnum() else "_" for letter in self.topic_prefix.lower())
        config = {
            "database.dbname": self.databases[0],
            "plugin.name": "pgoutput",  # on every PostgreSQL since 10, Aurora too
            "slot.name": f"{slot}_ferry",
            "publication.name": f"{slot}_ferry",
            "publication.autocreate.mode": "filtered",  # the default asks for rights on all tables
        }
        if self.tls is not None:
            config["database.sslmode"] = self._ssl_mode(self.tls)
        return config


@dataclass(frozen=True)
class Translation:
    """A 1.x config in the words of 3.x.

    :param notes: what was renamed, one line each, without values.
    """

    config: dict[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()


def translated(config: Mapping[str, str]) -> Translation:
    """Old keys and values as they are called now; keys that are new already stay.

    :raises BadParam: an old key and its new one are both there and differ.
    """
    found: dict[str, str] = {}
    notes: list[str] = []
    for key, value in config.items():
        new_key = _KEYS.get(key) or (HISTORY + key.removeprefix(_OLD_HISTORY) if key.startswith(_OLD_HISTORY) else key)
        new_value = _VALUES.get((new_key, value), value)
        if new_key != key:
            if config.get(new_key, value) != value:
                raise BadParam(key, f"it is called {new_key} now, which is also set, to another value", "leave it out")
            notes.append(f"{key} is called {new_key} since Debezium 2")
        if new_value != value:
            notes.append(f"{new_key}: {value} is called {new_value} now")
        found[new_key] = new_value
    return Translation(found, tuple(notes))


def problems(config: Mapping[str, str]) -> list[str]:
    """What Debezium 3 does not report, and would fail or lose by; without values."""
    found = [f"{key} is of Debezium 1 and silently ignored" for key in config if _is_old(key)]
    if not config.get("topic.prefix"):
        found.append("topic.prefix is required")
    name = config.get("connector.class", "")
    known = [database for database in Database if database.connector_class == name]
    if not known:
        return [*found, f"connector.class {name!r} is not supported"]
    if known[0].keeps_schema_history:
        required = ("database.server.id", f"{HISTORY}kafka.topic", f"{HISTORY}kafka.bootstrap.servers")
        found += [f"{key} is required" for key in required if not config.get(key)]
        server = config.get("database.server.id", "1")
        if not server.isdigit() or not 1 <= int(server) <= MAX_SERVER_ID:
            found.append(f"database.server.id is not a number from 1 to {MAX_SERVER_ID}")
        if config.get(f"{HISTORY}kafka.topic") == config.get("topic.prefix"):
            found.append("the schema history cannot share the topic of schema changes, which is named topic.prefix")
    if config.get("tasks.max", "1") != "1":
        found.append("tasks.max is always 1: a database's log is read by one task")
    return found


def _is_old(key: str) -> bool:
    return key in _KEYS or key.startswith(_OLD_HISTORY)
