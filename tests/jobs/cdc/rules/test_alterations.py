"""What Debezium cannot carry is told by column, before it runs and where it differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.jobs.cdc.rules.alterations import (
    alteration_findings,
    breaking_findings,
    cause,
    doubt,
    snapshot_overrides,
)
from kafka_ferry.jobs.cdc.rules.judge import judge_stream
from kafka_ferry.jobs.cdc.rules.judge_table import TableResult
from kafka_ferry.jobs.cdc.rules.tables import Column, Table

STRICT = "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE"


def table(*columns: Column, **more) -> Table:
    return Table("shop", "orders", (Column("id", "int"), *columns), ("id",), **more)


def told(columns, sql_mode: str = STRICT, **more) -> list[str]:
    found = alteration_findings([table(*columns, **more)], sql_mode, {})
    return [f"{one.severity} {one.subject}: {one.what}" for one in found]


def test_a_snapshot_asks_for_all_digits_of_a_float():
    floats = table(Column("f", "float", full="float"), Column("m", "float", full="float(7,3)"), Column("a`b", "int"))
    overrides = snapshot_overrides([floats, table(Column("a", "double")), replace(floats, name="odd name")])

    assert overrides == {
        "snapshot.select.statement.overrides": "shop.orders",
        "snapshot.select.statement.overrides.shop.orders":
            "SELECT `id`, `f` + 0e0 AS `f`, `m`, `a``b` FROM `shop`.`orders`",
    }  # fmt: skip
    assert snapshot_overrides([table(Column("a", "double"))]) == {}
    assert alteration_findings([floats], STRICT, overrides) == []
    assert [one.code for one in alteration_findings([floats], STRICT, {})] == ["altered"]


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (Column("a", "float", full="float"), "six digits"),
        (Column("a", "float", full="float(7,3)"), None),
        (Column("a", "varchar", charset="sjis"), "wrong characters"),
        (Column("a", "varchar", charset="latin1"), None),
        (Column("a", "enum", full="enum('a','b')"), None),
        (Column("a", "enum", full="enum('a,b','c')"), "an extra backslash"),
        (Column("a", "enum", full=r"enum('a','b\\c')"), "an extra backslash"),
        (Column("a", "set", full="set('a','it''s')"), None),
        (Column("a", "bigint", unsigned=True), None),
    ],
)
def test_columns_of_which_some_values_arrive_altered_are_warned_of(column, what):
    assert (doubt(column) is None) == (what is None)
    found = told([column])
    assert found == [] if what is None else found[0].startswith("warn column shop.orders.a: ") and what in found[0]


def test_dates_that_are_on_no_calendar_are_told_by_sql_mode_and_defaults():
    columns = [Column("d", "date"), Column("z", "datetime", default="'0000-00-00 00:00:00'"), Column("t", "time")]

    assert told(columns[:1]) == told(columns[:1], "TRADITIONAL") == told([columns[2]], "") == []
    assert told(columns, STRICT)[0].startswith("warn table shop.orders: the default of z is a date that does not ex")
    for modes in ("", "NO_ZERO_DATE", f"{STRICT},ALLOW_INVALID_DATES"):
        assert told(columns[:1], modes)[0].startswith("advise table shop.orders: sql_mode lets d hold a date")


def test_foreign_keys_that_change_rows_are_told():
    (found,) = told([], cascades=("fk (of parents) ON DELETE CASCADE",))

    assert found == (
        "warn table shop.orders: rows that its foreign keys change are not in the binary log, so no event reports "
        "them: fk (of parents) ON DELETE CASCADE"
    )
    result = TableResult(table(cascades=("fk (of parents) ON DELETE CASCADE",)), "p.shop.orders", 1)
    result.content_differences.append("shop.orders 1: not in the table, but in the topic at partition 0 offset 0")
    judged = judge_stream([result], None, [], [], topics={"p.shop.orders"}, duplicates="explain")
    assert "not in the binary log" in judged["topics"][0].detail


def test_what_ends_the_connector_is_refused():
    assert told([Column("u", "uuid")])[0].startswith("refuse table shop.orders: changes of a UUID")
    assert told([], versioned=True)[0].startswith("refuse table shop.orders: it is WITH SYSTEM VERSIONING")
    odd = {"o.t.a": "inet6", "o.t.b": "text /*M!100301 COMPRESSED*/", "o.t.c": "year(2)", "shop.orders.d": "year(2)"}
    found = breaking_findings(odd, {"shop.orders"})
    assert [one.subject for one in found] == ["column o.t.a", "column o.t.b", "column shop.orders.d"]
    assert {one.severity for one in found} == {"refuse"}


def test_the_cause_of_a_difference_is_named():
    assert "3 times the database holds a date that does not exist" in cause(Column("d", "date"), 3)
    assert "enable.time.adjuster" in cause(Column("d", "date"), 0)
    assert "bigint.unsigned.handling.mode=precise" in cause(Column("n", "bigint", unsigned=True), 0)
    assert "BOOL" in cause(Column("b", "tinyint", full="tinyint(1)"), 0)
    assert cause(Column("v", "varchar"), 0) == ""
