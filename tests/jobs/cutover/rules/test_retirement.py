"""Which facts are a reason against switching the source off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec
from kafka_ferry.jobs.cutover.rules.retirement import (
    Grown,
    HandedOver,
    Limit,
    Moved,
    OtherTopic,
    SourceFacts,
    check_commits,
    check_growth,
    check_members,
    check_other_topics,
    check_replication,
    check_waves,
    check_writers,
    handed_over,
    is_replicators,
    only_reasons,
    without_expired,
)
from kafka_ferry.records.compare import Difference, PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import PartitionResult

NOTHING = SourceFacts(seen="2026-01-01T00:00:00Z", seconds=30, partitions=2, tells_producers=True)


def facts(**more: Any) -> SourceFacts:
    return NOTHING.model_copy(update=more)


def wave(name: str, state: State = State.HANDED_OVER, target: str = "new", **more: Any) -> Journal:
    return Journal(wave=name, source_cluster="old", target_cluster=target, dag_id="cutover", run_id=f"run-{name}",
                   topics={f"{name}-t": f"{name}-t"}, fence="acl", state=state, **more)  # fmt: skip


@pytest.mark.parametrize(
    "check",
    [check_growth, check_writers, check_commits, check_members, check_other_topics],
)
def test_a_source_that_nobody_uses_gives_no_reason(check: Any) -> None:
    assert check(NOTHING).status is Status.PASS


def test_what_all_waves_handed_over_adds_up() -> None:
    one = wave("a", handed_over_at="2026-01-01T00:00:00Z", ends={"a-t:0": 5}, target_ends={"a-t:0": 4},
               committed={"g": {"a-t:0": 3}})  # fmt: skip
    two = wave("b", ends={"b-t:1": 7}, target_ends={"b-t:1": 7}, committed={"g": {"b-t:1": 1}})
    done = HandedOver.of([one, two])
    assert done.ends == {("a-t", 0): 5, ("b-t", 1): 7}
    assert done.target_ends == {("a-t", 0): 4, ("b-t", 1): 7}
    assert done.committed == {"g": {("a-t", 0): 3, ("b-t", 1): 1}}
    assert done.at["a-t"] == "2026-01-01T00:00:00Z"


def test_waves_that_are_not_done_are_named() -> None:
    waves = [wave("done"), wave("open", State.FENCED), wave("unheard", State.HANDING_OVER), wave("away", target="else"),
             wave("back", State.ROLLED_BACK)]  # fmt: skip
    assert [one.wave for one in handed_over(waves, "new")] == ["done"]
    check = check_waves(waves, "new")
    assert check.status is Status.FAIL
    assert [text.split()[1].rstrip(":") for text in check.differences] == ["open", "unheard", "away"]
    assert check.detail == "rolled back: back"
    assert check_waves(waves[:1], "new").status is Status.PASS


def test_a_late_record_is_a_reason_and_a_marker_is_none() -> None:
    marker = Grown(topic="t", partition=0, fence=5, end=6)
    assert check_growth(facts(grown=[marker])).status is Status.PASS
    late = Grown(topic="t", partition=1, fence=5, end=9, first=6, first_at="2026-01-02", writers=["producer id 7"])
    check = check_growth(facts(grown=[marker, late]))
    (told,) = check.differences
    assert told.startswith(
        "t-1: 4 offsets since the hand-over, the first record at 6 (2026-01-02), by producer id 7. Fix: "
    )
    assert "--topic t --partition 1 --offset 6 shows what came" in told
    assert "Once nobody needs the topic on the source, delete it there" in told
    one = Grown(topic="t", partition=3, fence=5, end=6, first=5)
    assert (
        check_growth(facts(grown=[one]))
        .differences[0]
        .startswith("t-3: 1 offset since the hand-over, the first record at 5. Fix: stop whoever wrote")
    )
    shorter = Grown(topic="t", partition=2, fence=5, end=3)
    assert "made again, or lost records" in check_growth(facts(grown=[shorter])).differences[0]


def test_a_topic_that_was_deleted_is_told() -> None:
    check = check_growth(facts(deleted=["gone"]))
    assert (check.status, check.detail) == (Status.EXPLAINED, "deleted on the source since: gone")


def test_commits_and_groups_that_no_wave_moved() -> None:
    seen = facts(moved=[Moved(group="g", topic="t", partition=0, was=None, now=4)], unknown_groups={"s": ["t"]})
    check = check_commits(seen)
    assert check.differences[0] == "group g on t-0: from nowhere to 4"
    assert "group s stands on t, and no wave moved it" in check.differences[1]
    left = check_commits(seen.model_copy(update={"left_groups": ["g", "s"]}))
    assert (left.status, left.detail) == (Status.PASS, "left by the params: g, s")


def test_members_are_named_but_for_those_that_may_go() -> None:
    seen = facts(members={"a": ["client at host"], "b": []}, left_groups=["b"])
    check = check_members(seen)
    assert check.differences == ["group a: client at host"]
    assert check.detail == "at work, left by the params: b"


@pytest.mark.parametrize(
    ("empty", "written", "left", "status"),
    [
        (True, False, [], Status.PASS),
        (False, False, [], Status.FAIL),
        (True, True, [], Status.FAIL),
        (False, True, ["x"], Status.EXPLAINED),
    ],
)
def test_topics_beside_the_waves(empty: bool, written: bool, left: list[str], status: Status) -> None:
    other = OtherTopic(topic="x", partitions=1, offsets=3, empty=empty, written=written)
    assert check_other_topics(facts(others=[other], left_behind=left)).status is status


def test_replication_is_asked_for_where_it_can_be() -> None:
    assert check_replication(NOTHING).status is Status.SKIPPED
    assert check_replication(facts(replication=[])).status is Status.PASS
    assert check_replication(facts(replication=["connector x"])).status is Status.FAIL
    assert check_replication(facts(written_internal=["mm2 …"])).status is Status.FAIL


@pytest.mark.parametrize(
    ("topic", "theirs"),
    [
        ("mm2-offset-syncs.a.internal", True), ("mm2-status.a.internal", True), ("a.checkpoints.internal", True),
        ("heartbeats", True), ("mm2-orders", False), ("orders.internal", False), ("__important", False),
    ],
)  # fmt: skip
def test_topics_of_a_replication(topic: str, theirs: bool) -> None:
    assert is_replicators(topic) is theirs


def result(*lost: tuple[int, int], **more: int) -> PartitionResult:
    print_ = Fingerprint(0, 0, 0, 0, None, None)
    found = tuple(Difference("lost", last - first + 1, (first, last)) for first, last in lost)
    count = sum(one.records for one in found)
    compared = PartitionComparison("fail", 100, 100 - count, lost=count, differences=found, **more)
    return PartitionResult("t", "t", 0, print_, print_, compared)


@pytest.mark.parametrize(
    ("found", "limit", "first", "compacted", "status"),
    [
        (result((3, 9)), Limit(10, "x"), 3, False, "explained"),
        (result((3, 9)), Limit(None, "x"), 3, False, "explained"),
        (result((3, 9)), Limit(9, "x"), 3, False, "fail"),  # the last of them is too young
        (result((3, 9)), None, 3, False, "fail"),
        (result((3, 9)), Limit(10, "x"), 1, False, "fail"),  # not at the head
        (result((3, 4), (6, 6)), Limit(10, "x"), 3, False, "fail"),
        (result((3, 4), (6, 6)), Limit(10, "x"), 3, True, "explained"),
        (result((3, 9), altered=1), Limit(10, "x"), 3, False, "fail"),
        (result((3, 9), duplicated=1), Limit(10, "x"), 3, False, "fail"),
    ],
)
def test_only_what_retention_may_have_deleted_is_explained(
    found: PartitionResult, limit: Limit | None, first: int, compacted: bool, status: str
) -> None:
    made = without_expired(found, limit, first, compacted=compacted)
    assert made.comparison.status == status
    assert made.comparison.lost == (0 if status == "explained" else found.comparison.lost)


def test_more_than_are_named_is_not_explained() -> None:
    found = result((3, 9))
    found = replace(found, comparison=replace(found.comparison, lost=8))
    assert without_expired(found, Limit(None, "x"), 3, compacted=False).comparison.status == "fail"


def test_what_is_compared_is_named_and_not_read_as_expressions() -> None:
    spec = RetireSpec(isolation_level="read_uncommitted", ignore_headers=["h"]).compared({"a.b": "c", "a-b": "a-b"})
    assert (spec.target_topic("a.b"), spec.target_topic("a-b")) == ("c", "a-b")
    assert (spec.topics, spec.groups) == (["a-b", "a.b"], [])
    assert (spec.isolation_level, spec.headers_left_out) == ("read_uncommitted", ("h",))


def test_a_check_names_so_many_that_none_is_left_out() -> None:
    check: Check = check_writers(facts(writing=[f"t-{number}: 1 records/s by x" for number in range(999)]))
    assert len(check.differences) == 999


def test_a_failed_check_names_reasons_alone() -> None:
    every = Check(name="counts", status=Status.FAIL, differences=["expired", "lost"])
    wrong = Check(name="counts", status=Status.FAIL, differences=["lost"])
    assert only_reasons(every, wrong).differences == ["lost"]
    explained = every.model_copy(update={"status": Status.EXPLAINED})
    assert only_reasons(explained, wrong) == explained
