"""What a restore's report says: a difference, a partition nobody compared and a group left behind all fail."""

from __future__ import annotations

from kafka_ferry.core.checks import Status
from kafka_ferry.core.commits import Commit
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.backup.rules.groups_plan import restore_group_lines
from kafka_ferry.jobs.backup.rules.judge_restore import (
    group_checks,
    group_lines,
    restore_checks,
    restored_topics,
    source_check,
)
from kafka_ferry.jobs.backup.rules.manifest import PartitionBackup, TopicBackup
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic

PARTS = [PartitionBackup(partition=number, begin=0, end=10) for number in range(2)]
TOPIC = RestoreTopic(TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=PARTS), "t2", tuple(PARTS))
THERE = {"t2": TopicState("t2", "id", 2, 1)}


def line(partition: int, **about):
    return {
        "topic": "t2", "partition": partition, "expected": 10, "actual": 10, "lost": 0, "duplicated": 0,
        "reordered": 0, "detail": "", **about,
    }  # fmt: skip


def statuses(lines) -> dict[str, Status]:
    return {check.name: check.status for check in restore_checks([TOPIC], THERE, restored_topics([TOPIC], lines))}


def test_all_the_same_passes():
    assert set(statuses([line(0), line(1)]).values()) == {Status.PASS}


def test_a_difference_fails_with_its_partition():
    found = restored_topics([TOPIC], [line(0), line(1, actual=9, lost=1, detail="1 lost: offset 3")])
    assert (found[0].status, found[0].lost) == (Status.FAIL, 1)
    assert found[0].detail == "partition 1: 1 lost: offset 3"
    checks = statuses([line(0), line(1, actual=9, lost=1, detail="x")])
    assert (checks["counts"], checks["content"]) == (Status.FAIL, Status.FAIL)


def test_records_of_another_time_are_named_and_hide_no_difference():
    found = restored_topics([TOPIC], [line(0, retimed=2), line(1)])
    assert found[0].status is Status.EXPLAINED
    assert found[0].detail.startswith("2 records of 1970-01-01 00:00:00.000 arrived as 1 ms later")
    content = restore_checks([TOPIC], THERE, found)[-1]
    assert (content.name, content.status) == ("content", Status.EXPLAINED)
    assert "2 records of 1970-01-01" in content.differences[0]
    assert statuses([line(0, retimed=2), line(1, detail="x")])["content"] is Status.FAIL


def test_a_partition_that_nobody_compared_fails():
    assert statuses([line(0)])["content"] is Status.FAIL


def test_a_topic_that_is_gone_or_too_narrow_fails():
    lines = restored_topics([TOPIC], [line(0), line(1)])
    gone = {check.name: check for check in restore_checks([TOPIC], {}, lines)}
    assert gone["topics"].differences == ["t2"]
    narrow = {check.name: check for check in restore_checks([TOPIC], {"t2": TopicState("t2", "i", 1, 1)}, lines)}
    assert narrow["partitions"].status is Status.FAIL


def test_the_source_is_only_claimed_as_far_as_it_was_read():
    assert source_check(None).status is Status.SKIPPED
    whole = {"compared": 5, "gone": 0, "differences": []}
    assert source_check([whole]).status is Status.PASS
    assert source_check([whole, {"compared": 0, "gone": 3, "differences": []}]).status is Status.EXPLAINED
    assert source_check([{"compared": 5, "gone": 0, "differences": ["t-0 offsets 0 to 4"]}]).status is Status.FAIL


def test_a_group_that_was_refused_fails_with_the_reason():
    wanted = {"g": {("t2", 0): (7, 5), ("t2", 1): (9, 9)}, "h": {("t2", 0): (1, 1)}}
    steps = restore_group_lines(
        {group: {at: Commit(exact) for at, (_, exact) in places.items()} for group, places in wanted.items()},
        {group: {at: before for at, (before, _) in places.items()} for group, places in wanted.items()},
        {}, set(), rewind=False,
    )  # fmt: skip
    ends, there = dict.fromkeys([("t2", 0), ("t2", 1)], 100), {("t2", 0): Commit(5), ("t2", 1): Commit(9)}
    lines = group_lines(steps, {"g": there}, {"h": "it has active members"}, ends)
    assert [(one.group, one.partition, one.status) for one in lines] == [
        ("g", 0, Status.PASS), ("g", 1, Status.PASS), ("h", 0, Status.FAIL),
    ]  # fmt: skip
    checks = {check.name: check for check in group_checks(lines)}
    assert checks["groups"].differences == ["h"]
    assert checks["group_offsets"].differences == ["h on t2-0: it has active members"]
    skipped = group_checks([], "records differ")
    assert {check.status for check in skipped} == {Status.SKIPPED}
