"""Values as the server, its binary log and Debezium give them."""

from __future__ import annotations

import base64
import struct
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from kafka_ferry.jobs.cdc.rules.tables import Column, Table
from kafka_ferry.jobs.cdc.rules.values import differing, digest, from_database, from_event, row

POINT = struct.pack("<BIdd", 1, 1, 1.0, 2.0)


@pytest.mark.parametrize(
    ("column", "stored", "told"),
    [
        (Column("a", "int"), 5, 5),
        (Column("a", "tinyint"), 1, True),
        (Column("a", "bigint", unsigned=True), 2**64 - 1, 2**64 - 1),
        (Column("a", "decimal"), Decimal("50.00"), "50.00"),
        (Column("a", "float"), 0.10000000149011612, 0.1),
        (Column("a", "date"), date(1969, 12, 31), -1),
        (Column("a", "datetime"), datetime(1970, 1, 1, 0, 0, 1), 1000),
        (Column("a", "datetime", 6), datetime(1970, 1, 1, 0, 0, 0, 5), 5),
        (Column("a", "timestamp"), datetime(2021, 8, 16, 10, 11, 12), "2021-08-16T10:11:12Z"),
        (Column("a", "time"), timedelta(seconds=-1), -1_000_000),
        (Column("a", "set"), "", ""),
        (Column("a", "set"), "x,y", "x,y"),
        (Column("a", "blob"), b"\0\xff", base64.b64encode(b"\0\xff").decode()),
        (Column("a", "binary"), b"\1\0", base64.b64encode(b"\1\0").decode()),
        (Column("a", "bit"), b"\1\x80", base64.b64encode(b"\x80\1").decode()),
        (Column("a", "bit"), b"\1", True),
        (Column("a", "time", 3), timedelta(milliseconds=-1), -1000),
        (Column("a", "year"), 0, 0),
        (Column("a", "double"), 1e-300, 1e-300),
        (Column("a", "decimal"), Decimal("50.000"), "50.00"),
        (Column("a", "date"), date(20, 1, 1), -712223),
        (Column("a", "date"), "0000-01-01", -719528),
        (Column("a", "geometry"), b"\xe6\x10\0\0wkb", {"wkb": base64.b64encode(b"wkb").decode(), "srid": 4326}),
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
        (Column("a", "binary"), b"\1\0", base64.b64encode(b"\1").decode()),
        (Column("a", "bigint", unsigned=True), 2**64 - 1, -1),
        (Column("a", "bigint", unsigned=True), 2**64 - 1, 1.8446744073709552e19),
        (Column("a", "int"), 5, "5"),
        (Column("a", "int"), 5, 5.5),
        (Column("a", "tinyint"), 5, True),
        (Column("a", "date"), "0000-00-00", 0),
        (Column("a", "date"), "2021-02-30", 18688),
        (Column("a", "datetime"), "0000-00-00 00:00:00", 0),
        (Column("a", "date"), date(20, 1, 1), 18262),
        (Column("a", "float"), 16777216.0, 16777200.0),
        (Column("a", "enum"), "a,b", "a\\,b"),
        (Column("a", "blob"), b"\1", "no base64"),
        (Column("a", "datetime"), datetime(1970, 1, 1), "1970-01-01"),
        (
            Column("a", "point"),
            bytes(4) + POINT,
            {"wkb": base64.b64encode(POINT).decode(), "srid": None, "x": 1, "y": 3},
        ),
    ],
)
def test_different_values_are_not(column, stored, told):
    assert from_database(column, stored) != from_event(column, told)


def test_a_new_column_of_nulls_makes_no_difference_to_a_row():
    columns = (Column("a", "int"), Column("b", "int"), Column("c", "json"))
    table = Table("d", "t", columns, ("a",))

    old, new = row(columns[:1], {"a": 1}, event=True), row(columns, {"b": None, "a": 1, "c": "x"}, event=False)
    assert digest(table.compared, old) == digest(table.compared, new)
    zero = digest(table.compared, row(columns, {"a": 1, "b": 0}, event=False))
    assert digest(table.compared, old) != zero, "null is not zero"
    assert differing(table.compared, digest(table.compared, old), zero) == ["b"]
    assert differing(table.compared, None, zero) == []
    assert table.not_compared == ["c"]
