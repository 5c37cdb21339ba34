"""The wait for a connector: what ends it, and what only delays it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kafka_ferry.exceptions import DataLossError, TransientError
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.jobs.s3.connect import triggers
from kafka_ferry.jobs.s3.connect.rules.reached import Look
from kafka_ferry.jobs.s3.connect.triggers import CopiedTrigger


class Side:
    """One whose connector does as it is told."""

    def __init__(self) -> None:
        self.spec = SimpleNamespace(poll_interval=5, no_progress_timeout=60, running_timeout=600)
        self.looks: list[Look | Exception] = []
        self.failed, self.made, self.starting = "", 0, False
        self.carrier = SimpleNamespace(
            problem=lambda: self.failed,
            state=lambda: "connector x is RUNNING, tasks: 0 RUNNING",
            starts=lambda: self.starting,
        )

    def look(self) -> Look:
        found = self.looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(triggers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def side(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> Side:
    made = Side()

    def make(*_: object) -> Side:
        made.made += 1
        return made

    monkeypatch.setattr(triggers, "SIDES", {"export": make})
    return made


def trigger(side: Side) -> CopiedTrigger:
    return CopiedTrigger(side="export", dag_id="d", run_id="r", params={}, end_time=1e9)


def test_it_ends_when_all_is_there_whatever_the_connector_says(side: Side) -> None:
    side.looks, side.failed = [Look(0, 0, "all is there")], "task 0 is FAILED"
    found = trigger(side).look()
    assert (found.verdict, found.reason) == (Verdict.RUNNING, "all is there")


def test_a_task_that_failed_ends_it_with_its_trace(side: Side) -> None:
    side.looks, side.failed = [Look(3, 0, "half")], "task 0 of connector x is FAILED:\ncannot write s3://b/k"
    found = trigger(side).look()
    assert found.verdict is Verdict.FAILED
    assert "cannot write s3://b/k" in found.reason


def test_a_connector_that_runs_and_copies_nothing_is_named_after_a_time(side: Side, clock: list[float]) -> None:
    one = trigger(side)
    for moved in (0, 5, 5, 5):
        side.looks.append(Look(2, moved, "2 are left"))
        assert one.look().verdict is Verdict.WAITING
        clock[0] += 29
    side.looks.append(Look(2, 5, "2 are left"))
    found = one.look()
    assert found.verdict is Verdict.FAILED
    assert found.reason.startswith("nothing was copied for no_progress_timeout, 60 s: 2 are left. connector x is RUN")
    assert "Fix: the workers' log" in found.reason


def test_a_connector_that_has_still_to_start_is_given_its_own_time(side: Side, clock: list[float]) -> None:
    """On MSK Connect that takes minutes, and says nothing of what comes."""
    one, side.starting = trigger(side), True
    for _ in range(10):
        side.looks.append(Look(2, 0, "2 are left"))
        assert one.look().verdict is Verdict.WAITING
        clock[0] += 59
    side.starting = False  # from now on it has to copy
    for verdict in (Verdict.WAITING, Verdict.FAILED):
        side.looks.append(Look(2, 0, "2 are left"))
        assert one.look().verdict is verdict
        clock[0] += 30
    late, side.starting = trigger(side), True
    clock[0] += 601  # running_timeout
    side.looks = [Look(2, 0, "2 are left"), Look(2, 0, "2 are left")]
    late.look()
    clock[0] += 61
    assert late.look().verdict is Verdict.FAILED


def test_progress_of_any_size_begins_the_time_anew(side: Side, clock: list[float]) -> None:
    one = trigger(side)
    for moved in range(10):
        side.looks.append(Look(2, moved, ""))
        assert one.look().verdict is Verdict.WAITING
        clock[0] += 59


def test_what_is_unavailable_delays_it_and_no_longer_than_the_same_time(side: Side, clock: list[float]) -> None:
    one, away = trigger(side), TransientError("the store is away")
    side.looks = [Look(1, 1, ""), away, Look(1, 2, "")]
    assert [one.look().verdict for _ in range(3)] == [Verdict.WAITING] * 3
    side.looks = [away]
    clock[0] += 61
    found = one.look()
    assert found.verdict is Verdict.FAILED
    assert "the store is away" in found.reason


def test_a_long_wait_opens_the_store_again(side: Side, clock: list[float]) -> None:
    one = trigger(side)
    for moved in range(30):
        side.looks.append(Look(2, moved, ""))
        one.look()
        clock[0] += 59
    assert side.made == 3, "in half an hour: keys of a role last an hour"


def test_what_waiting_cannot_mend_is_raised(side: Side) -> None:
    side.looks = [DataLossError("gone")]
    with pytest.raises(DataLossError):
        trigger(side).look()


def test_a_trigger_has_nothing_but_its_arguments(side: Side) -> None:
    path, arguments = trigger(side).serialize()
    assert path == "kafka_ferry.jobs.s3.connect.triggers.CopiedTrigger"
    assert CopiedTrigger(**arguments).serialize() == (path, arguments)
    assert trigger(side).delay == 5
