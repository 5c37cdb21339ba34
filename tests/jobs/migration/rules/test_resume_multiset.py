"""Where MirrorMaker 1 goes on: behind what the target holds of each source partition, and never on foreign data."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.resume import ForeignData, Side
from kafka_ferry.jobs.migration.rules.resume_multiset import resume_topics
from kafka_ferry.records import topic_job, topic_reading
from kafka_ferry.records.content import KeyColumns, PartitionContent, PartitionRange
from kafka_ferry.records.parts import Record

Numbers = list[int]


class FakeSide:
    """Partitions of numbers, which stand for records; a number's key is its last digit."""

    def __init__(self, *partitions: Numbers, begins: Sequence[int] = ()) -> None:
        self.partitions, self.begins = partitions, list(begins) or [0] * len(partitions)
        self.records_read = 0

    def offsets(self, partitions: Iterable[Partition], which: str, isolation_level: str) -> dict[Partition, int]:
        return {tp: self.begins[tp[1]] + (len(self.partitions[tp[1]]) if which == "latest" else 0) for tp in partitions}

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[Partition, PartitionContent]:
        result = {}
        for span in ranges:
            first = self.begins[span.partition]
            some = self.partitions[span.partition][span.begin - first : span.end - first]
            self.records_read += len(some)
            hashes = np.array(some, dtype=np.uint64)
            columns = KeyColumns(hashes % np.uint64(10) + np.uint64(1), np.zeros(len(some), dtype=np.bool_))
            offsets = np.arange(span.begin, span.begin + len(some), dtype=np.int64)
            result[span.key] = PartitionContent(offsets, hashes, 0, span.begin, span.end, columns)
        return result

    def read_records(self, wanted: Mapping[Partition, Sequence[int]]) -> dict[tuple[str, int, int], Record]:
        raise NotImplementedError

    def probe(self, ranges: Sequence[PartitionRange]) -> dict[Partition, int | None]:
        raise NotImplementedError


def resume(source: FakeSide, target: FakeSide, **effective: str) -> dict[int, int]:
    configs = {key.replace("_", "."): value for key, value in effective.items()}
    pair = (
        TopicState("a", "1", len(source.partitions), 1, {}, configs),
        TopicState("b", "2", len(target.partitions), 1, {}, configs),
    )
    found = resume_topics(Side(source, source, source), Side(target, target, target), {"a": pair}, "read_committed")
    return {partition: offset for (_, partition), offset in found.items()}


EVEN, ODD = list(range(100, 200, 2)), list(range(101, 201, 2))


def test_an_empty_target_starts_from_the_log_start_and_nothing_is_read() -> None:
    source = FakeSide(EVEN, ODD)
    assert resume(source, FakeSide([], [])) == {}
    assert source.records_read == 0


def test_a_complete_target_goes_on_at_the_ends_whatever_its_partitions() -> None:
    mixed = random.Random(1).sample(EVEN + ODD, 100)
    assert resume(FakeSide(EVEN, ODD), FakeSide(mixed[:30], mixed[30:])) == {0: 50, 1: 50}


def test_each_source_partition_goes_on_behind_its_own_records() -> None:
    assert resume(FakeSide(EVEN, ODD), FakeSide(ODD[:7], EVEN[:20])) == {0: 20, 1: 7}
    assert resume(FakeSide(EVEN, ODD), FakeSide(EVEN[:20])) == {0: 20}


def test_a_hole_is_gone_back_to() -> None:
    assert resume(FakeSide(EVEN), FakeSide([*EVEN[:10], *EVEN[11:30]])) == {0: 10}


def test_offsets_begin_at_the_log_start() -> None:
    assert resume(FakeSide(EVEN, begins=[1000]), FakeSide(EVEN[:5])) == {0: 1005}


def test_equal_records_count_as_often_as_they_are_there() -> None:
    assert resume(FakeSide([100, 100, 100, 102]), FakeSide([100, 100])) == {0: 2}
    assert resume(FakeSide([100, 102], [100, 104]), FakeSide([100, 102])) == {0: 2}
    assert resume(FakeSide([100, 102], [100, 104]), FakeSide([104, 100], [100, 102])) == {0: 2, 1: 2}


def test_records_that_came_twice_do_no_harm() -> None:
    assert resume(FakeSide(EVEN), FakeSide(EVEN[:20] + EVEN[10:20])) == {0: 20}


def test_foreign_records_are_refused_by_place() -> None:
    with pytest.raises(ForeignData, match=r"target b-1 holds, at offset 1, .* Fix: "):
        resume(FakeSide(EVEN, ODD), FakeSide(EVEN[:5], [ODD[0], 777]))


def test_what_expired_on_the_source_is_not_foreign() -> None:
    assert resume(FakeSide(EVEN[10:], begins=[10]), FakeSide(EVEN[:20])) == {0: 20}
    with pytest.raises(ForeignData):
        resume(FakeSide(EVEN[10:], begins=[10]), FakeSide([*EVEN[:20], EVEN[0]]))


def test_a_compacted_source_may_lack_what_the_target_has() -> None:
    compact = {"cleanup_policy": "compact"}
    assert resume(FakeSide(EVEN[10:]), FakeSide(EVEN[:20]), **compact) == {0: 10}


@pytest.mark.parametrize("most", [1_000_000, 25])
def test_random_interrupted_copies_lose_nothing_and_repeat_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(topic_job, "MAX_RECORDS", most)
    monkeypatch.setattr(topic_reading, "_SLICE", 4)
    rng = random.Random(5)
    for _ in range(150):
        every = rng.sample(range(100, 1000), rng.randint(3, 60))
        source = [[number for number in every if number % 3 == place] for place in range(3)]
        done = [rng.randint(0, len(part)) for part in source]
        copied = [number for part, size in zip(source, done, strict=True) for number in part[:size]]
        rng.shuffle(copied)
        cut = rng.randint(0, len(copied))
        found = resume(FakeSide(*source), FakeSide(copied[:cut], copied[cut:]))
        rest = [number for place, part in enumerate(source) for number in part[found.get(place, 0) :]]
        assert Counter(copied + rest) == Counter(every)
