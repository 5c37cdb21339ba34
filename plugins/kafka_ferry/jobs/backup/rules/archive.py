"""The backups of one name as a reader sees them: size, duration, growth, verdict. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.checks import BackupLine, Status
from kafka_ferry.jobs.backup.rules.manifest import Manifest, State
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup, lineage


def backup_lines(
    manifests: Mapping[str, Manifest], verdicts: Mapping[str, Mapping[str, Any]], own: str | None = None
) -> list[BackupLine]:
    """One line a backup, the youngest first.

    :param manifests: in any state, by id, oldest first.
    :param verdicts: by id, what was last found of it: ``{"verdict", "kind", "at"}``.
    :param own: id of this run's.
    """
    complete = {key: one for key, one in manifests.items() if one.state is State.COMPLETE}
    lines = []
    before: int | None = None
    for backup_id, manifest in manifests.items():
        holds = _holds(complete, backup_id)
        told = verdicts.get(backup_id) or {}
        lines.append(
            BackupLine(
                backup_id=backup_id,
                mode=manifest.mode,
                parent=manifest.parent,
                created=manifest.created,
                seconds=manifest.totals.seconds,
                records=manifest.totals.records,
                bytes=manifest.totals.bytes,
                size=manifest.totals.size,
                objects=manifest.totals.objects,
                growth=holds - before if holds is not None and before is not None else None,
                status=_status(manifest, holds, told),
                detail=_detail(manifest, holds, told),
                own=backup_id == own,
            )
        )
        before = holds if holds is not None else before
    return lines[::-1]


def _holds(complete: Mapping[str, Manifest], backup_id: str) -> int | None:
    """Bytes of the records that a restore of this backup would bring back; None when it cannot be restored."""
    if backup_id not in complete:
        return None
    try:
        return sum(one.totals.bytes for one in lineage(complete, backup_id))
    except IncompleteBackup:
        return None


def _status(manifest: Manifest, holds: int | None, told: Mapping[str, Any]) -> Status:
    if manifest.state is not State.COMPLETE:
        return Status.SKIPPED
    if holds is None or told.get("verdict") == "FAIL":
        return Status.FAIL
    return Status.PASS


def _detail(manifest: Manifest, holds: int | None, told: Mapping[str, Any]) -> str:
    if manifest.state is not State.COMPLETE:
        return "not finished: not a backup"
    if holds is None:
        return "cannot be restored: a backup that it builds on is missing"
    if not told:
        return "never verified"
    return f"{told['kind']} {told['verdict']} on {str(told['at'])[:16].replace('T', ' ')} UTC"
