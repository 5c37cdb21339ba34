"""Which offsets a backup covers, and when it is whole."""

from __future__ import annotations

import pytest

from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.backup.rules.manifest import Gap, Manifest, PartitionBackup, Segment, TopicBackup
from kafka_ferry.jobs.backup.rules.ranges import (
    IncompleteBackup,
    Reached,
    assemble,
    chain_segments,
    completed,
    lineage,
    plan_topic,
    reached,
)

TOPIC = TopicState("t", "id1", 1, 1)
AT = ("t", 0)


def span(begin: int, end: int, key: str | None = "k", records: int | None = None) -> Segment:
    return Segment(begin=begin, end=end, key=key, records=end - begin if records is None else records, size=1)


def manifest(backup_id: str, parent: str | None, *partitions: PartitionBackup, topic_id: str = "id1") -> Manifest:
    topic = TopicBackup(name="t", topic_id=topic_id, replication_factor=1, partitions=list(partitions))
    return Manifest(
        backup="b", backup_id=backup_id, mode="incremental" if parent else "full", parent=parent,
        created=backup_id, cluster_id="c", topics=[topic],
    )  # fmt: skip


def plan(begin: int, end: int, before: Reached | None = None) -> tuple[int, int, list[tuple[int, int]]]:
    (part,) = plan_topic(TOPIC, {AT: begin}, {AT: end}, before).partitions
    return part.begin, part.end, [(gap.begin, gap.end) for gap in part.gaps]


def test_a_full_backup_begins_at_the_log_start_and_says_what_was_gone():
    assert plan(0, 9) == (0, 9, [])
    assert plan(4, 9) == (4, 9, [(0, 4)])
    assert plan(4, 3) == (4, 4, [(0, 4)]), "all deleted, up to inside an open transaction"


def test_an_increment_begins_where_the_parent_ended():
    before = Reached("id1", {0: 6})
    assert plan(0, 9, before) == (6, 9, [])
    assert plan(8, 9, before) == (8, 9, [(6, 8)])
    assert plan(0, 6, before) == (6, 6, [])
    with pytest.raises(DataLossError, match="ends at 5"):
        plan(0, 5, before)


def test_a_topic_made_anew_begins_at_its_own_start():
    topic = plan_topic(TOPIC, {AT: 0}, {AT: 2}, Reached("old", {0: 6}))
    assert (topic.recreated, topic.partitions[0].begin, topic.partitions[0].gaps) == ("old", 0, [])


def test_reached_follows_the_chain_and_forgets_an_earlier_life():
    first = manifest(
        "1", None, PartitionBackup(partition=0, begin=0, end=5), PartitionBackup(partition=1, begin=0, end=7)
    )
    second = manifest("2", "1", PartitionBackup(partition=0, begin=5, end=6))
    assert reached([first, second])["t"] == Reached("id1", {0: 6, 1: 7})
    anew = manifest("3", "2", PartitionBackup(partition=0, begin=0, end=1), topic_id="id2")
    assert reached([first, second, anew])["t"] == Reached("id2", {0: 1})


def test_segments_of_two_tries_are_chained_by_those_that_come_farthest():
    found = [span(0, 10), span(0, 15), span(10, 20), span(30, 40)]
    chain, end = chain_segments(0, 40, found)
    assert ([(one.begin, one.end) for one in chain], end) == ([(0, 10), (10, 20)], 20)
    assert chain_segments(0, 40, []) == ([], 0)
    assert chain_segments(0, 8, [span(0, 10)]) == ([], 0), "never beyond the frozen end"


def test_only_what_is_covered_to_its_end_is_complete():
    begun = manifest("1", None, PartitionBackup(partition=0, begin=0, end=20))
    with pytest.raises(IncompleteBackup, match=r"t-0: exported up to offset 10, of \[0, 20\)"):
        completed(begun, {AT: [span(0, 10)]}, "now")
    done = completed(begun, {AT: [span(10, 20, None, 0), span(0, 10)]}, "now")
    assert (done.totals.records, done.totals.objects, done.completed) == (10, 1, "now")
    assert begun.topics[0].partitions[0].segments == [], "the first one is left as it was"


def test_lineage_needs_every_parent():
    all_of = {one.backup_id: one for one in (manifest("1", None), manifest("2", "1"), manifest("3", "2"))}
    assert [one.backup_id for one in lineage(all_of, "3")] == ["1", "2", "3"]
    with pytest.raises(IncompleteBackup, match="'1', on which '2' builds"):
        lineage({"2": all_of["2"], "3": all_of["3"]}, "3")
    with pytest.raises(IncompleteBackup, match="latest"):
        lineage({}, "latest")
    with pytest.raises(IncompleteBackup):
        lineage({"1": manifest("1", "1")}, "1")


def test_a_chain_is_one_backup_whose_gaps_are_kept():
    one = PartitionBackup(partition=0, begin=0, end=5, segments=[span(0, 5)])
    gap = Gap(begin=5, end=8, reason="retention")
    two = PartitionBackup(partition=0, begin=8, end=9, segments=[span(8, 9)], gaps=[gap])
    ((part,),) = [topic.partitions for topic in assemble([manifest("1", None, one), manifest("2", "1", two)])]
    assert [(own.begin, own.end, own.records) for own in part.segments] == [(0, 5, 5), (5, 8, 0), (8, 9, 1)]
    assert part.all_gaps() == [gap]
    torn = two.model_copy(update={"gaps": []})
    with pytest.raises(IncompleteBackup, match="ends at offset 5, the next begins at 8"):
        assemble([manifest("1", None, one), manifest("2", "1", torn)])


def test_a_partition_without_news_keeps_its_segments():
    one = PartitionBackup(partition=0, begin=0, end=5, segments=[span(0, 5)])
    (topic,) = assemble([manifest("1", None, one), manifest("2", "1")])
    assert [part.records for part in topic.partitions] == [5]
