"""Values as the server, its binary log and Debezium give them."""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from kafka_ferry.database.tables import Column, Table
from kafka_ferry.database.values import digest, from_database, from_event, row


@pytest.mark.parametrize(
    ("column", "stored", "told"),
    [
        (Column("a", "int"), 5, 5),
        (Column("a", "tinyint"), 1, True),
        (Column("a", "bigint", unsigned=True), 2**64 - 1, -1),
        (Column("a", "decimal"), Decimal("50.00"), "50.00"),
        (Column("a", "float"), 0.10000000149011612, 0.1),
        (Column("a", "date"), date(1969, 12, 31), -1),
        (Column("a", "datetime"), datetime(1970, 1, 1, 0, 0, 1), 1000),
        (Column("a", "datetime", 6), datetime(1970, 1, 1, 0, 0, 0, 5), 5),
        (Column("a", "timestamp"), datetime(2021, 8, 16, 10, 11, 12), "2021-08-16T10:11:12Z"),
        (Column("a", "time"), timedelta(seconds=-1), -1_000_000),
        (Column("a", "set"), {"y", "x"}, "y,x"),
        (Column("a", "set"), "x,y", "x,y"),
        (Column("a", "blob"), b"\0\xff", base64.b64encode(b"\0\xff").decode()),
        (Column("a", "binary"), b"\1", base64.b64encode(b"\1\0\0\0").decode()),
        (Column("a", "varchar"), "ü", "ü"),
        (Column("a", "varchar"), None, None),
    ],
)
def test_equal_values_are_said_the_same_way(column, stored, told):
    assert from_database(column, stored) == from_event(column, told)


@pytest.mark.parametrize(
    ("column", "stored", "told"),
    [
        (Column("a", "decimal"), Decimal("50.00"), "50.01"),
        (Column("a", "varchar"), "", None),
        (Column("a", "datetime", 6), datetime(1970, 1, 1, 0, 0, 0, 5), 6),
        (Column("a", "varbinary"), b"\1", base64.b64encode(b"\1\0").decode()),
    ],
)
def test_different_values_are_not(column, stored, told):
    assert from_database(column, stored) != from_event(column, told)


def test_a_new_column_of_nulls_makes_no_difference_to_a_row():
    columns = (Column("a", "int"), Column("b", "int"), Column("c", "bit"))

    old, new = row(columns[:1], {"a": 1}, event=True), row(columns, {"b": None, "a": 1, "c": b"x"}, event=False)
    assert digest(old) == digest(new)
    assert digest(old) != digest(row(columns, {"a": 1, "b": 0}, event=False)), "null is not zero"
    assert Table("d", "t", columns, ("a",)).not_compared == ["c"]
