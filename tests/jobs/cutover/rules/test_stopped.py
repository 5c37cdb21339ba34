"""The check whether producers had stopped."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.jobs.cutover.live.proof import NotStopped, StillWriting, TransactionOpen
from kafka_ferry.jobs.cutover.rules.stopped import check_stopped, with_writers

WRITER = "a-0: 9.0 records/s by producer id 7, epoch 0"
CHECKS = [Check(name=name, status=Status.SKIPPED, detail="not made") for name in ("content", "producers_stopped")]


def journal(**more: Any) -> Journal:
    known = {"wave": "w", "source_cluster": "s", "dag_id": "cutover", "run_id": "r", "topics": {"a": "a"},
             "fence": "acl", "state": State.ROLLED_BACK}  # fmt: skip
    return Journal(**{**known, **more})


def test_a_window_that_failed_for_it_names_the_writers() -> None:
    content, stopped = with_writers(CHECKS, journal(not_stopped=[WRITER]))
    assert (content.status, stopped.status, stopped.differences) == (Status.SKIPPED, Status.FAIL, [WRITER])
    # Also when somebody wrote again behind the proof.
    assert check_stopped(journal(not_stopped=[WRITER], ends={"a:0": 5})).status is Status.FAIL


def test_a_window_that_failed_for_something_else_says_nothing_of_it() -> None:
    assert with_writers(CHECKS, journal(failure="a record did not arrive")) == CHECKS
    at_rest = journal(state=State.HANDED_OVER, ends={"a:0": 5})
    assert with_writers(CHECKS, at_rest) == CHECKS, "its own task makes it"
    assert (check_stopped(at_rest).status, check_stopped(at_rest).actual) == (Status.PASS, "1 partition at rest")


@pytest.mark.parametrize("kind", [StillWriting, TransactionOpen])
def test_errors_carry_whom_they_name(kind: type[NotStopped]) -> None:
    assert kind("still written", [WRITER]).named == [WRITER]
    assert kind("brokers do not tell").named == []
