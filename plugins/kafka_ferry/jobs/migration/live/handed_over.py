"""Whether a cutover has handed topics of a migration over, by the journals beside the artifacts."""

from __future__ import annotations

from collections.abc import Callable

from kafka_ferry.core.finding import Finding
from kafka_ferry.jobs.common.wave_journals import Journals
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.handed_over import handed_over_findings


def handed_over(migration: Migration, how: Callable[[Migration], str] = lambda _: "") -> list[Finding]:
    """Refusals, with which wave and when.

    :param how: makes what ``handed_over_findings`` takes; asked only where a wave of this source is known.
    :raises FerryError: a journal cannot be read.
    """
    source, target = (side.admin.describe_cluster().cluster_id for side in (migration.source, migration.target))
    journals = list(Journals(source).all())
    if not journals:
        return []
    targets = migration.topics.targets(migration.spec)
    return handed_over_findings(journals, Journals(target).all(), targets, target, how(migration))
