"""How long a follower looks: once more after its deadline, and over faults that pass."""

from __future__ import annotations

import pytest

from kafka_ferry.exceptions import DataLossError, TransientError
from kafka_ferry.jobs.s3 import continuous
from kafka_ferry.jobs.s3.continuous import PATIENCE, ContinuousTotals, until


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(continuous.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_what_was_written_before_the_deadline_is_looked_for_after_it(clock: Clock) -> None:
    looks = []
    done = until(1035, 15, lambda so_far: looks.append(clock.now) or so_far, clock)  # type: ignore[func-returns-value]
    assert looks == [1000, 1015, 1030, 1035]
    assert done == ContinuousTotals(looks=4)


def test_a_run_that_is_over_looks_once(clock: Clock) -> None:
    assert until(900, 15, lambda so_far: so_far.plus(5, 50, 1.5), clock) == ContinuousTotals(1, 1, 5, 50, 1.5)


def test_a_fault_that_passes_costs_time_only(clock: Clock) -> None:
    def look(so_far: ContinuousTotals) -> ContinuousTotals:
        if 1015 <= clock.now < 1300:
            raise TransientError("the store is away")
        return so_far.plus(1, 10, 1)

    done = until(1400, 15, look, clock)
    assert done.records == done.looks == done.increments > 3


def test_a_fault_that_stays_ends_it(clock: Clock) -> None:
    def look(so_far: ContinuousTotals) -> ContinuousTotals:
        raise TransientError("the store is away")

    with pytest.raises(TransientError, match="away"):
        until(1e9, 15, look, clock)
    assert PATIENCE < clock.now - 1000 < PATIENCE + 60


def test_a_loss_is_never_looked_over(clock: Clock) -> None:
    def look(so_far: ContinuousTotals) -> ContinuousTotals:
        raise DataLossError("gone")

    with pytest.raises(DataLossError):
        until(1e9, 15, look, clock)
    assert clock.now == 1000
