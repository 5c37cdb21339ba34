"""plan.json of backups, of restores and of their verification. Pure."""

from __future__ import annotations

from pydantic import Field

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import Archive, JobPlan, Plan, PlannedGroups, PlanPart


class Covered(PlanPart):
    """The backup that makes this one unnecessary."""

    backup_id: str
    created: str


class CoveredPlan(Plan):
    """What the report reads of any of these plans."""

    covered: Covered | None = None


class ArchivePlan(JobPlan):
    """What those without a default say is always there.

    :param groups: whose offsets are in the backup, or will be restored. ``skipped_groups``: why others are not.
    """

    archive: Archive
    backup_id: str
    groups: list[str]
    records: int
    bytes: int
    skipped_groups: dict[str, str] = Field(default={})
    group_offsets: PlannedGroups | None = None
    changes: list[Change] = Field(default=[])
    findings: list[Finding] = Field(default=[])
    notes: list[str]


class BackupPlan(ArchivePlan):
    """
    :param parent: the backup that this one goes on from.
    :param covered: by which this interval is covered already: nothing is to be done.
    """

    mode: str
    parent: str | None
    covered: Covered | None
    skipped_groups: dict[str, str]


class RestorePlan(ArchivePlan):
    """
    :param chain: the backups that are read, the full one first. ``acls``: those that will be made.
    """

    chain: list[str]
    skipped_groups: dict[str, str]
    group_offsets: PlannedGroups
    changes: list[Change]
    acls: list[str]
    findings: list[Finding]


class VerifyPlan(ArchivePlan):
    """
    :param backups: how many are read.
    """

    backups: int
