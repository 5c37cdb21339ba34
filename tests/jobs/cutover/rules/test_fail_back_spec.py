"""Which cutover can be taken back, and what its way back is."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec, refuse_no_way_back


def journal(**more: Any) -> Journal:
    known = {
        "wave": "w", "source_cluster": "old", "target_cluster": "new", "dag_id": "cutover", "run_id": "r",
        "topics": {"a": "a", "b": "b"}, "fence": "acl", "state": State.HANDED_OVER, "ends": {"a:0": 3},
        "target_ends": {"a:0": 2},
    }  # fmt: skip
    return Journal(**{**known, **more})


SPEC = FailBackSpec(migration="w", source_conn_id="here", target_conn_id="there", fence="prove", drain_timeout=7)


def test_the_way_back_is_the_same_cutover_with_the_roles_exchanged() -> None:
    made = SPEC.backwards(journal())
    assert (made.source_conn_id, made.target_conn_id, made.wave) == ("there", "here", "w")
    assert (made.topics, made.groups, made.end_connectors) == (["a", "b"], [".*"], [])
    assert (made.fence.value, made.drain_timeout) == ("prove", 7)
    assert made.target_topic("a") == "a"


def test_what_copies_back_carries_records_and_nothing_else() -> None:
    made = SPEC.replication(journal())
    assert (made.source_conn_id, made.target_conn_id) == ("there", "here")
    assert (made.topics, made.groups, made.keep_replicating, made.canary) == (["a", "b"], [], False, False)
    assert made.target_topic("a") == "a"


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (None, "knows no wave 'w'"),
        (journal(state=State.FENCED), "is fenced, not handed over"),
        (journal(state=State.HANDING_OVER), "clear task window of run r"),
        (journal(state=State.FAILED_BACK), "it is back on the source"),
        (journal(target_cluster="other"), "the wave was handed over to other"),
        (journal(topics={"a": "new.a"}), "topic 'a' is 'new.a' on the target"),
        (journal(target_ends={}), "does not say where the target ended on a:0"),
    ],
)
def test_what_has_no_way_back_is_refused_with_the_cure(forward: Journal | None, words: str) -> None:
    with pytest.raises(BadParam, match=words):
        refuse_no_way_back(forward, SPEC, "old", "new")


def test_a_wave_that_was_handed_over_has_one() -> None:
    assert refuse_no_way_back(journal(), SPEC, "old", "new") == journal()
