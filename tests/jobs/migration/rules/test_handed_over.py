"""What a cutover has handed over is the applications' own: no migration writes it, and none advises to delete it."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.jobs.migration.rules.handed_over import handed_over_findings

TARGETS = {"a": "a", "b": "new.b", "c": "c"}


def journal(state: State = State.HANDED_OVER, at: str = "2026-01-02T00:00:00.000+00:00", **more: Any) -> Journal:
    known = {"wave": "w", "source_cluster": "s", "target_cluster": "t", "dag_id": "cutover", "run_id": "r",
             "topics": {"a": "a", "b": "new.b"}, "fence": "acl", "state": state, "handed_over_at": at}  # fmt: skip
    return Journal(**{**known, **more})


def texts(*journals: Journal, back: tuple[Journal, ...] = (), targets: Any = TARGETS, how: str = "") -> list[str]:
    return [str(one) for one in handed_over_findings(journals, back, targets, "t", how)]


@pytest.mark.parametrize("state", [State.HANDED_OVER, State.HANDING_OVER])
def test_the_wave_is_named_and_when_and_how_to_clean_up(state: State) -> None:
    (text,) = texts(journal(state), how="curl -X DELETE x\nkafka-topics.sh --delete --topic own")
    assert text.startswith(
        "refuse: topics a, b: were handed over to the target by wave w at 2026-01-02T00:00:00.000+00:00 (run r)"
    )
    assert "Fix: leave these topics out (exclude_topics), or end the replication by hand" in text
    assert text.endswith("\ncurl -X DELETE x\nkafka-topics.sh --delete --topic own")
    assert "must not be deleted" in text
    (every,) = texts(journal(state), targets={"a": "a", "b": "new.b"})
    assert "exclude_topics" not in every, "nothing would be left to migrate"
    assert "docs/cutover.md" in every


@pytest.mark.parametrize("state", [State.FENCING, State.FENCED])
def test_a_wave_at_work_is_waited_for(state: State) -> None:
    (text,) = texts(journal(state, ""))
    assert "are being cut over by wave w (run r). Fix: wait until that run has ended" in text


@pytest.mark.parametrize("state", [State.PLANNED, State.ROLLED_BACK, State.FAILED_BACK])
def test_what_is_on_the_source_may_be_migrated(state: State) -> None:
    assert texts(journal(state)) == []


def test_other_topics_other_names_and_other_targets_are_not_meant() -> None:
    assert texts(journal(topics={"d": "d"})) == []
    assert texts(journal(), targets={"a": "copy.a"}) == []
    assert texts(journal(target_cluster="u")) == []
    assert len(texts(journal(target_cluster=""))) == 1, "an early journal does not say"


def test_of_a_cutover_and_a_way_back_the_later_one_counts() -> None:
    """The wave of a way back stays noted under the cluster that it left, also when the applications move again."""
    back = journal(source_cluster="t", target_cluster="s", topics={"a": "a", "new.b": "b"},
                   at="2026-01-03T00:00:00.000+00:00")  # fmt: skip
    assert texts(journal(), back=(back,)) == []
    assert len(texts(journal(at="2026-01-04T00:00:00.000+00:00"), back=(back,))) == 1
    undone = back.model_copy(update={"state": State.ROLLED_BACK})
    assert len(texts(journal(), back=(undone,))) == 1
