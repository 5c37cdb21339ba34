"""What is noted, told and reported of a wave."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.wave_journal import Journal, StageLine, State, acl_to_json, name_of, partition_of
from kafka_ferry.jobs.cutover.rules.fence import fence_acls
from kafka_ferry.jobs.cutover.rules.handover import handed_over, settings_of, signature, told_of_fence
from kafka_ferry.jobs.cutover.rules.plan import groups_by_halves, other_waves, producers_by_halves
from kafka_ferry.jobs.cutover.rules.timeline import NOT_BEGUN, cutover_of, longest_pause, write_downtime

SECRET = {"bootstrap.servers": "b:1", "security.protocol": "SASL_SSL", "sasl.password": "hush", "sasl.username": "u"}


def journal(**more: Any) -> Journal:
    known = {
        "wave": "w", "source_cluster": "c", "dag_id": "cutover", "run_id": "r", "topics": {"a": "a", "b": "new.b"},
        "fence": "acl", "state": State.HANDED_OVER, "fenced_at": "2026-01-01T00:00:00+00:00",
        "handed_over_at": "2026-01-01T00:00:03.500+00:00",
        "stages": [StageLine(stage="hand_over", started="x", ended="2026-01-01T00:00:04.000+00:00", seconds=0.5)],
    }  # fmt: skip
    return Journal(**{**known, **more})


def test_a_journal_comes_back_as_it_was() -> None:
    made = journal(added=[*map(acl_to_json, fence_acls(["a", "b"]))], ends={name_of(("a", 0)): 7})
    again = Journal.read(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.fence_acls == fence_acls(["a", "b"])
    assert again.frozen_ends == {("a", 0): 7}
    assert partition_of(name_of(("a.b-c", 12))) == ("a.b-c", 12)


def test_what_a_later_version_adds_is_left_out() -> None:
    assert Journal.read({**journal().to_json(), "more": 1}) == journal()


def test_the_clock_runs_until_the_applications_were_told() -> None:
    assert write_downtime(journal()) == 4.0
    assert write_downtime(journal(state=State.ROLLED_BACK)) is None
    assert write_downtime(journal(stages=[])) is None


def test_the_report_says_whether_it_was_rolled_back() -> None:
    done, undone = cutover_of(journal()), cutover_of(journal(state=State.ROLLED_BACK, failure="why", lifted=True))
    assert (done["rolled_back"], done["write_downtime_seconds"], done["stages"][0]["stage"]) == (
        False,
        4.0,
        "hand_over",
    )
    assert (undone["rolled_back"], undone["write_downtime_seconds"], undone["failure"]) == (True, None, "why")
    assert done.keys() == NOT_BEGUN.keys()
    left = journal(added=[*map(acl_to_json, fence_acls(["a"]))])
    assert cutover_of(left)["fence_left"] is True


def test_the_longest_pause_is_that_of_who_wrote_first() -> None:
    at = 1_767_225_600_000  # 2026-01-01T00:00:00 UTC
    assert longest_pause({1: at - 500, 2: at - 2_000, 3: -1}, "2026-01-01T00:00:03+00:00") == 5.0
    assert longest_pause({3: -1}, "2026-01-01T00:00:03+00:00") is None


def test_the_hand_over_is_what_tools_expect_and_holds_no_secret() -> None:
    told = handed_over(journal(), SECRET, ["g2", "g1"])
    assert {key: told[key] for key in ("event", "wave", "topics", "target", "fenced_at", "handed_over_at")} == {
        "event": "handed_over", "wave": "w", "topics": ["a", "b"], "fenced_at": "2026-01-01T00:00:00+00:00",
        "target": {"bootstrap.servers": "b:1", "security.protocol": "SASL_SSL"},
        "handed_over_at": "2026-01-01T00:00:03.500+00:00",
    }  # fmt: skip
    assert (told["groups"], told["target_topics"]) == (["g1", "g2"], {"b": "new.b"})
    assert told == handed_over(journal(), SECRET, ["g1", "g2"]), "the same whenever it is said again"
    assert "hush" not in json.dumps([told, told_of_fence("fence", "w", ["a"], SECRET, 3), settings_of(SECRET)])


def test_a_body_is_signed() -> None:
    assert signature(b"{}", "k") == "sha256=" + hmac.new(b"k", b"{}", hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("state", "wave", "run", "code"),
    [
        (State.HANDED_OVER, "other", "r2", "handed_over"), (State.HANDED_OVER, "w", "r2", "handed_over"),
        (State.HANDING_OVER, "w", "r2", "handed_over"), (State.FENCED, "other", "r2", "fenced"),
        (State.FENCED, "w", "r2", None), (State.ROLLED_BACK, "other", "r2", None),
        (State.HANDED_OVER, "w", "mine", None),
    ],
)  # fmt: skip
def test_topics_of_other_waves_are_refused(state: State, wave: str, run: str, code: str | None) -> None:
    found = other_waves([journal(state=state, wave=wave, run_id=run)], ("cutover", "mine"), "w", ["b", "c"])
    assert [(one.severity, one.code) for one in found] == ([(Severity.REFUSE, code)] if code else [])
    assert other_waves([journal(state=state, wave=wave, run_id=run)], ("cutover", "mine"), "w", ["c"]) == []


def test_who_is_half_in_a_wave_is_warned_of() -> None:
    (producer,) = producers_by_halves([("producer id 7", ["a"], ["x"])])
    assert (producer.severity, "writes to a of the wave, and to x" in str(producer)) == (Severity.WARN, True)
    (group,) = groups_by_halves({"g": {"a", "x"}, "h": {"a"}, "i": {"x"}}, ["a"])
    assert "group g" in str(group)
    assert len(producers_by_halves([(str(n), ["a"], ["x"]) for n in range(30)])) == 21
