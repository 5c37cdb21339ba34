"""The checklist: differences are named, and what was not compared is never equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kafka_ferry.core.checks import GroupLine, Status, verdict, worst
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.streams_application import StreamsApplication
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.judge import (
    WHOLE_TOPIC,
    check_applications,
    check_configs,
    check_content,
    check_counts,
    check_group_offsets,
    check_groups,
    check_partitions,
    check_topics,
    topic_lines,
)
from kafka_ferry.records.compare import Difference, PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import ALL_PARTITIONS, PartitionResult


def want(name: str = "a", partitions: int = 2, **configs: str) -> DesiredTopic:
    own = {key.replace("_", "."): value for key, value in configs.items()}
    return DesiredTopic(name, f"x.{name}", partitions, None, own)


def have(name: str = "a", partitions: int = 2, **configs: str) -> dict[str, TopicState]:
    effective = {key.replace("_", "."): value for key, value in configs.items()}
    return {f"x.{name}": TopicState(f"x.{name}", "id", partitions, 1, {}, effective)}


def result(topic: str = "a", partition: int = 0, status: Any = "pass", **more: Any) -> PartitionResult:
    fields = {"source_records": 10, "target_records": 10} | more
    print_ = Fingerprint(10, 0, 0, 0, None, None)
    return PartitionResult(topic, f"x.{topic}", partition, print_, print_, PartitionComparison(status, **fields))


def both(*results: PartitionResult, partitions: int = 2, counts_only: bool = False) -> Any:
    return topic_lines([want(partitions=partitions)], results, counts_only)


def group(name: str = "g", status: Status = Status.PASS, target: int | None = 5, **more: Any) -> GroupLine:
    return GroupLine(
        **{
            "group": name,
            "topic": "a",
            "partition": 0,
            "source_offset": 5,
            "target_offset": target,
            "expected_offset": 5,
            "redelivered": 0,
            "status": status,
        }
        | more
    )


def test_worst() -> None:
    assert worst([Status.PASS, Status.EXPLAINED, Status.FAIL]) is Status.FAIL
    assert worst([Status.PASS, Status.EXPLAINED]) is Status.EXPLAINED
    assert worst([Status.PASS]) is Status.PASS


def test_topics_by_name_not_by_number() -> None:
    check = check_topics([want("a"), want("b")], have("a") | have("other"))
    assert check.status is Status.FAIL
    assert check.differences == ["x.b is missing"]
    assert (check.expected, check.actual) == ("2 topics", "1 there")
    assert check_topics([want("a")], have("a")).status is Status.PASS


@pytest.mark.parametrize("partitions", [1, 3])
def test_partitions(partitions: int) -> None:
    check = check_partitions([want()], have(partitions=partitions))
    assert check.status is Status.FAIL
    assert check.differences == [f"x.a: {partitions} partitions, source a has 2"]
    assert check_partitions([want()], have()).status is Status.PASS


def test_partitions_of_a_missing_topic_are_missing_too() -> None:
    check = check_partitions([want("a"), want("b", 3)], have("a"))
    assert (check.status, check.expected, check.actual) == (Status.FAIL, "5", "2")
    assert check.differences == ["x.b: missing, source b has 3"]


def test_configs_in_force() -> None:
    desired = [want(cleanup_policy="compact", retention_ms="5")]
    check = check_configs(desired, have(cleanup_policy="delete", retention_ms="5", segment_ms="1"))
    assert check.status is Status.FAIL
    assert check.differences == ["x.a: cleanup.policy is delete, source a has compact"]
    assert (check.expected, check.actual) == ("2 settings", "1 equal")
    assert check_configs(desired, have(cleanup_policy="compact", retention_ms="5")).status is Status.PASS


def test_an_absent_config_differs() -> None:
    assert check_configs([want(retention_ms="5")], have()).status is Status.FAIL


def test_topic_line_adds_partitions_up() -> None:
    (line,) = both(
        result(partition=0, status="fail", source_records=10, target_records=9, lost=1, detail="1 lost"),
        result(partition=1, status="fail", altered=2, duplicated=3, reordered=4),
    )
    assert (line.source, line.target, line.partitions) == ("a", "x.a", 2)
    assert (line.source_records, line.target_records) == (20, 19)
    assert (line.lost, line.duplicated, line.reordered) == (3, 3, 4)
    assert line.status is Status.FAIL
    assert line.detail == "partition 0: 1 lost"


def test_a_partition_that_was_not_compared_fails_its_topic_and_is_named() -> None:
    lines = both(result(partition=0))
    assert lines[0].status is Status.FAIL
    assert "1 of 2 partitions could not be compared" in lines[0].detail
    assert check_content([], lines, "v1", ["__mskmr"]).detail == "record hash v1, without headers __mskmr"
    check = check_content([result(partition=0)], lines, "v1")
    assert check.status is Status.FAIL
    assert check.differences == ["a: 1 of 2 partitions could not be compared"]


def test_counts_only_judges_counts_only() -> None:
    equal_but_altered = result(status="fail", altered=1), result(partition=1)
    assert both(*equal_but_altered)[0].status is Status.FAIL
    assert both(*equal_but_altered, counts_only=True)[0].status is Status.PASS
    short = result(target_records=9, status="fail"), result(partition=1)
    assert both(*short, counts_only=True)[0].status is Status.FAIL


def test_counts_name_the_topic() -> None:
    check = check_counts(both(result(target_records=9, status="fail", lost=1), result(partition=1)))
    assert check.status is Status.FAIL
    assert (check.expected, check.actual) == ("20 records", "19")
    assert check.differences[0].startswith("a: 20 on the source, 19 on the target")
    assert check_counts(both(result(), result(partition=1))).status is Status.PASS


def test_counts_say_which_of_them_are_keys() -> None:
    keys = topic_lines([want("c", 1, cleanup_policy="compact")], [result("c")], False)
    assert check_counts([*both(result(), result(partition=1)), *keys]).detail == "1 compacted topic counted by keys"


def test_explained_duplicates_explain_the_count_but_not_a_loss_beside_them() -> None:
    more = both(result(target_records=11, status="explained", duplicated=1), result(partition=1))
    assert check_counts(more).status is Status.EXPLAINED
    less = topic_lines([want("b", 1)], [result("b", target_records=9, status="fail")], False)
    assert check_counts([*more, *less]).status is Status.FAIL


def test_content_names_each_difference() -> None:
    lost = Difference("lost", 1, (7, 7))
    results = [result(status="fail", lost=1, differences=(lost,)), result(partition=1)]
    check = check_content(results, both(*results), "v1")
    assert check.status is Status.FAIL
    assert check.differences == ["a-0: 1 lost: source offset 7"]
    assert (check.expected, check.actual) == ("2 partitions equal", "1 equal")
    assert "v1" in check.detail


@pytest.mark.parametrize("lines", [[], both()])
def test_nothing_compared_is_no_pass(lines: Sequence[Any]) -> None:
    checks = [check_counts(lines), check_content([], lines, "v1")]
    assert checks[1].status in (Status.SKIPPED, Status.FAIL)
    assert verdict(checks, []) == "FAIL"


def test_named_differences_are_bounded_and_counted() -> None:
    check = check_topics([want(f"t{i}") for i in range(800)], {})
    assert len(check.differences) == 200
    assert check.detail == "800 differences"


def test_groups() -> None:
    missing = group("h", Status.FAIL, None, redelivered=None, detail="no commit")
    check = check_groups([group(), missing])
    assert check.status is Status.FAIL
    assert check.differences == ["h has no commit on the target"]
    assert (check.expected, check.actual) == ("2 groups", "1 there")
    assert check_groups([group(), group("e", Status.EXPLAINED, None)]).status is Status.PASS
    assert check_groups([]).status is Status.PASS


def test_group_offsets() -> None:
    lines = [group(), group("h", Status.EXPLAINED, 3, redelivered=2, detail="behind: 2 records")]
    check = check_group_offsets(lines)
    assert check.status is Status.EXPLAINED
    assert (check.expected, check.actual) == ("2 exact", "1 exact")
    assert check.detail == "2 records would be delivered again"
    assert check.differences == ["h on a-0: behind: 2 records"]
    ahead = group("i", Status.FAIL, 9, detail="ahead: 4 records would never be delivered")
    assert check_group_offsets([*lines, ahead]).status is Status.FAIL


def test_a_whole_topic_counts_for_all_its_partitions_and_says_how_it_was_compared() -> None:
    whole = result(partition=ALL_PARTITIONS, detail="3 records without a key: they have no order")
    (line,) = both(whole, partitions=5)
    assert (line.status, line.source_records) == (Status.PASS, 10)
    assert line.detail == f"3 records without a key: they have no order; {WHOLE_TOPIC}"
    check = check_content([whole], [line], "v1")
    assert (check.expected, check.actual, check.status) == ("1 topic equal", "1 equal", Status.PASS)
    assert WHOLE_TOPIC in check.detail
    lost = result(
        partition=ALL_PARTITIONS,
        status="fail",
        lost=1,
        differences=(Difference("lost", 1, (4, 4), source_partition=3),),
    )
    (line,) = both(lost, partitions=5)
    assert check_content([lost], [line], "v1").differences == ["a: 1 lost: source partition 3 offset 4"]


def test_groups_are_counted_by_type() -> None:
    lines = [group("g"), group("s"), group("k"), group("s2", Status.FAIL, None)]
    check = check_groups(lines, {"s": "share", "k": "streams", "s2": "share"})
    assert check.expected == "4 groups, of these 2 share (KIP-932), 1 streams (KIP-1071)"
    assert check.actual == "3 there"
    assert check_groups([group("g")], {}).expected == "1 group"


def test_an_application_that_was_moved_by_half_is_told() -> None:
    def same(name: str) -> str:
        return name

    app = StreamsApplication("app", "Empty", ("app-s-changelog", "app-r-repartition"), ("in",))
    whole = {*app.own, "in"}
    assert check_applications([app], {"other"}, {"other"}, same) == []
    (good,) = check_applications([app], whole, {"app"}, same)
    assert (good.status, good.actual, good.differences) == (Status.PASS, "1 as a whole", [])
    assert "state.dir" in good.detail
    (half,) = check_applications([app], {"app-s-changelog"}, set(), same)
    assert (half.status, half.actual) == (Status.EXPLAINED, "0 as a whole")
    assert [text.startswith("app: ") for text in half.differences] == [True] * 3
    busy = StreamsApplication("app", "Stable", app.own, app.inputs)
    (moving,) = check_applications([busy], whole, {"app"}, same)
    assert (moving.status, moving.actual) == (Status.EXPLAINED, "1 as a whole")
    assert "at work on the source" in moving.differences[0]
