"""Where the applications of a wave work, by the journals."""

from __future__ import annotations

import pytest

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.jobs.cutover.rules.asked import where_after, where_now


def journal(state: State, wave: str = "w", topic: str = "orders") -> Journal:
    return Journal(wave=wave, source_cluster="a", dag_id="cutover", run_id="r", topics={topic: topic}, fence="prove",
                   state=state)  # fmt: skip


@pytest.mark.parametrize(
    ("journals", "expected"),
    [
        ([], "source"),
        ([journal(State.ROLLED_BACK)], "source"),
        ([journal(State.FAILED_BACK)], "source"),
        ([journal(State.HANDED_OVER, topic="others")], "target"),
        ([journal(State.HANDED_OVER, wave="v")], "target"),
        ([journal(State.HANDED_OVER, wave="v", topic="others")], "source"),
    ],
)
def test_a_wave_is_where_it_or_another_with_its_topics_was_handed_over_to(
    journals: list[Journal], expected: str
) -> None:
    assert where_now(journals, "w", ["orders", "more"]) == expected


@pytest.mark.parametrize(
    ("state", "there", "back"),
    [
        (State.ROLLED_BACK, "source", "target"),
        (State.FENCED, "source", "target"),
        (State.HANDED_OVER, "target", "source"),
        (State.HANDING_OVER, None, None),
    ],
)
def test_a_window_leaves_them_where_its_journal_says(state: State, there: str | None, back: str | None) -> None:
    assert where_after(journal(state), back=False) == there
    assert where_after(journal(state), back=True) == back
