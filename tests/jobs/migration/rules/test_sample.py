"""What some records tell: how many, how large, and the largest of them."""

from __future__ import annotations

from kafka_ferry.core.largest_record import Batch, Record
from kafka_ferry.jobs.migration.rules.sample import Sampling


def test_the_largest_and_the_mean() -> None:
    sampling = Sampling(2)
    assert sampling.sample() is None
    sampling.take(5, b"k", b"v" * 9, [], (5, 100))
    sampling.take(6, None, bytes(5000), [(b"caf\xe9", None)], (6, 90))
    sampling.take(7, b"k", None, [], (6, 90))
    found = sampling.sample()
    assert found and (found.records, found.bytes, found.basis) == (3, 5011, "of a sample of 3")
    assert found.batch == Batch(2, 5, 100)
    record = found.record
    assert (record.partition, record.offset) == (2, 6)
    assert record.bytes == 61 + 2 + 3 + 1 + 2 + 5000 + 1 + 1 + 4 + 1 and record.packed < 200
    assert isinstance(record, Record)


def test_one_batch_that_is_not_known_makes_the_largest_unknown() -> None:
    sampling = Sampling(0)
    sampling.take(0, b"k", b"v", [], (0, 100))
    sampling.take(1, b"k", b"v", [], None)
    found = sampling.sample()
    assert found and found.batch is None
