"""Types of groups: who is at work, how they are counted, and what is told of those that are carried or not."""

from __future__ import annotations

import pytest

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.group_types import (
    AllGroups,
    OtherGroup,
    by_type,
    has_members,
    is_other,
    other_group_findings,
    taken_names,
)


@pytest.mark.parametrize(
    ("state", "at_work"),
    [("EMPTY", False), ("Empty", False), ("DEAD", False), ("Dead", False), ("STABLE", True), ("Stable", True),
     ("NotReady", True), ("RECONCILING", True), ("UNKNOWN", True)],
)  # fmt: skip
def test_who_is_at_work(state: str, at_work: bool) -> None:
    assert has_members(state) is at_work
    assert AllGroups({"g": state}, {}, {}).at_work == ({"g"} if at_work else set())
    assert AllGroups({}, {"g": OtherGroup("share", state)}, {}).at_work == ({"g"} if at_work else set())


def test_a_state_that_was_not_told_keeps_nobody_from_trying() -> None:
    assert AllGroups({}, {"g": OtherGroup("", "")}, {}).at_work == set()


def test_groups_are_counted_by_type() -> None:
    types = ["share", "classic", "sr", "consumer", "classic", "connect", "", "streams"]
    assert by_type(types) == (
        "2 classic consumer, 1 consumer (KIP-848), 1 share (KIP-932), 1 streams (KIP-1071), 1 Kafka Connect's workers, "
        "1 of unknown type, 1 of type sr"
    )
    assert by_type([]) == ""


@pytest.mark.parametrize(
    ("start", "end", "done"),
    [
        (Commit(40, lag=10), 60, 10),  # 60 - 40 = 20 behind the start, 10 of them still to get
        (Commit(40, lag=20), 60, 0),
        (Commit(40, lag=0), 60, 20),
        (Commit(40, lag=25), 60, 0),  # the end was asked for a moment earlier
        (Commit(40), 60, None),
        (Commit(0, lag=0), 0, 0),
    ],
)
def test_what_a_share_group_is_done_with_behind_its_start(start: Commit, end: int, done: int | None) -> None:
    assert start.acknowledged(end) == done


def test_a_name_that_is_of_another_kind_on_the_target_is_warned_of() -> None:
    carried = {"a": "share", "b": "classic", "c": "streams", "d": "share", "e": "share", "f": "consumer"}
    target = AllGroups(
        {"a": "EMPTY", "b": "EMPTY", "c": "EMPTY", "f": "EMPTY"}, {"d": OtherGroup("share", "Empty")},
        {"a": "classic", "b": "consumer", "c": "classic", "f": ""},
    )  # fmt: skip
    assert [item.subject for item in taken_names(carried, target)] == ["group 'a'"]
    turned = AllGroups({}, {"b": OtherGroup("share"), "c": OtherGroup("share")}, {})
    assert [item.subject for item in taken_names(carried, turned)] == ["group 'b'", "group 'c'"]


def test_reasons_of_other_types_are_told_from_those_of_exclusion() -> None:
    """Manifests keep the texts alone, also those of earlier versions."""
    for kind in ("share", "streams", "", "sr"):
        assert is_other(str(OtherGroup(kind, "Stable", "a backup holds committed offsets only")))
        assert is_other(str(OtherGroup(kind)))
    assert not is_other(str(OtherGroup("connect", "Stable")))
    assert not is_other("param exclude_groups")
    assert is_other(
        "a share group (KIP-932): its progress is kept per record in the cluster, not as committed offsets; on the "
        "target it would start at its share.auto.offset.reset; state Stable"
    )


def test_the_command_names_the_group_as_a_shell_sees_it() -> None:
    (share,) = other_group_findings({"my jobs ": OtherGroup("share")})
    assert "--group 'my jobs '" in share.fix
    (streams,) = other_group_findings({"app": OtherGroup("streams")})
    assert "kafka-streams-groups --group app --reset-offsets" in streams.fix
    (odd,) = other_group_findings({"{x}": OtherGroup("share", why="{y}")})
    assert "--group {x} " in odd.fix
    assert "({y})" in odd.what
