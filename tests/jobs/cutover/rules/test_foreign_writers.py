"""Who else writes on the target: only what is sure is told, with the right cure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.jobs.cutover.rules.foreign_writers import (
    ForeignWriter,
    foreign_writer_findings,
    how_to_recover,
    only_more,
    strange,
    unknown,
)
from kafka_ferry.records.compare import compare
from kafka_ferry.records.content import PartitionContent

ONE = ForeignWriter("orders", 0, 77, 200, 276, 9.25, [5, -1], {5: "billing"})


def content(begin: int, *hashes: int) -> PartitionContent:
    count = len(hashes)
    return PartitionContent(np.arange(begin, begin + count), np.array(hashes, np.uint64), 0, begin, begin + count)


def found(source: PartitionContent, target: PartitionContent) -> list[int]:
    return [int(at) for at in strange(source, target)]


def test_a_replication_that_is_behind_is_no_stranger() -> None:
    assert found(content(0, 1, 2, 3, 4), content(0, 1, 2)) == []
    assert found(content(0, 1, 2, 3, 4), content(0, 1, 2, 1, 2)) == [], "sent again"
    assert found(content(500, 7, 8, 9), content(100, 1, 2, 3)) == [], "further behind than the records at hand"
    assert [int(at) for at in unknown(content(500, 7, 8, 9), content(100, 1, 7, 3))] == [100, 102]


def test_what_stands_behind_a_copy_and_is_not_on_the_source_is() -> None:
    assert found(content(500, 7, 8, 9), content(100, 1, 7, 99, 8, 98)) == [102, 104]
    assert found(content(500, 7, 8, 9), content(100, 1, 7)) == [], "what is before it may be older than those at hand"


def test_of_a_source_that_was_read_whole_any_is() -> None:
    assert found(content(0, 1, 2), content(40, 97, 98, 99)) == [40, 41, 42]
    assert found(content(0), content(0, 97)) == [0], "an empty source"
    assert found(content(5), content(0, 97)) == [], "retention may have emptied it"


def test_it_is_told_with_place_rate_and_producer() -> None:
    assert str(ONE) == (
        "orders-0: 77 records at offsets 200 to 276 by producer id 5 (transactional id billing), a producer without an "
        "id (enable.idempotence=false), 9.2 records/s now"
    )
    assert str(ForeignWriter("orders", 0, 2, 3, 4, 1.0, [7])) == (
        "orders-0: 2 records at offsets 3 to 4 by producer id 7, 1.0 records/s now"
    )
    assert str(ForeignWriter("orders", 1, 1, 3, 3, 0.0)) == "orders-1: 1 record at offset 3, nothing now"


def journal(state: State) -> Journal:
    more: dict[str, Any] = {"topics": {"orders": "orders"}, "fence": "prove", "state": state}
    return Journal(
        wave="w", source_cluster="a", dag_id="cutover", run_id="r", handed_over_at="2026-11-30T20:00", **more
    )


def test_the_cure_is_to_stop_them_and_none_deletes_what_may_be_handed_over() -> None:
    assert foreign_writer_findings([], [], "kafka_source", "kafka_target") == []
    (item,) = foreign_writer_findings([ONE], [], "kafka_source", "kafka_target")
    assert (item.severity, item.code, item.subject) == (Severity.WARN, "target_written", "topic orders on kafka_target")
    assert "9.2 records/s now" in item.what
    assert item.fix.startswith("if a cutover has handed these topics over already, they are the applications' own")
    assert "fail_back" in item.fix
    assert "Else stop whoever writes there" in item.fix


def test_a_former_hand_over_is_named() -> None:
    fix = how_to_recover(["orders"], [journal(State.ROLLED_BACK), journal(State.FAILED_BACK)], "kafka_target")
    assert fix.startswith("wave w was handed over at 2026-11-30T20:00 and went back since (fail_back): move whoever")
    assert "wave w" not in how_to_recover(["others"], [journal(State.FAILED_BACK)], "kafka_target")
    assert "delete" not in how_to_recover(["orders"], [journal(State.FAILED_BACK)], "kafka_source", back=True)


@pytest.mark.parametrize(
    ("target", "expected"), [((1, 2, 3), False), ((1, 2, 3, 99), True), ((1, 99, 3), False), ((1, 3, 2, 99), False)]
)
def test_records_beside_all_that_must_be_there_are_nobodys_loss(target: tuple[int, ...], expected: bool) -> None:
    assert only_more(compare(content(0, 1, 2, 3), content(0, *target), 3)) is expected
