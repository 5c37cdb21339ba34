"""Who wrote between two looks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.core.producers import ProducerState
from kafka_ferry.jobs.cutover.rules.standstill import (
    ASLEEP_MS,
    Look,
    asleep,
    at_work,
    by_halves,
    lingering,
    open_transactions,
    seldom,
    told,
    writers,
)

TP = ("orders", 3)
PLAIN = ProducerState(7, 0, 99, 1_000)
OPEN = ProducerState(8, 4, 49, 2_000, coordinator_epoch=1, transaction_start=500)


def look(at: float, end: int, *states: ProducerState) -> Look:
    return Look(at, {TP: end}, {TP: list(states)})


def test_nobody_wrote() -> None:
    assert writers(look(0, 100, PLAIN), look(1, 100, PLAIN)) == []


def test_an_idempotent_producer_is_named_with_its_rate() -> None:
    (one,) = writers(look(0, 100, PLAIN), look(2, 150, replace(PLAIN, last_sequence=149)))
    assert (one.topic, one.partition, one.records, one.rate, one.producer_id, one.epoch) == ("orders", 3, 50, 25, 7, 0)
    assert str(one) == "orders-3: 25.0 records/s by producer id 7, epoch 0"


def test_a_producer_without_an_id_is_told_from_the_log_alone() -> None:
    (one,) = writers(look(0, 100, PLAIN), look(1, 130, PLAIN))
    assert (one.producer_id, one.records) == (None, 30)
    assert "without an id" in str(one)
    (blind,) = writers(Look(0, {TP: 1}), Look(1, {TP: 2}))
    assert blind.records == 1, "brokers that tell of no producer"


def test_both_kinds_at_once() -> None:
    found = writers(look(0, 100, PLAIN), look(1, 200, replace(PLAIN, last_sequence=149)))
    assert {(one.producer_id, one.records) for one in found} == {(7, 50), (None, 50)}


def test_what_one_producer_writes_between_two_questions_makes_no_second_one() -> None:
    """The log's end was asked for some tenths of a second after the producers the second time."""
    before, after = look(0, 100, PLAIN), look(2, 169, replace(PLAIN, last_sequence=149))
    assert {one.producer_id for one in writers(before, after)} == {7, None}, "as if both were asked at once"
    (one,) = writers(replace(before, took=0.2), replace(after, took=0.3))
    assert one.producer_id == 7
    found = writers(replace(before, took=0.2), replace(after, at=2, took=0.3, ends={TP: 300}))
    assert {one.producer_id for one in found} == {7, None}, "more than that is somebody's"


@pytest.mark.parametrize(
    "ended",
    [replace(OPEN, transaction_start=-1), replace(OPEN, transaction_start=-1, epoch=5, last_sequence=-1)],
    ids=["as before KIP-890", "with a new epoch"],
)
def test_the_end_of_a_transaction_is_no_record(ended: ProducerState) -> None:
    assert writers(look(0, 550, OPEN), look(1, 551, ended)) == []


def test_a_transaction_that_goes_on_is_a_writer() -> None:
    (one,) = writers(look(0, 550, OPEN), look(1, 560, replace(OPEN, last_sequence=59)), {8: "billing"})
    assert "10.0 records/s by producer id 8, epoch 4, transactional id billing" in str(one)


def test_a_new_epoch_begins_to_count_again() -> None:
    (one,) = writers(look(0, 100, PLAIN), look(1, 105, replace(PLAIN, epoch=1, last_sequence=4)))
    assert one.records == 5


def test_a_producer_that_the_broker_forgets_has_not_written() -> None:
    assert writers(look(0, 100, PLAIN), look(1, 100)) == []


def test_open_transactions_are_named() -> None:
    (one,) = open_transactions(look(0, 550, PLAIN, OPEN), {8: "billing"})
    assert str(one) == "orders-3: open since offset 500, producer id 8, epoch 4, transactional id billing"
    assert open_transactions(Look(0, {TP: 1})) == []


def test_who_is_at_work_and_when_it_wrote_last() -> None:
    now = replace(PLAIN, last_sequence=120, last_timestamp=5_000)
    assert at_work(look(0, 100, PLAIN, OPEN), look(1, 121, now, OPEN), (4_000, 6_000)) == {7: 5_000}


@pytest.mark.parametrize(("told_time", "expected"), [(1, 4_000), (-1, 4_000), (99_000_000_000_000, 6_000)])
def test_records_of_other_years_were_written_between_the_looks(told_time: int, expected: int) -> None:
    now = replace(PLAIN, last_sequence=120, last_timestamp=told_time)
    assert at_work(look(0, 100, PLAIN), look(1, 121, now), (4_000, 6_000)) == {7: expected}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([OPEN], [OPEN], [2_000]),
        ([], [OPEN], []),
        ([OPEN], [replace(OPEN, last_sequence=50)], []),
        ([OPEN], [replace(OPEN, transaction_start=-1)], []),
        ([PLAIN], [PLAIN], []),
        ([replace(OPEN, last_timestamp=13_000)], [replace(OPEN, last_timestamp=13_000)], []),
    ],
    ids=["left", "new", "goes on", "ended", "none", "just now"],
)
def test_a_transaction_that_nobody_works_on_is_told(
    before: list[ProducerState], after: list[ProducerState], expected: list[int]
) -> None:
    found = lingering({TP: before}, {TP: after}, 22_001, 10, {8: "billing"})
    assert [last for _, last in found] == expected
    assert all(one.transactional_id == "billing" and one.start == 500 for one, _ in found)


def test_it_can_be_ended_by_hand() -> None:
    (one,) = open_transactions(look(0, 550, OPEN))
    assert one.abort.endswith("abort --topic orders --partition 3 --start-offset 500")


def test_who_writes_beside_the_wave_is_named() -> None:
    states = {("a", 0): [PLAIN], ("b", 0): [PLAIN, OPEN], ("__offsets", 0): [OPEN], ("c", 1): [OPEN]}
    assert by_halves(states, ["a"], {}) == [("producer id 7", ["a"], ["b"])]
    assert by_halves(states, ["a", "b"], {8: "billing"}) == [("transactional id billing", ["b"], ["c"])]
    assert by_halves(states, ["a", "b", "c"], {}) == []


def test_the_first_ten_are_told() -> None:
    assert told(range(12)).endswith("8; 9; and 2 more")


NOW = 10_000 + ASLEEP_MS


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([PLAIN], [PLAIN], {7}),
        ([PLAIN], [replace(PLAIN, last_sequence=100)], set()),  # its records carry old times
        ([replace(PLAIN, last_timestamp=NOW - 1)], [replace(PLAIN, last_timestamp=NOW - 1)], set()),
        ([replace(PLAIN, last_timestamp=-1)], [replace(PLAIN, last_timestamp=-1)], set()),
        ([OPEN], [OPEN], set()),
        ([], [PLAIN], set()),
    ],
)
def test_only_who_is_gone_for_long_is_asleep(
    before: list[ProducerState], after: list[ProducerState], expected: set[int]
) -> None:
    assert asleep({TP: before}, {TP: after}, NOW) == expected


def test_who_writes_to_one_partition_still_is_awake_on_all() -> None:
    other = ("orders", 4)
    at_work = replace(PLAIN, last_timestamp=NOW)
    assert asleep({TP: [PLAIN], other: [at_work]}, {TP: [PLAIN], other: [at_work]}, NOW) == set()


@pytest.mark.parametrize(
    ("ago", "expected"), [(2_999, {}), (3_001, {7: 3.001}), (ASLEEP_MS - 1, {7: 599.999}), (ASLEEP_MS, {})]
)
def test_who_writes_more_seldom_than_the_proof_waits_is_known(ago: int, expected: dict[int, float]) -> None:
    assert seldom({TP: [replace(PLAIN, last_timestamp=NOW - ago)]}, NOW, 3) == expected
    other = ("orders", 4)
    just = replace(PLAIN, last_timestamp=NOW)
    assert seldom({TP: [replace(PLAIN, last_timestamp=NOW - ago)], other: [just]}, NOW, 3) == {}, "it did elsewhere"
    assert seldom({TP: [replace(PLAIN, last_timestamp=-1)]}, NOW, 3) == {}
