"""How far a connector has come, by manifests and by offsets."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.jobs.backup.rules.manifest import (
    GAPS_NAMED,
    Gap,
    Manifest,
    PartitionBackup,
    Segment,
    TopicBackup,
    Totals,
)
from kafka_ferry.jobs.s3.connect.rules.reached import (
    check_own,
    last_offset,
    look_at,
    merged,
    positions,
    sink_manifests,
    source_partition,
    uncovered,
    with_repeated,
    would_repeat,
)


def segment(begin: int, end: int, **more: Any) -> Segment:
    return Segment(begin=begin, end=end, **{"records": end - begin, "key": f"{begin}.avro", "bytes": 10, **more})


def manifest(backup_id: str, *parts: PartitionBackup, topic_id: str = "i", **more: Any) -> Manifest:
    topic = TopicBackup(name="t", topic_id=topic_id, replication_factor=1, partitions=list(parts))
    about: dict[str, Any] = {"backup": "e", "backup_id": backup_id, "mode": "full", "cluster_id": "c"}
    return Manifest(**about, created="2026-12-01T00:00:00+00:00", topics=[topic], **more)


def part(number: int, begin: int, end: int, *segments: Segment, gaps: list[Gap] | None = None) -> PartitionBackup:
    return PartitionBackup(partition=number, begin=begin, end=end, segments=list(segments), gaps=gaps or [])


FROZEN = manifest("run", part(0, 5, 10), part(1, 0, 0), part(2, 0, 7))


def test_what_is_not_in_a_manifest_is_left() -> None:
    assert uncovered(FROZEN, None) == {("t", 0): range(5, 10), ("t", 2): range(7)}
    assert uncovered(FROZEN, manifest("sink-1", part(0, 0, 8), part(2, 0, 3))) == {
        ("t", 0): range(8, 10),
        ("t", 2): range(3, 7),
    }
    assert uncovered(FROZEN, manifest("sink-1", part(0, 0, 12), part(2, 0, 7))) == {}, "it may be ahead"


def test_a_manifest_of_a_recreated_topic_covers_nothing() -> None:
    with pytest.raises(FerryError, match=r"topic t was deleted and recreated .* Fix: start a new run"):
        uncovered(FROZEN, manifest("sink-1", part(0, 0, 12), part(2, 0, 7), topic_id="other"))


def test_a_sink_that_reads_otherwise_than_asked_for_covers_nothing() -> None:
    read = manifest("sink-1", part(0, 0, 12), part(2, 0, 7), isolation_level="read_uncommitted")
    with pytest.raises(FerryError, match=r"it reads read_uncommitted, and read_committed was asked for.*Fix: another"):
        uncovered(FROZEN, read)


def test_a_runs_own_manifest_is_what_the_sink_wrote_since() -> None:
    lost = Gap(begin=0, end=2, reason="retention")
    frozen = manifest("run", part(0, 5, 10), part(2, 2, 7, gaps=[lost]))
    one = manifest("sink-1", part(0, 5, 8, segment(5, 8)), part(2, 2, 7, segment(2, 7), gaps=[lost]),
                   totals=Totals(records=8, puts=5))  # fmt: skip
    two = manifest("sink-2", part(0, 8, 11, segment(8, 11)), part(2, 7, 7), part(3, 0, 1, segment(0, 1)))
    made = merged(frozen, [one, two])
    assert [(p.partition, p.begin, p.end, len(p.segments)) for p in made.topics[0].partitions] == [
        (0, 5, 11, 2), (2, 2, 7, 1), (3, 0, 1, 1)
    ]  # fmt: skip
    assert made.topics[0].partitions[1].gaps == [lost], "told once"
    assert (made.totals.records, made.totals.objects, made.totals.puts) == (12, 4, 5)
    assert made.backup_id == "sink-2"
    assert [one.end for one in frozen.topics[0].partitions] == [10, 7], "what was frozen stays"
    nothing = merged(frozen, [])
    assert (nothing.backup_id, nothing.totals.records) == ("run", 0)


def test_only_a_sinks_own_export_is_continued() -> None:
    complete = {"sink-2": manifest("sink-2"), "sink-1": manifest("sink-1")}
    assert [one.backup_id for one in sink_manifests(complete)] == ["sink-1", "sink-2"]
    check_own("e", {}, manifest("run"))
    check_own("e", complete, manifest("run", parent="sink-2"))
    with pytest.raises(BadParam, match=r"param 'export': 'e' has exports that our S3 sink did not write, such as 2026"):
        check_own("e", {"20261201T000000Z": manifest("x"), **complete}, manifest("run", parent="sink-2"))
    with pytest.raises(BadParam, match=r"param 'export': 'e' cannot be continued: it is of another cluster"):
        check_own("e", complete, manifest("run", notes=["it is of another cluster"]))


@pytest.mark.parametrize(
    ("gaps", "last"),
    [
        ([], 9),
        ([(3, 4)], 9),
        ([(8, 10)], 7),
        ([(7, 8), (8, 10)], 6),
        ([(0, 2), (9, 10)], 8),
    ],
)
def test_the_last_record_of_an_object_by_its_gaps(gaps: list[tuple[int, int]], last: int) -> None:
    named = [Gap(begin=begin, end=end, reason="transaction") for begin, end in gaps]
    assert last_offset(segment(0, 10, missing=sum(end - begin for begin, end in gaps), gaps=named)) == last


def test_of_an_object_with_more_gaps_than_are_named_nobody_knows() -> None:
    named = [Gap(begin=2 * at, end=2 * at + 1, reason="compaction") for at in range(GAPS_NAMED)]
    assert last_offset(segment(0, 100, missing=50, gaps=named)) is None


EXPORT = "s3://b/p/e"


def test_positions_are_read_as_the_source_commits_them() -> None:
    mine, other = ("t", "i", 3), ("t", "i", 4)
    offsets = [
        {"partition": source_partition(EXPORT, mine), "offset": {"object": "x.avro", "offset": 41}},
        {"partition": source_partition(EXPORT, other), "offset": None},
        {"partition": source_partition("s3://b/p/another", mine), "offset": {"object": "x.avro", "offset": 99}},
    ]
    assert positions(EXPORT, offsets) == {mine: 41}


def test_a_source_is_done_when_each_last_record_is_committed() -> None:
    wanted = {("t", "i", 0): 9, ("t", "i", 1): 4}
    began = look_at(wanted, {}, {})
    assert (began.left, began.moved) == (2, 0)
    assert began.text == "0 of 2 partitions are in the target; t-0 is at offset none of 9"
    half = look_at(wanted, {("t", "i", 0): 8, ("t", "i", 1): 7}, {})
    assert (half.left, half.moved) == (1, 14), "what is ahead counts as done, no more"
    assert look_at(wanted, {("t", "i", 0): 9, ("t", "i", 1): 4}, {}).left == 0


def test_what_is_not_done_is_counted_from_where_the_export_begins() -> None:
    one, two = ("t", "i", 0), ("t", "i", 1)
    assert look_at({one: 9, two: 4}, {}, {}).behind == 15
    assert look_at({one: 9, two: 4}, {one: 7}, {one: 5, two: 3}).behind == 4
    assert look_at({one: 9, two: 4}, {one: 9, two: 8}, {}).behind == 0


def test_what_is_proven_is_not_written_again() -> None:
    parts = [segment(0, 10), segment(10, 20, missing=2, records=8, gaps=[Gap(begin=18, end=20, reason="transaction")])]
    assert would_repeat(3, 20, parts)
    assert not would_repeat(17, 20, parts), "only markers are behind it"
    assert would_repeat(8, 10, parts)
    assert not would_repeat(9, 10, parts)
    assert not would_repeat(-1, 5, [segment(10, 20)]), "nothing was there to prove"


def test_records_behind_the_last_one_are_a_later_exports_or_repeated() -> None:
    line = {
        "topic": "t",
        "partition": 0,
        "expected": 5,
        "actual": 5,
        "duplicated": 0,
        "detail": "",
        "end": 7,
        "behind": 3,
    }
    assert with_repeated([line], {("t", 0): 3}) == [line]
    (found,) = with_repeated([line], {("t", 0): 1})
    assert (found["actual"], found["duplicated"]) == (7, 2)
    assert found["detail"].startswith(
        "2 record(s) behind the export's last one, from offset 7 on, are not the export's"
    )
    assert line["detail"] == "", "the line itself stays"
    (same,) = with_repeated([{**line, "detail": "1 lost"}], {})
    assert same["detail"] == "1 lost"
