"""Groups in the window."""

from __future__ import annotations

from dataclasses import replace

from kafka_ferry.core.checks import Status
from kafka_ferry.core.commits import Commit
from kafka_ferry.jobs.cutover.rules.groups import (
    beyond_the_end,
    known_lines,
    marks_to_find,
    moved_since,
    restless,
    unsettled_words,
    with_lines,
)
from kafka_ferry.jobs.migration.rules.groups import commits_to_write, judge_groups
from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.translate import GroupLine

TP, THERE = ("orders", 0), ("new.orders", 0)
LINE = GroupLine("g", 50, None, 45, 0, 0, 50, None, "missing", metadata="note")
FINGERPRINT = Fingerprint(100, 0, 0, 0, 1, 2)
RESULT = PartitionResult(
    "orders", "new.orders", 0, FINGERPRINT, FINGERPRINT, PartitionComparison("pass", 100, 100, accounted=100),
    (LINE,), ((0, 0), (100, 95)),
)  # fmt: skip


def at(offset: int) -> dict[str, dict[tuple[str, int], Commit]]:
    return {"g": {TP: Commit(offset)}}


def test_a_group_at_the_end_may_stay() -> None:
    assert restless(at(90), at(100), {"g"}, {}) == {}


def test_a_group_at_work_that_has_not_committed_all_is_named() -> None:
    found = restless(at(90), at(90), {"g"}, {"g": {TP}})
    assert found == {"g": "group g is at work on the source and has not committed all: orders-0 at 90"}


def test_a_stopped_group_may_stand_anywhere_but_must_stand() -> None:
    assert restless(at(50), at(50), set(), {}) == {}
    assert "keep changing" in restless(at(50), at(51), set(), {})["g"]
    assert "keep changing" in restless({}, at(51), set(), {})["g"], "one that came in the window"


def test_what_was_known_is_known_while_the_group_stands() -> None:
    assert known_lines([RESULT], at(50), {}) == {("g", TP): LINE}
    assert known_lines([RESULT], at(51), {}) == {}
    beyond = replace(RESULT, groups=(replace(LINE, source_offset=120),))
    assert known_lines([beyond], at(120), {}) == {}, "what it stood behind was not on the target then"
    assert known_lines([RESULT], at(50), {"g": {THERE: Commit(45)}}) == {("g", TP): LINE}, "set meanwhile"
    ahead = {"g": {THERE: Commit(46)}}
    assert known_lines([RESULT], at(50), ahead) == {}, "what it would skip there is to be counted"
    nowhere = replace(RESULT, anchors=((0, 0),))
    assert known_lines([nowhere], at(50), {}) == {}, "no place of it is equal"


def test_what_moved_is_to_be_found() -> None:
    commits = {"g": {TP: Commit(70, "note"), ("other", 1): Commit(3)}, "h": {TP: Commit(50)}}
    marks = marks_to_find(
        commits, {("h", TP)}, {"g": {THERE: Commit(45, "old")}}, {TP: THERE}, {"g": "share"}, {"g": {TP: 2}}
    )
    assert set(marks) == {TP}
    (mark,) = marks[TP]
    assert (mark.group, mark.source_offset, mark.target_offset, mark.metadata, mark.target_metadata) == (
        "g", 70, 45, "note", "old",
    )  # fmt: skip
    assert (mark.kind, mark.acknowledged) == ("share", 2)


def test_exact_offsets_are_written_and_judged() -> None:
    found = {("g", TP): replace(LINE, source_offset=70, expected_offset=66)}
    (made,) = with_lines([RESULT], {}, found, {})
    writes = commits_to_write([made], set())
    assert writes == {"g": {THERE: Commit(66, "note")}}
    (line,) = judge_groups([made], writes, {})
    assert (line.status, line.target_offset, line.expected_offset) == (Status.PASS, 66, 66)
    (ahead,) = judge_groups([made], {"g": {THERE: Commit(67)}}, {})
    assert ahead.status is Status.FAIL, "a record would never be delivered"


def test_what_is_exact_already_is_not_written_again() -> None:
    known = {("g", TP): LINE}
    (made,) = with_lines([RESULT], known, {}, {"g": {THERE: Commit(45, "note")}})
    assert commits_to_write([made], set()) == {}
    (line,) = judge_groups([made], {"g": {THERE: Commit(45, "note")}}, {})
    assert line.status is Status.PASS


def test_a_commit_behind_the_end_of_the_log_is_told() -> None:
    found = {("g", TP): replace(LINE, source_offset=120, expected_offset=95)}
    (made,) = with_lines([RESULT], {}, found, {})
    lines = judge_groups([made], {"g": {THERE: Commit(95, "note")}}, {})
    (told,) = beyond_the_end(lines, {TP: 100})
    assert (told.status, "20 offsets behind the end" in told.detail) == (Status.EXPLAINED, True)
    assert beyond_the_end(lines, {TP: 120}) == lines, "at the end"
    assert beyond_the_end(lines, {}) == lines
    (ahead,) = beyond_the_end(judge_groups([made], {"g": {THERE: Commit(96)}}, {}), {TP: 100})
    assert ahead.status is Status.FAIL, "what is wrong stays wrong"


def test_who_was_moved_since_is_told() -> None:
    assert moved_since(at(50), at(50)) == []
    assert moved_since(at(50), at(51)) == ["g"]
    assert moved_since(at(50), {"g": {}}) == ["g"]
    assert moved_since({}, at(51)) == [], "one that was not set"


def test_offsets_in_an_open_transaction_are_told() -> None:
    assert "within a transaction that has not ended" in unsettled_words({"g"})["g"]
