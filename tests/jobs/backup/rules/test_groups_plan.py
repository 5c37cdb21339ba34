"""A restore never rewinds a group that nobody asked to rewind, never touches an active one, and says what it does."""

from __future__ import annotations

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import OtherGroup
from kafka_ferry.jobs.backup.rules.groups_plan import (
    RestoreGroupLine,
    Step,
    restore_group_lines,
    restored_groups_in_plan,
    to_write,
)
from kafka_ferry.jobs.backup.rules.judge_restore import group_checks, group_lines, left_out_check

AT, EXACT = ("t", 0), Commit(50)


def line(now: Commit | None, *, exact: Commit = EXACT, active: bool = False, rewind: bool = False):
    there = {} if now is None else {"g": {AT: now}}
    busy = {"g"} if active else set()
    (found,) = restore_group_lines({"g": {AT: exact}}, {"g": {AT: 70}}, there, busy, rewind=rewind)
    return found


@pytest.mark.parametrize(
    ("now", "how", "step"),
    [
        (None, {}, Step.SET),
        (Commit(40), {}, Step.RAISE),
        (Commit(50), {}, Step.THERE),
        (Commit(60), {}, Step.AHEAD),
        (Commit(60), {"rewind": True}, Step.REWIND),
        (Commit(40), {"rewind": True}, Step.RAISE),
        (None, {"active": True}, Step.ACTIVE),
        (Commit(40), {"active": True}, Step.ACTIVE),
        (Commit(60), {"active": True, "rewind": True}, Step.ACTIVE),
        (Commit(50), {"active": True}, Step.THERE),
        (Commit(50), {"exact": Commit(50, "note")}, Step.RAISE),
        (Commit(50, "theirs"), {"exact": Commit(50, "note")}, Step.THERE),
        (Commit(0), {"exact": Commit(0)}, Step.THERE),
    ],
)
def test_what_is_done(now, how, step):
    found = line(now, **how)
    assert found.action is step
    written = step in (Step.SET, Step.RAISE, Step.REWIND)
    assert to_write([found]) == ({"g": {AT: how.get("exact", Commit(50))}} if written else {})
    assert RestoreGroupLine.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("before", "now", "how", "status", "told"),
    [
        (None, Commit(50), {}, Status.PASS, ""),
        (None, None, {}, Status.FAIL, "no offset was committed"),
        (Commit(60), Commit(60), {}, Status.EXPLAINED, "10 offsets further than the backup has it, and was left"),
        (Commit(160), Commit(160), {}, Status.FAIL, "beyond the log's end at 100"),
        (None, Commit(55), {}, Status.EXPLAINED, "it is consuming on the target"),
        (Commit(40), Commit(40), {"active": True}, Status.FAIL, "active members"),
        (Commit(60), Commit(60), {"active": True}, Status.EXPLAINED, "consuming on the target"),
        (None, Commit(50), {"exact": Commit(50, "note")}, Status.EXPLAINED, "metadata differs"),
        (None, Commit(50, "note"), {"exact": Commit(50, "note")}, Status.PASS, ""),
    ],
)
def test_how_it_is_judged(before, now, how, status, told):
    step = line(before, **how)
    (found,) = group_lines([step], {"g": {AT: now}} if now else {}, {}, {AT: 100})
    assert found.status is status
    assert told in found.detail
    check = {one.name: one for one in group_checks([found])}["group_offsets"]
    assert check.status is status


def test_a_refused_rewind_fails():
    step = line(Commit(60), rewind=True)
    (found,) = group_lines([step], {"g": {AT: Commit(60)}}, {"g": "it has active members"}, {AT: 100})
    assert (found.status, found.detail) == (Status.FAIL, "it has active members")


def test_the_plan_counts_and_keeps_the_first():
    wanted = {f"g{n:03}": {AT: Commit(50, "secret")} for n in range(300)}
    before, there = {group: {AT: 70} for group in wanted}, {"g007": {AT: Commit(60)}}
    lines = restore_group_lines(wanted, before, there, {"g009"}, rewind=False)
    plan = restored_groups_in_plan(lines, "groups_plan.json")
    assert [(one.action, one.lines) for one in plan.actions] == [("ahead", 1), ("active", 1), ("set", 298)]
    assert [one.group for one in plan.first[:2]] == ["g007", "g009"]
    assert (plan.lines, plan.more, plan.active_groups) == (300, 100, ["g009"])
    assert "secret" not in str(plan)


def test_groups_that_do_not_come_back_are_named():
    assert left_out_check({}) == []
    (check,) = left_out_check({"a": "param exclude_groups", "s": str(OtherGroup("share", "Empty"))})
    assert check.status is Status.EXPLAINED
    assert [text[:2] for text in check.differences] == ["s:", "a:"]
    (check,) = left_out_check({"a": "param exclude_groups", "c": str(OtherGroup("connect", "Stable"))})
    assert check.status is Status.PASS
