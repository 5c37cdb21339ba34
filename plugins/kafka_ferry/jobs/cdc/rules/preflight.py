"""Whether a database and a schema history are fit for a stream of changes. Pure.

Sources: Debezium's documentation of the MySQL and MariaDB connectors, "Setting up"; Kafka's rules for topic names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from kafka_ferry.core.database_needs import binlog_findings
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.unmatched import did_you_mean
from kafka_ferry.jobs.cdc.debezium_config import KEYSTORE, SSL_MODE, Check, Database, tls_of
from kafka_ferry.jobs.cdc.rules.tables import Table

_DAY = 86400.0
_FOREVER = 2**60  # milliseconds or bytes
_LEGAL = re.compile(r"[^a-zA-Z0-9._-]")


def topic_of(prefix: str, table: Table | str) -> str:
    """The topic of a table, or of its full name; Debezium writes ``_`` for what Kafka does not take in a name."""
    return _LEGAL.sub("_", f"{prefix}.{table if isinstance(table, str) else table.full_name}")


def captured(tables: Iterable[Table], patterns: Sequence[str]) -> list[Table]:
    """Those that ``table.include.list`` matches: each pattern matches the whole of ``database.table``, in any case."""
    return [
        table
        for table in tables
        if not patterns or any(re.fullmatch(one, table.full_name, re.IGNORECASE) for one in patterns)
    ]


def settings_findings(variables: Mapping[str, str], database: Database) -> list[Finding]:
    """What is wrong with the server's settings, by ``SHOW GLOBAL VARIABLES``."""
    found = binlog_findings(variables)
    is_mariadb = "mariadb" in variables.get("version", "").lower()
    if not is_mariadb and database is Database.MARIADB:
        found.append(Finding(Severity.REFUSE, "server", "the server", f"it is MySQL {variables.get('version', '')}",
                             "set database to mysql", "database"))  # fmt: skip
    if is_mariadb and database is Database.MYSQL:
        what = f"it is {variables['version']}: Debezium's MySQL connector fails at statements that only MariaDB has"
        found.append(Finding(Severity.WARN, "server", "the server", what, "set database to mariadb", "database"))
    if database is Database.MARIADB and variables.get("gtid_binlog_pos") == "":
        what = (
            "its binary log has no transaction yet, and Debezium's MariaDB connector fails at that (measured on 3.5.0)"
        )
        fix = "write something, such as CREATE DATABASE IF NOT EXISTS of an existing database"
        found.append(Finding(Severity.REFUSE, "gtid", "the server", what, fix, "database_conn_id"))
    if why := why_unreadable(variables):
        what = f"{why}, so single changes are not compared with it"
        fix = "SET GLOBAL binlog_row_metadata = FULL, no compression"
        found.append(Finding(Severity.WARN, "metadata", "the server", what, fix, "database_conn_id"))
    kept = _kept_seconds(variables)
    if 0 < kept < _DAY:
        what = f"binary logs are deleted after {kept / 3600:g} h: a connector that is stopped longer loses changes"
        found.append(Finding(Severity.WARN, "expiry", "the server", what, "keep them for days", "database_conn_id"))
    return found


def why_unreadable(variables: Mapping[str, str]) -> str:
    """Why the binary log cannot be read beside Debezium; empty when it can."""
    if variables.get("binlog_row_metadata", "").upper() != "FULL":
        return "binlog_row_metadata is not FULL: the binary log has no column names"
    if is_compressed(variables):
        return "the binary log is compressed, which Kafka Ferry cannot read"
    return ""


def is_compressed(variables: Mapping[str, str]) -> bool:
    """Whether the binary log is, by MariaDB's switch or MySQL's."""
    names = ("log_bin_compress", "binlog_transaction_compression")
    return any(variables.get(name, "").upper() in ("ON", "1") for name in names)


def _kept_seconds(variables: Mapping[str, str]) -> float:
    seconds = float(variables.get("binlog_expire_logs_seconds", 0) or 0)
    return seconds or float(variables.get("expire_logs_days", 0) or 0) * _DAY


def tls_findings(
    config: Mapping[str, str], conn_id: str, asked: bool | None, certificate: bool, grants: Sequence[str]
) -> list[Finding]:
    """Where the connector would be less careful than the connection asks for.

    :param config: the connector's.
    :param asked: whether the connection, or the param, asks for TLS.
    :param certificate: whether the connection has a client certificate.
    """
    if not asked:
        return []
    found, check, name = [], tls_of(config), "the connector"
    if check is None:
        what = f"{SSL_MODE} is {config.get(SSL_MODE, 'not set')!r}, but connection {conn_id!r} asks for TLS"
        found.append(Finding(Severity.REFUSE, "tls", name, what, "leave the key out", "connector_config"))
    if check is Check.NOTHING:
        what = (
            "it encrypts what it reads, but does not verify the server's identity: ssl_ca of "
            f"connection {conn_id!r} is on the Airflow host only"
        )
        fix = (
            "that authority as a PKCS12 or JKS file on every Connect worker, and its path there as worker_truststore "
            "in the connection's extra"
        )
        found.append(Finding(Severity.WARN, "tls", name, what, fix, "database_conn_id"))
    if certificate and KEYSTORE not in config:
        required = any(" REQUIRE " in grant and " REQUIRE SSL" not in grant for grant in grants)
        what = (
            f"it has no client certificate: ssl_cert of connection {conn_id!r} is a file on the Airflow host only"
            f"{', and the server asks its user for one' if required else ''}"
        )
        fix = (
            "certificate and key as a PKCS12 or JKS file on every Connect worker, and its path there as "
            "worker_keystore in the connection's extra"
        )
        severity = Severity.REFUSE if required else Severity.WARN
        found.append(Finding(severity, "client_certificate", name, what, fix, "database_conn_id"))
    return found


def _no_table(severity: Severity, what: str, patterns: Sequence[str], databases: Sequence[str]) -> Finding:
    asked = ", ".join(patterns) or "any table"
    return Finding(severity, "tables", f"in {', '.join(databases)}", f"{what} matches {asked}",
                   "names with their database, such as ecommerce.orders, or regular expressions that match the whole "
                   "of it, such as ecommerce\\.o.*; only tables that the user may read are seen", "tables")  # fmt: skip


def table_findings(
    tables: Sequence[Table], databases: Sequence[str], there: Collection[str], patterns: Sequence[str] = ()
) -> list[Finding]:
    """What is wrong with the selection.

    :param there: names of all databases that the user may see.
    :param patterns: what the tables were asked for by.
    """
    found = [
        Finding(
            Severity.REFUSE, "database", f"database {name}",
            f"no such database, or its user may not see it{did_you_mean(name, there)}",
            "one of: " + (", ".join(sorted(there)) or "none"), "databases",
        )
        for name in databases if name not in there
    ]  # fmt: skip
    if not tables and not found:
        found.append(_no_table(Severity.REFUSE, "nothing", patterns, databases))
    elif tables and (idle := [one for one in patterns if not captured(tables, [one])]):
        found.append(_no_table(Severity.WARN, "no table", idle, databases))
    for table in tables:
        name = f"table {table.full_name}"
        if not table.key:
            found.append(Finding(Severity.REFUSE, "key", name, "it has no primary key, so its events have no key and "
                                 "no guaranteed order", "add a primary key, or leave the table "
                                 "out", "tables"))  # fmt: skip
        odd = [column for column in table.not_compared if column in table.key]
        if odd:
            found.append(Finding(Severity.REFUSE, "key", name, f"its key has values that cannot be compared: "
                                 f"{', '.join(odd)}", "leave the table out", "tables"))  # fmt: skip
        elif table.not_compared:
            what = f"the values of these columns are not compared: {', '.join(table.not_compared)}"
            found.append(
                Finding(Severity.ADVISE, "columns", name, what, "nothing to do: the report lists them too", "tables")
            )
    return found


def topic_findings(tables: Sequence[Table], prefix: str, history: str) -> list[Finding]:
    """Topics that two would share."""
    names: dict[str, str] = {prefix: "the schema changes", history: "the schema history"}
    found: list[Finding] = []
    if prefix == history:
        what = "schema changes and the schema history would share it"
        found.append(Finding(Severity.REFUSE, "topics", f"topic {prefix}", what, "another one", "history_topic"))
    for table in tables:
        topic = topic_of(prefix, table)
        if other := names.get(topic):
            found.append(Finding(Severity.REFUSE, "topics", f"topic {topic}", f"{other} and table {table.full_name} "
                                 "would share it", "leave one of them out", "tables"))  # fmt: skip
        names[topic] = f"table {table.full_name}"
    return found


def server_id_findings(server_id: int, taken: Mapping[int, str]) -> list[Finding]:
    """A replica with an id that another has throws that one out.

    :param taken: server id to who has it.
    """
    if who := taken.get(server_id):
        return [Finding(Severity.REFUSE, "server_id", f"server id {server_id}", f"{who} has it", "another server_id",
                        "server_id")]  # fmt: skip
    return []


def history_findings(
    topic: str, partitions: int, configs: Mapping[str, str], servers: Collection[str], prefix: str
) -> list[Finding]:
    """What is wrong with a schema history topic that exists.

    :param configs: effective. ``servers``: the names that its records tell as their origin.
    """
    name = f"schema history {topic}"
    found: list[Finding] = []

    def refuse(what: str, fix: str) -> None:
        found.append(Finding(Severity.REFUSE, "history", name, what, fix, "history_topic"))

    if partitions != 1:
        refuse(f"it has {partitions} partitions, so its statements have no order", "another history_topic")
    if "compact" in configs.get("cleanup.policy", "delete"):
        refuse("it is compacted, so statements are lost", "set cleanup.policy=delete")
    for key in ("retention.ms", "retention.bytes"):
        # Debezium makes its history with the largest number there is (measured on 3.5.0).
        if 0 <= int(configs.get(key, -1)) < _FOREVER:
            refuse(f"its {key} is {configs[key]}: statements will be lost, and the connector cannot restart "
                "without them",
                   f"set {key}=-1")  # fmt: skip
    if others := sorted(set(servers) - {prefix}):
        refuse(
            f"it belongs to another stream, {', '.join(others)}", "another history_topic: each connector needs its own"
        )
    return found
