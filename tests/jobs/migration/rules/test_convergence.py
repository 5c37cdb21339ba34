"""Convergence: offsets decide; what cannot end well is named, and what stands still is never called done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import DataLossError, FerryError, TransientError
from kafka_ferry.jobs.migration.rules.convergence import ConvergenceStalled, ConvergenceTracker, Frozen, Reading
from kafka_ferry.jobs.migration.rules.watch import ConvergenceWatch, freeze

A0, A1, B0 = ("a", 0), ("a", 1), ("b", 0)
IDS = {"a": "id-a", "b": "id-b"}
FROZEN = Frozen(
    begins={A0: 0, A1: 10, B0: 0},
    ends={A0: 100, A1: 60, B0: 0},
    source_ids=IDS,
    target_ids=IDS,
    record_bytes={"a": 10.0},
)


def reading(at: float, starts: Mapping[Partition, int] | None = None, **next_offsets: int) -> Reading:
    """``a0=5`` is partition a-0 at offset 5."""
    places = {(key[0], int(key[1])): offset for key, offset in next_offsets.items()}
    return Reading(at, places, {**FROZEN.begins, **(starts or {})}, IDS, IDS)


def tracker(timeout: float = 60) -> ConvergenceTracker:
    return ConvergenceTracker(FROZEN, timeout)


def test_not_converged_until_the_last_partition_is_at_its_end() -> None:
    watch = tracker()
    assert not watch.update(reading(0)).converged
    assert not watch.update(reading(1, a0=100, a1=59)).converged
    result = watch.update(reading(2, a0=100, a1=60))
    assert result.converged
    assert (result.offsets, result.total_offsets, result.partitions_done, result.partitions) == (150, 150, 3, 3)
    assert (result.eta, result.slowest, dict(result.undecided)) == (0.0, (), {})


def test_a_log_that_ends_earlier_than_before_lost_records() -> None:
    watch, ends = tracker(), {A0: 100, A1: 60, B0: 0}
    watch.update(replace(reading(0), log_ends=ends))
    watch.update(replace(reading(1), log_ends={**ends, A0: 150}))
    watch.update(replace(reading(2), log_ends={**ends, A0: 90}))  # a leader that was elected a moment ago
    watch.update(replace(reading(3), log_ends=ends))
    watch.update(replace(reading(4), log_ends={**ends, A0: 90, A1: 5}))
    with pytest.raises(DataLossError, match=r"a-0: the source's log ended at 100 .* at 90 now: offsets 90 to 99"):
        watch.update(replace(reading(5), log_ends={**ends, A0: 90}))


def test_an_empty_source_has_converged() -> None:
    empty = replace(FROZEN, ends=FROZEN.begins)
    assert ConvergenceTracker(empty, 60).update(reading(0)).converged


def test_running_without_an_offset_is_no_progress() -> None:
    result = tracker().update(reading(0))
    assert (result.converged, result.offsets, result.partitions_done) == (False, 0, 1)


def test_offsets_beyond_the_frozen_end_count_no_more_than_the_end() -> None:
    result = tracker().update(reading(0, a0=5000, a1=10))
    assert (result.offsets, result.total_offsets, result.converged) == (100, 150, False)


def test_an_offset_stored_before_the_log_start_counts_nothing() -> None:
    assert tracker().update(reading(0, a1=3)).offsets == 0


def test_rate_eta_bytes_and_slowest() -> None:
    watch = tracker()
    first = watch.update(reading(100))
    assert (first.offsets_per_second, first.eta) == (None, None)
    assert first.slowest == (("a", 150),)
    result = watch.update(reading(110, a0=50, a1=10))
    assert result.offsets_per_second == pytest.approx(5)
    assert result.eta == pytest.approx(20)
    assert (result.done_bytes, result.total_bytes) == (500, 1500)
    assert result.to_json()["offsets_per_second"] == pytest.approx(5)
    json.dumps(result.to_json())


def test_slowest_names_the_three_with_most_left() -> None:
    topics = dict(zip("pqrst", (5, 50, 5, 20, 1), strict=True))
    frozen = Frozen({(t, 0): 0 for t in topics}, {(t, 0): n for t, n in topics.items()}, {}, {})
    result = ConvergenceTracker(frozen, 60).update(Reading(0, {}, {}, {}, {}))
    assert result.slowest == (("q", 50), ("s", 20), ("p", 5))


def test_only_what_stands_still_short_of_its_end_is_undecided() -> None:
    watch = tracker()
    assert not watch.update(reading(0, a0=50, a1=20)).undecided
    result = watch.update(reading(1, a0=50, a1=30))
    assert dict(result.undecided) == {A0: (50, 100)}


def test_markers_and_holes_are_proven_by_reading() -> None:
    watch = tracker()
    watch.update(reading(0, a0=99, a1=58))
    assert dict(watch.update(reading(1, a0=99, a1=58)).undecided) == {A0: (99, 100), A1: (58, 60)}
    result = watch.prove({A0})
    assert not result.converged
    assert dict(result.undecided) == {A1: (58, 60)}
    assert watch.prove({A1}).converged


def test_a_proof_of_nothing_proves_nothing() -> None:
    watch = tracker(timeout=10)
    watch.update(reading(0, a0=99, a1=60))
    watch.update(reading(5, a0=99, a1=60))
    assert not watch.prove(set()).converged
    with pytest.raises(ConvergenceStalled):  # and it does not count as progress
        watch.update(reading(11, a0=99, a1=60))


def test_records_that_expired_before_they_were_copied_are_named() -> None:
    watch = tracker()
    watch.update(reading(0, a0=40))
    with pytest.raises(DataLossError, match=r"a-0: .* moved to 70, .* reached 40: offsets 40 to 69 expired") as caught:
        watch.update(reading(1, starts={A0: 70}, a0=40))
    assert not caught.value.retriable


def test_a_log_start_that_has_not_passed_the_copy_is_fine() -> None:
    watch = tracker()
    watch.update(reading(0, a0=40))
    assert watch.update(reading(1, starts={A0: 40}, a0=40)).offsets == 40


def test_expired_before_anything_was_copied() -> None:
    with pytest.raises(DataLossError, match=r"a-1: .*offsets 10 to 11 expired"):
        tracker().update(reading(0, starts={A1: 12}))


def test_expiry_of_what_was_proven_empty_is_no_loss() -> None:
    # The last record is at 98, a transaction marker at 99: retention may remove the marker while others still copy.
    watch = tracker()
    watch.update(reading(0, a0=99))
    watch.update(reading(1, a0=99))
    watch.prove({A0})
    assert not watch.update(reading(2, starts={A0: 100}, a0=99, a1=20)).converged
    with pytest.raises(DataLossError, match="a-1"):
        watch.update(reading(3, starts={A0: 100, A1: 30}, a0=99, a1=20))


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize(("now", "told"), [({"b": "id-b"}, "was deleted"), ({**IDS, "a": "new"}, "recreated")])
def test_deleted_and_recreated_topics(side: str, now: dict[str, str], told: str) -> None:
    watch = tracker()
    watch.update(reading(0))
    changed = replace(reading(1, a0=100, a1=60), **{f"{side}_ids": now})
    with pytest.raises(DataLossError, match=rf"{side} topic 'a' .*{told}"):
        watch.update(changed)


def test_a_stall_names_partitions_and_offsets() -> None:
    watch = tracker(timeout=30)
    watch.update(reading(0, a0=40, a1=60))
    watch.update(reading(30, a0=40, a1=60))
    with pytest.raises(ConvergenceStalled, match=r"no progress for 31 s, with 1 partition.* a-0 at 40 of 100"):
        watch.update(reading(31, a0=40, a1=60))


def test_any_movement_starts_the_patience_anew() -> None:
    watch = tracker(timeout=30)
    for step in range(10):
        assert not watch.update(reading(step * 29, a0=step)).converged
    with pytest.raises(ConvergenceStalled):
        watch.update(reading(9 * 29 + 31, a0=9))


def test_a_proof_starts_the_patience_anew() -> None:
    watch = tracker(timeout=30)
    watch.update(reading(0, a0=99, a1=20))
    watch.update(reading(29, a0=99, a1=20))
    watch.prove({A0})
    assert not watch.update(reading(58, a0=99, a1=20)).converged


def test_a_stall_of_many_names_five_and_counts_the_rest() -> None:
    frozen = Frozen({("t", p): 0 for p in range(8)}, {("t", p): 10 + p for p in range(8)}, {}, {})
    watch = ConvergenceTracker(frozen, 5)
    watch.update(Reading(0, {}, {}, {}, {}))
    with pytest.raises(ConvergenceStalled, match=r"8 partition\(s\).*t-7 at 0 of 17.* and 3 more"):
        watch.update(Reading(6, {}, {}, {}, {}))


def test_frozen_survives_json() -> None:
    assert Frozen.from_json(json.loads(json.dumps(FROZEN.to_json()))) == FROZEN


def test_a_second_try_does_not_forgive_what_expired_or_was_recreated_in_between() -> None:
    later = Frozen({A0: 70, A1: 10}, {A0: 120, A1: 60}, {"a": "new"}, {"a": "id-a"}, {"a": 9.0})
    kept = later.keeping_begins_of(FROZEN)
    assert (kept.begins[A0], kept.ends[A0]) == (0, 120)
    assert kept.source_ids["a"] == "id-a"
    assert kept.record_bytes == {"a": 9.0}
    now = Reading(0, {A0: 40, A1: 60}, {A0: 70, A1: 10}, IDS, IDS)
    with pytest.raises(DataLossError, match="offsets 40 to 69"):
        ConvergenceTracker(kept, 60).update(now)
    with pytest.raises(DataLossError, match="source topic 'a' was deleted and recreated"):
        ConvergenceTracker(kept, 60).update(replace(now, source_ids={**IDS, "a": "new"}))


def test_a_topic_that_is_gone_at_the_second_try_is_not_forgotten() -> None:
    kept = Frozen({A0: 0}, {A0: 1}, {"a": "id-a"}, {"a": "id-a"}).keeping_begins_of(FROZEN)
    with pytest.raises(DataLossError, match="'b' was deleted"):
        ConvergenceTracker(kept, 60).update(Reading(0, {A0: 1}, {A0: 0}, {"a": "id-a"}, IDS))


def test_the_first_try_keeps_its_own() -> None:
    assert FROZEN.keeping_begins_of(None) is FROZEN


class FakeCluster:
    def __init__(self, offsets: dict[str, dict[Partition, int]], ids: dict[str, str]) -> None:
        self.answers, self.ids, self.asked = offsets, ids, list[tuple[str, str]]()

    def offsets(self, partitions: Iterable[Partition], which: str, isolation_level: str) -> dict[Partition, int]:
        self.asked.append((which, isolation_level))
        return {tp: self.answers[which][tp] for tp in partitions}

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self.ids[name] for name in names if name in self.ids}


class FakeProgress:
    def __init__(self, *steps: dict[Partition, int] | FerryError) -> None:
        self.steps = list(steps)

    def check(self) -> None:
        if isinstance(self.steps[0], FerryError):
            raise self.steps[0]

    def next_offsets(self) -> Mapping[Partition, int]:
        step = self.steps.pop(0)
        assert not isinstance(step, FerryError)
        return step


def clusters() -> tuple[FakeCluster, FakeCluster]:
    source = FakeCluster({"earliest": dict(FROZEN.begins), "latest": dict(FROZEN.ends)}, dict(IDS))
    return source, FakeCluster({}, {"x.a": "t-a", "x.b": "t-b"})


def test_freeze_asks_for_ends_under_the_isolation_level_and_for_both_sides_ids() -> None:
    source, target = clusters()
    frozen = freeze(source, target, FROZEN.ends, {"a": "x.a", "b": "x.b"}, "read_committed", {"a": 10.0})
    assert (frozen.begins, frozen.ends) == (FROZEN.begins, FROZEN.ends)
    assert frozen.target_ids == {"x.a": "t-a", "x.b": "t-b"}
    assert ("latest", "read_committed") in source.asked


def watch(progress: FakeProgress, empty: set[Partition], probed: list[Mapping[Partition, object]]) -> ConvergenceWatch:
    source, _ = clusters()
    target = FakeCluster({}, dict(IDS))

    def probe(ranges: Mapping[Partition, tuple[int, int]]) -> set[Partition]:
        probed.append(ranges)
        return empty & ranges.keys()

    ticks = iter(range(1000))
    return ConvergenceWatch(FROZEN, source, target, progress, probe, 60, lambda: float(next(ticks)))


def test_poll_probes_what_stands_still_and_nothing_else() -> None:
    probed: list[Mapping[Partition, object]] = []
    steps = [{A0: 10, A1: 20}, {A0: 99, A1: 60}, {A0: 99, A1: 60}]
    poller = watch(FakeProgress(*steps), {A0}, probed)
    assert [poller.poll().converged for _ in steps] == [False, False, True]
    assert probed == [{A0: (99, 100)}]


def test_poll_does_not_believe_a_standstill_that_holds_records() -> None:
    probed: list[Mapping[Partition, object]] = []
    poller = watch(FakeProgress({A1: 60}, {A1: 60}), set(), probed)
    assert not poller.poll().converged
    assert not poller.poll().converged
    assert probed == [{A0: (0, 100)}]


def test_poll_passes_on_what_the_engine_says() -> None:
    with pytest.raises(FerryError, match="task 0 FAILED"):
        watch(FakeProgress(FerryError("task 0 FAILED")), set(), []).poll()


def test_a_cluster_that_does_not_answer_is_no_verdict() -> None:
    poller = watch(FakeProgress({A0: 1}), set(), [])

    def silent(names: Iterable[str]) -> dict[str, str]:
        raise TransientError("broker away")

    poller._source.topic_ids = silent  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        poller.poll()
