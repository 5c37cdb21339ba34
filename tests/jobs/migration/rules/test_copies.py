"""Several copies of a topic are told with their likely cause, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.checks import Status
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.jobs.migration.rules.copies import copies_by_topic
from kafka_ferry.jobs.migration.rules.judge import check_content, topic_lines
from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import ALL_PARTITIONS, PartitionResult


def result(partition: int = 0, source: int = 10, target: int = 30, **more: Any) -> PartitionResult:
    comparison = PartitionComparison("fail", source_records=source, target_records=target, **more)
    print_ = Fingerprint(source, 0, 0, 0, None, None)
    return PartitionResult("a", "a", partition, print_, print_, comparison)


def told(*results: PartitionResult) -> str:
    return copies_by_topic(results).get("a", "")


def test_the_same_number_of_copies_everywhere_is_as_many_replicators() -> None:
    text = told(result(factor=3), result(1, factor=3), result(2, source=0, target=0))
    assert text.startswith(
        "each record 3 times: probably 3 replicators copied this topic; stop all but one, delete the"
    )
    assert told(result(ALL_PARTITIONS, factor=2)).startswith("each record 2 times: probably 2 replicators")


@pytest.mark.parametrize(
    "results",
    [
        [result(target=10)],
        [result(factor=3), result(1, target=20, factor=2)],  # a record here and there: no replicator's doing
        [result(factor=3), result(1, target=10)],
        [result(target=0)],
        [],
    ],
)
def test_anything_else_is_not(results: list[PartitionResult]) -> None:
    assert told(*results) == ""


def test_a_copy_into_other_partitions_is_seen_by_the_sum() -> None:
    text = told(result(target=27, unexpected=8), result(1, target=33, unexpected=12))
    assert text.startswith("3 times as many records as on the source and none lost: probably 3 replicators")
    assert "any_partition" in text
    assert told(result(target=27, unexpected=8, lost=1), result(1, target=33)) == "", "one was lost: it is no copy"
    assert told(result(target=31, unexpected=8)) == "", "not a multiple"
    assert told(result(ALL_PARTITIONS, unexpected=20)) == "", "the whole topic was compared: they are not the source's"


def test_it_comes_first_in_the_line_of_the_topic_and_in_the_check() -> None:
    results = [result(partition, factor=3, duplicated=20, detail="20 duplicated") for partition in (0, 1)]
    (line,) = topic_lines([DesiredTopic("a", "a", 2, None, {})], results, False)
    assert line.detail.startswith("each record 3 times: probably 3 replicators")
    assert line.status is Status.FAIL
    assert check_content(results, [line], "v1").differences[0].startswith("a: each record 3 times")
