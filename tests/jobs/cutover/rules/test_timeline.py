"""The clock of the window."""

from __future__ import annotations

from datetime import datetime

from kafka_ferry.jobs.cutover.rules.timeline import lag_around

FENCED = "2026-11-30T02:00:00.000+00:00"
FENCE = datetime.fromisoformat(FENCED).timestamp()


def test_lag_is_told_in_seconds_around_the_fence():
    assert lag_around([(FENCE - 2, 9), (FENCE + 0.5, 0)], FENCED) == [[-2.0, 9], [0.5, 0]]


def test_without_a_fence_there_is_nothing_around_it():
    assert lag_around([(FENCE, 9)], "") == []


def test_many_looks_are_thinned_and_both_ends_stay():
    lines = [(FENCE + number, number) for number in range(5_000)]
    found = lag_around(lines, FENCED)
    assert (len(found), found[0], found[-1]) == (200, [0.0, 0], [4999.0, 4999])
