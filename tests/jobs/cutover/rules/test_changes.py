"""What a plan says it will change."""

from __future__ import annotations

from kafka_ferry.jobs.cutover.rules.changes import brings, change_notes, lifts, stops, window_changes
from kafka_ferry.jobs.cutover.rules.fence import fence_acls
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec


def test_the_fence_the_groups_and_the_connectors_of_a_cutover() -> None:
    spec = CutoverSpec.from_params(
        {"topics": ["a"], "keep_fence": True, "end_connectors": ["mm"], "connect_conn_id": "connect"}
    )
    assert [str(change) for change in window_changes(spec, fence_acls(["a"]), ["g"])] == [
        "create acl DENY WRITE on topic a for User:*: on kafka_source: the fence, kept (keep_fence)",
        "update group g: set to its exact record on kafka_target",
        "update connector mm: stopped after the hand-over; its offsets are kept",
    ]
    again = spec.model_copy(update={"keep_fence": False, "end_connectors": []})
    assert [change.detail for change in window_changes(again, fence_acls(["a"]), [])] == [
        "on kafka_source: the fence, taken away at the end of the run"
    ]


def test_what_a_way_back_stops_lifts_and_writes() -> None:
    assert [str(change) for change in stops(["mm", "gone"], ["mm", "other"])] == [
        "update connector mm: stopped; its offsets are kept",
        "none   connector gone: is stopped already, or not there",
    ]
    assert [str(change) for change in lifts(fence_acls(["a"]), "old")] == [
        "delete acl DENY WRITE on topic a for User:*: on old: the cutover's fence, made again if the run fails"
    ]
    assert [str(change) for change in brings(["a"], ["syncs"], "old")] == [
        "create topic syncs: on old: MirrorMaker 2's own, deleted after a pass",
        "update topic a: on old: what was written since the hand-over comes back",
    ]


def test_what_is_changed_alike_is_one_note() -> None:
    many = [f"g{number}" for number in range(12)]
    changes = [*stops(["mm", "gone"], ["mm"]), *window_changes(CutoverSpec.from_params({"topics": ["a"]}), [], many)]
    assert change_notes(changes) == [
        "will update connector mm (stopped; its offsets are kept)",
        "leaves as it is: connector gone (is stopped already, or not there)",
        "will update group g0, g1, g2, g3, g4, g5, g6, g7, g8, g9 and 2 more (set to its exact record on kafka_target)",
    ]
    assert change_notes([]) == []
