"""The topics, records and groups that are copied in a bench."""

from __future__ import annotations

import zlib

import pytest

from bench.layout import RECORDS_PER_PARTITION, groups, partitions_of, topics
from bench.records import VALUE_BYTES, records, values


def test_topics_share_the_partitions_evenly() -> None:
    shares = partitions_of(360, 2000)
    assert (len(shares), sum(shares), set(shares)) == (360, 2000, {5, 6})
    with pytest.raises(ValueError, match="cannot be shared"):
        partitions_of(10, 9)


def test_every_partition_has_its_records() -> None:
    specs = topics(7, 17)
    places = [(spec.name, record.partition) for spec in specs for record in spec.all_records()]
    assert len(places) == 17 * RECORDS_PER_PARTITION
    assert len(set(places)) == 17
    assert all(spec.count == spec.offsets == spec.partitions * RECORDS_PER_PARTITION for spec in specs)


def test_groups_stand_at_start_middle_and_end_of_topics_that_exist() -> None:
    specs = topics(5, 5)
    made = groups(4, specs)
    assert [group.position for group in made] == [0.0, 0.5, 1.0, 0.0]
    assert all(set(group.topics) <= {spec.name for spec in specs} for group in made)
    assert len({group.name for group in made}) == 4
    assert all(len(set(group.topics)) == len(group.topics) for group in made)


def test_values_are_of_one_size_and_compress_to_about_half() -> None:
    made = values(count=300)
    assert {len(value) for value in made} == {VALUE_BYTES}
    assert len(set(made)) == 300
    packed = len(zlib.compress(b"".join(made), 1)) / sum(map(len, made))
    assert 0.3 < packed < 0.6


def test_records_are_spread_over_the_partitions() -> None:
    made = list(records(16, 8))
    assert [record.partition for record in made] == [*range(8)] * 2
    assert all(len(record.key or b"") == 11 and record.headers for record in made)
