"""A whole topic through a reader: in one pass, in several, and compacted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from kafka_ferry.records import topic_job
from kafka_ferry.records import topic_reading as module
from kafka_ferry.records.content import KeyColumns, PartitionContent, PartitionRange
from kafka_ferry.records.job import ALL_PARTITIONS, PartitionResult
from kafka_ferry.records.judge_topic import judge_topic
from kafka_ferry.records.parts import Record
from kafka_ferry.records.record_hash import key_hash, record_hash
from kafka_ferry.records.topic_job import TopicJob

Entry = tuple[bytes | None, bytes | None]


class FakeReader:
    """Partitions as lists of key and value."""

    def __init__(self, *partitions: Sequence[Entry]) -> None:
        self.partitions, self.reads = partitions, 0

    def read(
        self, ranges: Sequence[PartitionRange], with_timestamp: bool = True, with_keys: bool = False
    ) -> dict[tuple[str, int], PartitionContent]:
        self.reads += 1
        assert with_keys
        return {span.key: self._content(span) for span in ranges}

    def _content(self, span: PartitionRange) -> PartitionContent:
        some = self.partitions[span.partition][span.begin : span.end]
        return PartitionContent(
            np.arange(span.begin, span.begin + len(some), dtype=np.int64),
            np.array([record_hash(0, None, *one) for one in some], dtype=np.uint64),
            sum(len(part or b"") for one in some for part in one),
            span.begin,
            span.end,
            KeyColumns(
                np.array([key_hash(key) for key, _ in some], dtype=np.uint64),
                np.array([value is None for _, value in some], dtype=np.bool_),
            ),
        )

    def read_records(self, wanted: Mapping[tuple[str, int], Sequence[int]]) -> dict[tuple[str, int, int], Record]:
        return {
            (topic, partition, offset): Record(offset, 0, *self.partitions[partition][offset])
            for (topic, partition), offsets in wanted.items()
            for offset in offsets
        }

    def probe(self, ranges: Sequence[PartitionRange]) -> dict[tuple[str, int], int | None]:
        raise NotImplementedError


def judged(source: FakeReader, target: FakeReader, **more: str) -> PartitionResult:
    ours = tuple((number, 0, len(part), len(part)) for number, part in enumerate(source.partitions))
    theirs = tuple((number, 0, len(part)) for number, part in enumerate(target.partitions))
    job = TopicJob("a", "b", ours, theirs, **more)  # type: ignore[arg-type]
    assert TopicJob.from_json(job.to_json()) == job
    result = judge_topic(job, source, target)
    assert PartitionResult.from_json(result.to_json()) == result
    return result


RECORDS: list[Entry] = [(f"k{i % 10}".encode() if i % 4 else None, str(i).encode()) for i in range(200)]
ODD = [one for one in RECORDS if one[0] and int(one[0][1:]) % 2]
EVEN = [one for one in RECORDS if one not in ODD]
HALF = next(at for at in range(len(EVEN) // 2, len(EVEN)) if EVEN[at][0])


def test_the_result_stands_for_all_partitions() -> None:
    result = judged(FakeReader(RECORDS), FakeReader(EVEN, ODD))
    assert (result.partition, result.whole_topic, result.place) == (ALL_PARTITIONS, True, "a")
    assert result.comparison.status == "pass"
    assert result.comparison.detail == "50 records without a key: they have no order"
    assert result.source == result.target, "digests are of sorted hashes"
    assert result.source.bytes > 0


@pytest.mark.parametrize("most", [1_000_000, 100, 30])
def test_a_large_topic_is_read_in_passes_with_the_same_outcome(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(topic_job, "MAX_RECORDS", most)
    monkeypatch.setattr(module, "_SLICE", 7)
    altered = (EVEN[HALF][0], b"x")
    target = FakeReader([*EVEN[3:HALF], altered, *EVEN[HALF + 1 :]], [*ODD, ODD[-1], ODD[-1]])
    comparison = judged(FakeReader(RECORDS), target).comparison
    assert (comparison.lost, comparison.altered, comparison.duplicated, comparison.reordered) == (3, 1, 2, 0)
    assert (comparison.source_records, comparison.target_records) == (200, 199)
    assert [str(one) for one in comparison.differences if one.kind == "altered"] == [
        f"1 altered (value): source partition 0 offset {RECORDS.index(EVEN[HALF])}, "
        f"target partition 0 offset {HALF - 3}"
    ]
    triple = judged(FakeReader(RECORDS), FakeReader(EVEN * 3, ODD * 3)).comparison
    assert triple.factor == 3
    assert "each record 3 times" in triple.detail


def test_passes_keep_the_memory_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_job, "MAX_RECORDS", 100)
    monkeypatch.setattr(module, "_SLICE", 10)
    kept: list[int] = []
    whole = module.TopicContent.of
    monkeypatch.setattr(
        module.TopicContent, "of", lambda contents: kept.append(sum(map(len, contents.values()))) or whole(contents)
    )
    many: list[Entry] = [(str(i).encode(), b"") for i in range(1000)]
    assert judged(FakeReader(many), FakeReader(many)).comparison.status == "pass"
    assert len(kept) == 40
    assert max(kept) < 100


def test_a_compacted_topic_is_compared_by_the_last_value_of_each_key() -> None:
    source = [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1"), (b"c", None)], [(b"d", b"1")]
    good = [(b"d", b"1"), (b"a", b"2")], [(b"b", b"0"), (b"b", b"1")]
    result = judged(FakeReader(*source), FakeReader(*good), mode="last_value")
    assert (result.comparison.status, result.comparison.source_records) == ("pass", 3)
    stale = [(b"d", b"1"), (b"a", b"1")], [(b"b", b"1")]
    comparison = judged(FakeReader(*source), FakeReader(*stale), mode="last_value").comparison
    assert (comparison.status, comparison.stale, comparison.detail) == ("fail", 1, "1 keys stale")
    assert [str(one) for one in comparison.differences] == [
        "1 stale (value): source partition 0 offset 2, target partition 0 offset 1"
    ]
    comparison = judged(FakeReader(*source), FakeReader([(b"d", b"1")], [(b"b", b"1")]), mode="last_value").comparison
    assert [str(one) for one in comparison.differences] == ["1 lost: source partition 0 offset 2"]


def test_keys_that_expired_on_a_compacted_source_are_explained() -> None:
    job = TopicJob("a", "b", ((0, 1, 2, 2), (1, 0, 1, 1)), ((0, 0, 1), (1, 0, 2)), mode="last_value")
    source = FakeReader([(b"gone", b"1"), (b"a", b"1")], [(b"b", b"1")])
    target = FakeReader([(b"b", b"1")], [(b"gone", b"1"), (b"a", b"1")])
    comparison = judge_topic(job, source, target).comparison
    assert (comparison.status, comparison.expired) == ("explained", 1)
    target.partitions = ([(b"b", b"1")], [(b"a", b"1"), (b"gone", b"1")])
    assert judge_topic(job, source, target).comparison.unexpected == 1
