from __future__ import annotations

import random

import pytest

from kafka_ferry.records.sharding import shard

MB = 1 << 20


def test_nothing_gives_no_shards() -> None:
    assert shard([]) == []


def test_a_small_cluster_gets_one_shard() -> None:
    assert len(shard([(name, MB) for name in "abcdef"])) == 1


def test_many_empty_partitions_still_spread() -> None:
    assert 1 < len(shard([(number, 0) for number in range(5000)])) <= 64


@pytest.mark.parametrize("seed", range(20))
def test_every_item_once_within_limits_and_balanced(seed: int) -> None:
    pick = random.Random(seed)
    weights = {number: int(pick.paretovariate(1) * MB) for number in range(pick.randint(1, 3000))}
    shards = shard(weights.items(), max_shards=16, min_shard_weight=50 * MB, overhead=0)
    assert sorted(item for some in shards for item in some) == sorted(weights)
    assert all(shards)
    assert len(shards) <= 16
    loads = [sum(weights[item] for item in some) for some in shards]
    # The last item put on the fullest shard went there because it was the lightest, so at most the mean full.
    lightest = min(
        min(weights[item] for item in some) for some in shards if sum(weights[i] for i in some) == max(loads)
    )
    assert max(loads) <= sum(loads) / len(loads) + lightest
    assert shards == shard(weights.items(), max_shards=16, min_shard_weight=50 * MB, overhead=0)


def test_the_largest_stand_apart() -> None:
    shards = shard([("a", 900), ("b", 10), ("c", 900), ("d", 10)], max_shards=2, min_shard_weight=1, overhead=0)
    assert shards == [["a", "b"], ["c", "d"]]


def test_at_least_one_shard_is_asked_for() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        shard([("a", 1)], max_shards=0)
