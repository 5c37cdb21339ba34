"""What a restore or an import would change on its cluster, line by line. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.backup.rules.groups_plan import WRITTEN, RestoreGroupLine, Step
from kafka_ferry.jobs.backup.rules.restore_plan import held_configs
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun

_VERBS = {Step.REWIND: "rewound", Step.RAISE: "raised", Step.SET: "set"}


def topic_changes(restore_run: RestoreRun) -> list[Change]:
    """Topics made, and what is held on those that are there while records arrive."""
    existing, changes = restore_run.admin.topics([topic.name for topic in restore_run.topics]), []
    holding = restore_run.holding(existing)
    for topic in restore_run.topics:
        state = existing.get(topic.name)
        if state is None:
            configs = ", ".join(f"{key}={value}" for key, value in sorted(restore_run.configs(topic).items()))
            detail = f"{number_of(len(topic.source.partitions), 'partition')}" + f", {configs}" * bool(configs)
            changes.append(Change(Action.CREATE, "topic", topic.name, detail))
            continue
        needed = len(topic.source.partitions)
        if state.partitions < needed:
            changes.append(Change(Action.UPDATE, "topic", topic.name, f"partitions to {needed}"))
        wanted = holding.of(topic.name, held_configs({}))
        held = {key: value for key, value in wanted.items() if state.effective.get(key) != value}
        if held:
            told = ", ".join(f"{key}={value}" for key, value in sorted(held.items()))
            detail = f"while records arrive, restored at the end: {told}"
            changes.append(Change(Action.UPDATE, "topic", topic.name, detail))
    return changes


def restore_changes(restore_run: RestoreRun, acls: Sequence[str], lines: Sequence[RestoreGroupLine]) -> list[Change]:
    """All of ``restore_topics``.

    :param acls: that would be made. ``lines``: of groups, as planned.
    """
    counts: dict[str, dict[Step, int]] = {}
    for line in lines:
        if line.action in WRITTEN:
            mine = counts.setdefault(line.group, {})
            mine[line.action] = mine.get(line.action, 0) + 1
    groups = [
        Change(
            Action.UPDATE, "group", shown(group),
            ", ".join(f"{number_of(count, 'offset')} {_VERBS[step]}" for step, count in steps.items()),
        )
        for group, steps in sorted(counts.items())
    ]  # fmt: skip
    return [*topic_changes(restore_run), *groups, *(Change(Action.CREATE, "acl", acl) for acl in acls)]
