"""What the page says of a cutover's window."""

from __future__ import annotations

import pytest

from kafka_ferry.report.window import window_view

FENCED = "2026-11-30T02:00:00.000+00:00"


def cutover(**other):
    stages = [
        {"stage": "fence", "started": FENCED, "ended": "2026-11-30T02:00:01.000+00:00", "seconds": 1.0, "detail": ""},
        {"stage": "prove", "started": "2026-11-30T02:00:01.000+00:00", "ended": "2026-11-30T02:00:04.000+00:00",
         "seconds": 3.0, "detail": ""},
    ]  # fmt: skip
    found = {"state": "handed_over", "fence": "acl", "fenced_at": FENCED, "handed_over_at": stages[1]["ended"],
             "write_downtime_seconds": 4.0, "stages": stages, "acls_added": 3, "acls_kept": 1,
             "partitions": 9}  # fmt: skip
    return {**found, **other}


def test_stages_stand_where_they_were_in_time():
    view = window_view(cutover())
    assert [(bar.stage, bar.left, bar.width) for bar in view.bars] == [("fence", 0.0, 25.0), ("prove", 25.0, 75.0)]


def test_what_is_known_is_told_and_nothing_else():
    facts = dict(window_view(cutover()).facts)
    assert facts["Nobody could write for"] == "4.0 s"
    assert facts["Fence"] == "acl: 3 ACLs made that deny WRITE, 1 there before; taken away again"
    assert facts["At rest"] == "9 partitions"
    assert "One producer waited at most" not in facts
    assert "they stay" in dict(window_view(cutover(fence_left=True)).facts)["Fence"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("handed_over", "Handed over"),
        ("handing_over", "somebody may write to the target"),
        ("fenced", "has not ended"),
    ],
)
def test_how_it_ended_is_said(state, words):
    assert words in window_view(cutover(state=state)).sentence


def test_a_window_that_was_rolled_back_was_not_handed_over():
    view = window_view(cutover(state="rolled_back", rolled_back=True, handed_over_at=None))
    assert view.sentence == "Rolled back: producers work on the source as before."
    assert "Handed over" not in dict(view.facts)
    assert dict(view.facts)["Producers were refused for"] == "4.0 s"


def test_where_somebody_else_stopped_the_producers_their_pause_is_not_claimed():
    facts = dict(window_view(cutover(fence="prove")).facts)
    assert facts["From the proof to the hand-over"] == "4.0 s"
    assert "Nobody could write for" not in facts


def test_a_way_back_speaks_of_the_other_cluster():
    sides = ("Left", "Gone back to")
    assert window_view(cutover(), sides).sentence == "Handed over: the applications were told to use the source again."
    rolled_back = window_view(cutover(state="rolled_back", rolled_back=True), sides)
    assert rolled_back.sentence == "Rolled back: producers work on the target as before."


@pytest.mark.parametrize(
    ("told_by", "words"),
    [
        ("asset event", "use the target, by the asset event only."),
        ("webhook and asset event", "use the target, by webhook and asset event."),
        (None, "use the target."),
    ],
)
def test_who_told_the_applications_is_said(told_by, words):
    assert words in window_view(cutover(told_by=told_by)).sentence


def not_begun(**other):
    return {"wave": "w", "state": "not_begun", "fence": "acl", "fenced_at": None, "stages": [], **other}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("source", "nothing was stopped, and the applications go on on the source."),
        ("target", "The applications work on the target already."),
        (None, "did not begin: nothing was stopped."),
    ],
)
def test_a_run_that_ended_before_its_window_says_where_the_applications_are(where, words):
    view = window_view(not_begun(applications_on=where))
    assert view.sentence.endswith(words)
    assert (view.facts, view.bars) == ([("Wave", "w"), ("Fence", "acl: not made")], [])


@pytest.mark.parametrize("found", [not_begun(applications_on="target"), cutover(state="rolled_back", rolled_back=True)])
def test_a_way_back_that_failed_says_what_is_left_of_it(found):
    sides = ("Left", "Gone back to")
    view = window_view({**found, "way_back": {"mm2.w.MirrorSourceConnector": "STOPPED"}}, sides)
    assert "on the target" in view.sentence
    assert view.sentence.endswith(" Connector mm2.w.MirrorSourceConnector is STOPPED, and goes on with the next run.")
    running = window_view({**found, "way_back": {"x": "RUNNING"}}, sides)
    assert running.sentence.endswith(" Connector x is RUNNING: stop it, or run fail_back again.")


@pytest.mark.parametrize(
    "found",
    [None, not_begun(wave=None), {}, {"fenced_at": None}, cutover(fenced_at="no time"), cutover(stages="x"), [1]],
)
def test_what_is_no_window_has_no_section(found):
    assert window_view(found) is None


def test_fields_of_a_later_version_are_left_out():
    assert window_view(cutover(colour="red")).sentence
