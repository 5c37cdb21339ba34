"""How partitions are spread over mapped tasks."""

from __future__ import annotations

from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.jobs.migration.tasks.fingerprints import shards_of

SIZES = {("a", 0): 900, ("a", 1): 10, ("a", 2): 500, ("b", 0): 700, ("c", 0): 300, ("c", 1): 1}
#: A record is a megabyte, so that there is more than one shard.
FROZEN = Frozen(dict.fromkeys(SIZES, 0), SIZES, {}, {}, dict.fromkeys("abc", float(1 << 20)))


def test_every_partition_is_in_one_shard() -> None:
    shards = shards_of(FROZEN)
    assert len(shards) > 1
    assert sorted(tp for some in shards for tp in some) == sorted(SIZES)
    assert shards == shards_of(FROZEN)


def test_a_topic_stays_together_where_whole_topics_are_compared() -> None:
    shards = shards_of(FROZEN, by_topic=True)
    assert sorted(tp for some in shards for tp in some) == sorted(SIZES)
    assert sorted(sorted({topic for topic, _ in some}) for some in shards) == [["a"], ["b"], ["c"]]
