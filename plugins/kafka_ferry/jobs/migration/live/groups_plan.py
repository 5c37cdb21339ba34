"""Read where the groups of a migration stand on both sides. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.groups_plan import GroupPlanLine, group_lines

# States in which a group has no members, so that its offsets may be written (KIP-396).
_INACTIVE = ("EMPTY", "DEAD")


def plan_groups(migration: Migration, ends: Mapping[Partition, int]) -> list[GroupPlanLine]:
    """The dry table of group offsets.

    :param ends: log ends of the source's partitions.
    """
    committed = migration.groups.committed
    if not committed:
        return []
    admin = migration.target.admin
    active = {group for group, state in admin.consumer_groups().items() if state not in _INACTIVE}
    return group_lines(migration.spec, committed, ends, admin.committed(committed), active)
