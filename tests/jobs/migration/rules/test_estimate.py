"""The estimate: positive, growing, and open about what it rests on."""

from __future__ import annotations

import pytest

from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.rules.estimate import estimate
from kafka_ferry.jobs.migration.rules.spec import Throughput


@pytest.mark.parametrize("throughput", list(Throughput))
def test_every_profile_has_a_measurement(throughput: Throughput) -> None:
    assert throughput.value in PROFILES
    small, large = estimate(throughput, 0, 0, 1), estimate(throughput, 10**9, 10**12, 1000)
    assert 0 < small.seconds < 60 < large.seconds
    assert throughput.value in large.basis
    assert "2 cores" in large.basis


def test_the_narrower_of_bytes_and_records_decides() -> None:
    assert estimate("lan", 10**9, 1, 1).seconds > 2000
    assert estimate("lan", 1, 10**12, 1).seconds > 2000
