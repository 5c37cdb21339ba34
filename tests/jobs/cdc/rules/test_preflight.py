"""What is refused of a database, a selection and a schema history."""

from __future__ import annotations

import pytest

from kafka_ferry.core.database_needs import grant_findings
from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.cdc.debezium_config import Database
from kafka_ferry.jobs.cdc.rules.preflight import (
    captured,
    history_findings,
    server_id_findings,
    settings_findings,
    table_findings,
    tls_findings,
    topic_findings,
    topic_of,
    why_unreadable,
)
from kafka_ferry.jobs.cdc.rules.tables import Column, Table

FIT = {"log_bin": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_metadata": "FULL",
       "version": "10.11.5-MariaDB-log", "gtid_binlog_pos": "0-7-1"}  # fmt: skip


def table(name: str, key=("id",), kind: str = "int", database: str = "shop") -> Table:
    return Table(database, name, (Column("id", kind),), tuple(key))


def refusals(findings) -> list[str]:
    return [f"{one.subject}: {one.what}" for one in findings if one.severity is Severity.REFUSE]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"log_bin": "OFF"}, "log_bin is 'OFF', not 'ON'"),
        ({"binlog_format": "MIXED"}, "binlog_format is 'MIXED', not 'ROW'"),
        ({"binlog_row_image": "MINIMAL"}, "binlog_row_image is 'MINIMAL', not 'FULL'"),
        ({"version": "8.0.36"}, "it is MySQL 8.0.36"),
        (
            {"gtid_binlog_pos": ""},
            "its binary log has no transaction yet, and Debezium's MariaDB connector fails at that (measured on 3.5.0)",
        ),
    ],
)
def test_settings_that_lose_changes_are_refused(change, problem):
    assert refusals(settings_findings(FIT, Database.MARIADB)) == []
    assert refusals(settings_findings({**FIT, **change}, Database.MARIADB)) == [f"the server: {problem}"]


def test_what_may_go_wrong_is_told():
    found = settings_findings({**FIT, "binlog_row_metadata": "MINIMAL", "expire_logs_days": "0.5"}, Database.MYSQL)

    assert refusals(found) == []
    assert [one.code for one in found] == ["server", "metadata", "expiry"]
    assert "deleted after 12 h" in found[2].what
    assert why_unreadable(FIT) == ""
    assert "compressed" in why_unreadable({**FIT, "log_bin_compress": "ON"})
    assert "compressed" in why_unreadable({**FIT, "binlog_transaction_compression": "ON"})


@pytest.mark.parametrize(
    ("grants", "lacking"),
    [
        (["GRANT ALL PRIVILEGES ON *.* TO `a`@`%`"], ""),
        (["GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `a`@`%`"], ""),
        (["GRANT RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `a`@`%`",
          "GRANT SELECT ON `shop`.* TO `a`@`%`"], ""),
        (["GRANT USAGE ON *.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`"],
         "RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT"),
        (["GRANT RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `a`@`%`"], "SELECT"),
    ],
)  # fmt: skip
def test_rights_that_debezium_needs(grants, lacking):
    assert refusals(grant_findings(grants)) == ([f"the database's user: it lacks {lacking}"] if lacking else [])


def test_tables_are_chosen_as_debezium_does():
    tables = [table("orders"), table("orders_old"), table("Items")]

    assert [one.name for one in captured(tables, [])] == ["orders", "orders_old", "Items"]
    assert [one.name for one in captured(tables, ["shop.orders"])] == ["orders"], "the whole name"
    assert [one.name for one in captured(tables, ["shop\\.o.*", "shop.items"])] == ["orders", "orders_old", "Items"]


def test_a_selection_that_cannot_be_proven_is_refused():
    found = table_findings([table("heap", key=()), table("odd", kind="uuid")], ["shop"], ["shop"])

    assert refusals(found) == [
        "table shop.heap: it has no primary key, so its events have no key and no guaranteed order",
        "table shop.odd: its key has values that cannot be compared: id",
    ]
    assert refusals(table_findings([], ["shop"], ["shop"])) == ["in shop: nothing matches any table"]
    assert refusals(table_findings([], ["shop"], ["shop"], ["order"])) == ["in shop: nothing matches order"]
    assert refusals(table_findings([], ["no"], ["shop"])) == [
        "database no: no such database, or its user may not see it"
    ]


def test_a_name_among_others_that_no_table_has_is_told():
    patterns = ["shop.orders", "shop.ordrs", "shop\\.i.*"]
    (found,) = table_findings([table("orders")], ["shop"], ["shop"], patterns)

    assert found.severity == "warn"
    assert found.what == "no table matches shop.ordrs, shop\\.i.*"
    assert not table_findings([table("orders")], ["shop"], ["shop"], ["SHOP.Orders"])


def test_two_tables_never_share_a_topic():
    pair = [table("a b"), table("a_b")]

    assert {topic_of("p", one) for one in pair} == {"p.shop.a_b"}
    assert refusals(topic_findings(pair, "p", "h")) == [
        "topic p.shop.a_b: table shop.a b and table shop.a_b would share it"
    ]
    assert refusals(topic_findings([], "p", "p")) == ["topic p: schema changes and the schema history would share it"]


def test_a_server_id_that_is_taken_is_refused():
    assert refusals(server_id_findings(7, {7: "the server itself"})) == ["server id 7: the server itself has it"]
    assert server_id_findings(8, {7: "the server itself"}) == []


def test_a_schema_history_that_forgets_or_is_of_another_stream_is_refused():
    fit = {"cleanup.policy": "delete", "retention.ms": "9223372036854775807", "retention.bytes": "-1"}

    assert history_findings("h", 1, fit, {"p"}, "p") == []
    what = refusals(
        history_findings("h", 2, {**fit, "cleanup.policy": "compact", "retention.ms": "604800000"}, {"q"}, "p")
    )
    assert len(what) == 4
    assert "it has 2 partitions" in what[0]
    assert "retention.ms is 604800000" in what[2]
    assert what[3] == "schema history h: it belongs to another stream, q"


def tls(config, asked=True, certificate=False, grants=()):
    return [(one.severity, one.code) for one in tls_findings(config, "shop", asked, certificate, grants)]


def test_a_connector_that_is_less_careful_than_its_connection_is_named():
    mode, key = "database.ssl.mode", {"database.ssl.keystore": "/k.p12"}
    assert tls({mode: "verify-full"}) == tls({mode: "verify_ca"}) == tls({mode: "disable"}, asked=None) == []
    assert tls({mode: "trust"}) == tls({mode: "REQUIRED"}) == [(Severity.WARN, "tls")]
    assert tls({mode: "disabled"}) == tls({mode: "preferred"}) == tls({}) == [(Severity.REFUSE, "tls")]

    full = {mode: "verify-full"}
    assert tls(full, certificate=True) == [(Severity.WARN, "client_certificate")]
    asks = ["GRANT SELECT ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*A' REQUIRE X509"]
    assert tls(full, certificate=True, grants=asks) == [(Severity.REFUSE, "client_certificate")]
    assert tls(full | key, certificate=True, grants=asks) == []
    secure = ["GRANT SELECT ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*A' REQUIRE SSL"]
    assert tls(full, certificate=True, grants=secure) == [(Severity.WARN, "client_certificate")]
