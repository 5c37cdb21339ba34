"""What the plans of ``cutover`` and ``fail_back`` say they will change, in their notes. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.words import shown
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

_NAMED = 10
_ACL, _CONNECTOR, _GROUP, _TOPIC = "acl", "connector", "group", "topic"


def change_notes(changes: Iterable[Change]) -> list[str]:
    """One line for what is changed alike, in the order of the first of each."""
    alike: dict[tuple[Action, str, str], list[str]] = {}
    for change in changes:
        alike.setdefault((change.action, change.kind, change.detail), []).append(change.name)
    return [
        (f"will {action}" if action is not Action.NONE else "leaves as it is:") + f" {kind} {_some(names)}"
        + (f" ({detail})" if detail else "")
        for (action, kind, detail), names in alike.items()
    ]  # fmt: skip


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def window_changes(spec: CutoverSpec, fence: Iterable[Acl], groups: Iterable[str]) -> list[Change]:
    """Of the window, and of what comes after it.

    :param fence: ACLs that have to be made. ``groups``: those that are set.
    """
    until = "kept (keep_fence)" if spec.keep_fence else "taken away at the end of the run"
    return [
        *(Change(Action.CREATE, _ACL, str(acl), f"on {spec.source_conn_id}: the fence, {until}") for acl in fence),
        *(Change(Action.UPDATE, _GROUP, shown(group), f"set to its exact record on {spec.target_conn_id}")
          for group in groups),
        *(Change(Action.UPDATE, _CONNECTOR, name, "stopped after the hand-over; its offsets are kept")
          for name in spec.end_connectors),
    ]  # fmt: skip


def stops(named: Iterable[str], running: Iterable[str]) -> list[Change]:
    """Connectors of the way there.

    :param running: those that are there, and not stopped.
    """
    there = set(running)
    return [
        Change(Action.UPDATE, _CONNECTOR, name, "stopped; its offsets are kept") if name in there
        else Change(Action.NONE, _CONNECTOR, name, "is stopped already, or not there")
        for name in named
    ]  # fmt: skip


def lifts(fence: Iterable[Acl], conn_id: str) -> list[Change]:
    """What is left of the cutover's fence."""
    detail = f"on {conn_id}: the cutover's fence, made again if the run fails"
    return [Change(Action.DELETE, _ACL, str(acl), detail) for acl in fence]


def brings(topics: Iterable[str], own: Iterable[str], conn_id: str) -> list[Change]:
    """What the way back writes.

    :param own: topics that MirrorMaker 2 keeps there.
    """
    return [
        *(Change(Action.CREATE, _TOPIC, name, f"on {conn_id}: MirrorMaker 2's own, deleted after a pass")
          for name in own),
        *(Change(Action.UPDATE, _TOPIC, name, f"on {conn_id}: what was written since the hand-over comes back")
          for name in topics),
    ]  # fmt: skip
