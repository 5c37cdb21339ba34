"""What columns a table had, and under which name its rows were written."""

from __future__ import annotations

from kafka_ferry.jobs.cdc.rules.change import Change
from kafka_ferry.jobs.cdc.rules.events import Op
from kafka_ferry.jobs.cdc.rules.lineage import Rename, Segment, lineage
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import Column
from kafka_ferry.jobs.cdc.rules.versions import Version, as_of, columns_of_change, steady


def at(pos: int) -> Position:
    return Position(1, pos)


def told(**kinds: str) -> dict[str, Column]:
    columns = []
    for name, kind in kinds.items():
        word, *numbers = kind.replace(")", "").replace(",", "(").split("(")
        length, scale = ([int(one) for one in numbers] + [0, 0])[:2]
        columns.append({"name": name, "typeName": word, "length": length, "scale": scale})
    return dict(columns_of_change({"id": '"shop"."orders"', "table": {"columns": columns}})[1])


def test_what_debezium_tells_of_a_table():
    name, columns = columns_of_change({"id": '"shop"."orders"', "table": {"columns": [
        {"name": "a", "typeName": "BIGINT UNSIGNED", "length": 20},
        {"name": "b", "typeName": "DATETIME", "length": 6}, {"name": "c", "typeName": "NUMERIC", "length": 5},
    ]}})  # fmt: skip
    assert name == "shop.orders"
    assert columns["a"] == Column("a", "bigint", unsigned=True)
    assert columns["b"] == Column("b", "datetime", 6)
    assert columns["c"].kind == "decimal"
    assert columns_of_change({"id": '"shop"."orders"', "table": None}) == ("shop.orders", {})


def test_columns_that_no_statement_rewrote_are_steady():
    first = told(a="INT", b="VARCHAR(20)", c="DECIMAL(6,2)", d="DATETIME", e="ENUM", f="FLOAT", g="INT", n="BINARY(4)")
    then = told(
        a="BIGINT", b="LONGTEXT", c="DECIMAL(8,2)", d="DATETIME(6)", e="VARCHAR", f="DOUBLE", h="INT", n="BINARY(8)"
    )

    assert steady([]) is None
    assert steady([Version(at(1), first)]) == set(first)
    assert steady([Version(at(1), first), Version(at(2), then)]) == {"a", "b", "c", "e"}
    assert steady([Version(at(1), first), Version(at(2), then, recreated=True)]) == set(then)
    back = [Version(at(1), first), Version(at(2), {**first, "g": told(g="TEXT")["g"]}), Version(at(3), first)]
    assert "g" not in steady(back), "it was another one in between"


def test_an_event_is_read_by_the_columns_of_its_time():
    versions = [Version(at(10), told(a="INT")), Version(at(20), told(a="TEXT"))]

    assert [as_of(versions, at(pos)).get("a") for pos in (9, 10, 19, 21)] == [
        None, told(a="INT")["a"], told(a="INT")["a"], told(a="TEXT")["a"],
    ]  # fmt: skip


def test_a_tables_names_are_followed_back():
    renames = [
        Rename(at(10), "s.a", "s.b"), Rename(at(20), "s.orders", "s.old"), Rename(at(20), "s.ghost", "s.orders"),
        Rename(at(30), "s.b", "s.c"),
    ]  # fmt: skip
    assert lineage(renames, "s.x") == [Segment("s.x")]
    assert lineage(renames, "s.c") == [
        Segment("s.a", None, at(10)),
        Segment("s.b", at(10), at(30)),
        Segment("s.c", at(30)),
    ]
    assert lineage(renames, "s.orders") == [Segment("s.ghost", None, at(20)), Segment("s.orders", at(20))]
    changes = [Change(Op.CREATE, at(pos), 0, "k") for pos in (5, 15, 35)]
    assert [one.position.pos for one in Segment("s.b", at(10), at(30)).of(changes)] == [15]
