"""Every difference between a table and its topic is found and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.core.checks import Report, Status
from kafka_ferry.jobs.cdc.rules.change import Change, Digester
from kafka_ferry.jobs.cdc.rules.events import Event, NotAnEvent, Op, SchemaEvent, parse_event, parse_schema_event
from kafka_ferry.jobs.cdc.rules.judge import CHECKS, Statement, judge_stream, stream_sentence
from kafka_ferry.jobs.cdc.rules.judge_table import TableResult, judge_table, rewound
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.tables import Column, Table

TABLE = Table("shop", "orders", (Column("id", "int"), Column("name", "varchar")), ("id",))
START = Position(1, 100)
#: Digest of a row that has another name.
OTHER = Digester(TABLE).row({"id": 1, "name": "other"})[1]


def at(pos: int) -> Position:
    return Position(1, pos)


def rows_of(digester: Digester, *rows: dict) -> dict[str, bytes]:
    return dict(map(digester.row, rows))


class World:
    """Rows 1 and 2 at the snapshot; then 3 comes, 1 changes, 2 goes, 3 becomes 4."""

    def __init__(self) -> None:
        digester = Digester(TABLE)
        told = [
            (at(110), None, {"id": 3, "name": "c"}),
            (at(120), {"id": 1, "name": "a"}, {"id": 1, "name": "A"}),
            (at(130), {"id": 2, "name": "b"}, None),
            (at(140), {"id": 3, "name": "c"}, {"id": 4, "name": "c"}),
        ]
        self.changes = [change for pos, old, new in told for change in digester.of_log(pos, 0, old, new)]
        self.rows = rows_of(digester, {"id": 1, "name": "A"}, {"id": 4, "name": "c"})
        reads = [
            digester.of_event(Event(Op.READ, START, 0, "shop.orders", {"id": n}, None, {"id": n, "name": name}), 0, n)
            for n, name in ((1, "a"), (2, "b"))
        ]
        self.events = [replace(one, partition=0, offset=n) for n, one in enumerate([*reads, *self.changes])]

    def judge(self, *, duplicates="explain", statements=(), schema=(), log=True, **how):
        result = judge_table(
            TableResult(TABLE, "p.shop.orders", 1), self.rows, self.changes if log else None, self.events, START, **how
        )
        return judge_stream([result], statements if log else None, schema, [], topics={"p.shop.orders"},
                            duplicates=duplicates, why_no_log="" if log else "it is gone")  # fmt: skip


def statuses(judged) -> dict[str, str]:
    return {one.name: one.status.value for one in judged["checks"] if one.status is not Status.SKIPPED}


def named(judged) -> str:
    return "\n".join(text for one in judged["checks"] for text in one.differences)


def test_what_is_complete_passes():
    judged = World().judge()

    assert set(statuses(judged).values()) == {"pass"}
    # What a run that breaks calls not made is what a whole run makes; the removal has a line of its own.
    assert {one.name for one in judged["checks"]} | {"leftovers"} == set(CHECKS)
    (line,) = judged["topics"]
    assert (line.source_records, line.target_records, line.status.value) == (7, 7, "pass")


def report_of(judged, verdict: str) -> Report:
    return Report(dag_id="d", run_id="r", engine="e", verdict=verdict, source={}, target={}, started=None, ended=None,
                  **judged)  # fmt: skip


def test_the_verdict_claims_no_more_than_was_checked():
    complete = "2 rows of 1 table are in Kafka as in the database; so are all 5 changes since the snapshot, in order"

    assert stream_sentence(report_of(World().judge(), "PASS")) == f"{complete} per key."
    assert stream_sentence(report_of(World().judge(log=False), "PASS")).endswith("; single changes were not compared.")
    assert stream_sentence(report_of(World().judge(), "FAIL")) == ""


def test_an_update_of_the_key_is_a_delete_and_a_create():
    assert [one.op for one in World().changes] == [Op.CREATE, Op.UPDATE, Op.DELETE, Op.DELETE, Op.CREATE]


def test_rows_are_wound_back_to_the_snapshot():
    world = World()
    first = Digester(TABLE)

    assert rewound(world.rows, world.changes) == rows_of(first, {"id": 1, "name": "a"}, {"id": 2, "name": "b"})


@pytest.mark.parametrize("lost", range(7))
def test_a_lost_event_is_named(lost):
    world = World()
    del world.events[lost]
    judged = world.judge()

    assert "fail" in statuses(judged).values()
    assert judged["topics"][0].lost == 1
    assert ("but not in the topic" if lost < 2 else "is not in the topic") in named(judged)


def test_a_changed_value_is_named_with_its_offset():
    world = World()
    world.events[3] = replace(world.events[3], after=OTHER, state=OTHER)
    judged = world.judge()

    assert statuses(judged) | {"content": "fail", "changes": "fail"} == statuses(judged)
    assert '[["id", 1]]: UPDATE at partition 0 offset 3 has another after than the binary log (name)' in named(judged)
    assert '[["id", 1]]: other values in the table than in the topic at partition 0 offset 3 (name)' in named(judged)


def test_a_wrong_before_alone_is_found():
    world = World()
    world.events[4] = replace(world.events[4], before=OTHER)

    assert "DELETE at partition 0 offset 4 has another before" in named(world.judge())


def test_an_event_that_nobody_caused_is_named():
    world = World()
    world.events.append(replace(world.events[3], position=at(125), offset=9))

    assert "UPDATE at partition 0 offset 9 is not in the binary log" in named(world.judge())


def test_events_of_a_key_in_another_order_are_named():
    world = World()
    late = Digester(TABLE).of_log(at(150), 0, {"id": 1, "name": "A"}, {"id": 1, "name": "Z"})
    world.changes += late
    world.events.insert(3, replace(late[0], partition=0, offset=3))
    judged = world.judge()

    assert judged["topics"][0].reordered == 1
    assert "is older than an event of this key before it" in named(judged)


def test_redelivered_events_are_explained_or_fail_as_asked():
    world = World()
    world.events += [replace(one, offset=one.offset + 10) for one in world.events[-2:]]

    assert statuses(world.judge())["changes"] == "explained"
    assert world.judge()["topics"][0].duplicated == 2
    assert statuses(world.judge(duplicates="fail"))["changes"] == "fail"


def test_a_snapshot_that_was_begun_again_is_told():
    world = World()
    world.events.insert(0, replace(world.events[0], position=at(50)))
    judged = world.judge()

    assert statuses(judged)["counts"] == "explained"
    assert statuses(judged)["content"] == "pass"


def test_a_row_that_went_before_the_second_snapshot_is_a_ghost():
    world = World()
    ghost = Change(Op.READ, at(50), 0, '[["id", 9]]', after=OTHER, state=OTHER, partition=0, offset=0)
    world.events.insert(0, ghost)

    assert '[["id", 9]]: not in the table, but in the topic at partition 0 offset 0' in named(world.judge())


def test_without_the_binary_log_the_replay_alone_proves_and_says_so():
    world = World()
    judged = world.judge(log=False)

    assert statuses(judged) == {"topics": "pass", "content": "pass"}
    assert {one.name: one.detail for one in judged["checks"]}["changes"] == "it is gone"
    world.events.pop()
    assert statuses(world.judge(log=False))["content"] == "fail"


def test_a_truncated_table_cannot_be_wound_back():
    judged = World().judge(gone="it was truncated")

    assert "counts" not in statuses(judged)


def test_a_statement_that_is_not_in_the_topic_is_named():
    said = [
        Statement(at(115), "shop", "ALTER TABLE orders ADD x INT"),
        Statement(at(116), "shop", "DROP  TABLE orders"),
    ]
    there = [SchemaEvent(at(116), "shop", "DROP TABLE orders", ("shop.orders",), snapshot=False)]
    judged = World().judge(statements=said, schema=there)

    assert statuses(judged)["schema_changes"] == "fail"
    assert named(judged) == "ALTER TABLE orders ADD x INT (file 000001 at 115): not in the topic of schema changes"


def test_a_truncate_is_told_by_its_tables_event():
    world = World()
    said = [Statement(at(150), "shop", "TRUNCATE TABLE orders")]
    assert statuses(world.judge(statements=said))["schema_changes"] == "fail"
    world.events.append(Change(Op.TRUNCATE, at(150), 0, "", partition=0, offset=9))
    assert statuses(world.judge(statements=said))["schema_changes"] == "pass"


def test_events_of_a_table_that_had_the_name_before_count_as_its_own():
    world = World()
    world.rows = {}
    judged = world.judge(gone="it was dropped", recreated=at(145))
    assert (statuses(judged)["content"], "counts" in statuses(judged)) == ("pass", False)
    assert statuses(world.judge(gone="it was dropped"))["content"] == "fail"


def test_a_column_that_came_later_with_a_default_is_left_out_of_rows_but_not_of_changes():
    new = Table("shop", "orders", (*TABLE.columns, Column("more", "int")), ("id",))
    digester = Digester(new, frozenset({"id", "name"}))
    (change,) = digester.of_log(at(1), 0, None, {"id": 1, "name": "a", "more": 5})

    assert change.state == digester.row({"id": 1, "name": "a", "more": 7})[1]
    assert change.after != change.state


def test_records_of_others_are_no_events():
    for key, value in ((b"{}", b"x"), (b"{}", b"{}"), (b"{}", b'{"op": "z", "source": {}}'), (b"[", b"{}")):
        with pytest.raises(NotAnEvent):
            parse_event(key, value)
    assert parse_event(b"{}", None) is None, "a tombstone"
    with pytest.raises(NotAnEvent):
        parse_schema_event(b"[]")


def test_positions_are_ordered_over_files():
    assert Position.of("binlog.000002", 4) > Position.of("binlog.000001", 999) > Position.of("binlog.000001", "5")
    with pytest.raises(ValueError, match="int"):
        Position.of("binlog", 4)
