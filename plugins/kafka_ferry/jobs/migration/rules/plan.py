"""plan.json of migrations and of comparisons. Pure."""

from __future__ import annotations

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import Estimate, JobPlan, PlannedEngine, PlannedGroups


class MigrationPlan(JobPlan):
    """
    :param groups: group to how many partitions it has commits on; ``groups_without_commits``: those that have none.
    """

    engine: PlannedEngine
    records: int
    bytes: int
    skipped_topics: dict[str, str]
    groups: dict[str, int]
    group_offsets: PlannedGroups
    skipped_groups: dict[str, str]
    groups_without_commits: list[str]
    changes: list[Change]
    estimate: Estimate
    findings: list[Finding]
    notes: list[str]


class ComparisonPlan(JobPlan):
    """Of two clusters as they are: what is compared with what."""
