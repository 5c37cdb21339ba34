"""The dry table of group offsets: what is said of each line, and how much of it is kept where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kafka_ferry.jobs.migration.rules.groups_plan import (
    KEPT,
    Commit,
    GroupPlanLine,
    all_groups,
    group_lines,
    groups_in_plan,
    uncommitted,
)
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

ENDS = {("orders", 0): 100, ("orders", 1): 50}


def lines(
    committed: dict[str, dict[tuple[str, int], int]],
    on_target: dict[str, dict[tuple[str, int], int]] | None = None,
    active: frozenset[str] = frozenset(),
    **params: Any,
) -> list[GroupPlanLine]:
    spec = MigrationSpec.from_params({"topics": ["orders"], **params})
    return group_lines(spec, committed, ENDS, on_target or {}, active)


def test_a_line_says_where_the_group_stands_on_both_sides() -> None:
    (line,) = lines({"g": {("orders", 0): 40}}, {"g": {("old.orders", 0): 7}}, naming="prefix", source_alias="old")
    assert line == GroupPlanLine("g", "orders", 0, 40, 100, 60, "old.orders", 7, Commit.THERE)


@pytest.mark.parametrize(
    "there, active, params, action",
    [
        ({}, frozenset(), {}, "compute"),
        ({"g": {("orders", 0): 40}}, frozenset(), {}, "there"),
        ({"g": {("orders", 0): 40}}, frozenset("g"), {}, "active"),
        ({"g": {("orders", 1): 40}}, frozenset("x"), {}, "compute"),  # a commit on another partition
        ({}, frozenset(), {"group_offsets": "mm2"}, "mm2"),
        ({}, frozenset("g"), {"group_offsets": "mm2"}, "active"),
    ],
)
def test_what_will_be_done(there: Any, active: frozenset[str], params: dict[str, str], action: str) -> None:
    (line,) = lines({"g": {("orders", 0): 40}}, there, active, **params)
    assert line.action == action


def test_lag_is_never_negative_and_a_partition_without_an_end_has_none() -> None:
    found = lines({"g": {("orders", 1): 60, ("gone", 0): 5}})
    assert {(line.topic, line.source_end, line.lag) for line in found} == {("orders", 50, 0), ("gone", 5, 0)}


def test_the_worst_come_first() -> None:
    committed = {
        "far": {("orders", 0): 1},
        "near": {("orders", 0): 99, ("orders", 1): 40},
        "busy": {("orders", 0): 100},
    }
    found = lines(committed, active=frozenset({"busy"}))
    assert [(line.group, line.lag) for line in found] == [("busy", 0), ("far", 99), ("near", 10), ("near", 1)]


def test_the_plan_keeps_a_bounded_number_and_counts_the_rest() -> None:
    many = lines({f"g{i:03}": {("orders", 0): 90} for i in range(KEPT + 5)}, active=frozenset({"g007"}))
    plan = groups_in_plan(many)
    assert (plan.lines, plan.lag, plan.more, len(plan.first)) == (KEPT + 5, 10 * (KEPT + 5), 5, KEPT)
    assert [(entry.action, entry.lines) for entry in plan.actions] == [("active", 1), ("compute", KEPT + 4)]
    assert plan.active_groups == ["g007"]
    assert plan.artifact is None
    assert groups_in_plan(many, "all.json").artifact == "all.json"
    assert json.loads(json.dumps(plan.to_json()))["first"][0] == many[0].to_json()


def test_the_artifact_has_every_line() -> None:
    many = lines({f"g{i}": {("orders", 0): 90} for i in range(KEPT + 5)})
    artifact = json.loads(all_groups(many))
    assert artifact["columns"][:4] == ["group", "topic", "partition", "source_offset"]
    read = [GroupPlanLine(**dict(zip(artifact["columns"], row, strict=True))) for row in artifact["lines"]]
    assert read == many


def test_partitions_without_a_commit_are_named() -> None:
    assert uncommitted({"g": {("orders", 0): 40}, "all": dict(ENDS)}, ENDS) == [
        "group g has no commit on orders-1: nothing to copy there, its consumers start by auto.offset.reset"
    ]
    assert uncommitted({"s": {("orders", 0): 40}}, ENDS, ["s"]) == [
        "group s has no start on orders-1: nothing to copy there, its consumers start by share.auto.offset.reset"
    ]
    wide = {("t", number): 5 for number in range(30)}
    many = {f"g{number:02}": {("t", 0): 1} for number in range(12)}
    lines = uncommitted(many, wide)
    assert len(lines) == 11
    assert "t-1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 19 more partitions" in lines[0]
    assert lines[-1] == "... and 2 more groups and topics with partitions without a commit"


def test_no_groups_is_no_table() -> None:
    assert groups_in_plan([]).lines == 0
    assert json.loads(all_groups([]))["lines"] == []
