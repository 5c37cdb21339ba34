"""Which backups may go. Pure: says what would be deleted and why the rest stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kafka_ferry.jobs.backup.rules.manifest import Manifest, State
from kafka_ferry.jobs.backup.rules.order import begun, ordered

ABANDONED = timedelta(days=2)
"""How long an unfinished backup may still be somebody's work."""


@dataclass(frozen=True)
class Pruning:
    """What goes and what stays.

    :param delete: ids of backups, children before their parents. ``kept``: id to the reason.
    :param keys: objects that only they point to. ``locked``: id of a backup that would go, and may not yet, to why.
    """

    delete: tuple[str, ...]
    kept: Mapping[str, str]
    keys: frozenset[str]
    locked: Mapping[str, str] = field(default_factory=dict)


def prune(
    manifests: Sequence[Manifest],
    keep_last: int | None,
    keep_days: float | None,
    now: datetime,
    noted: Mapping[str, Collection[str]] | None = None,
    locked: Mapping[str, str] | None = None,
) -> Pruning:
    """Keep the last ``keep_last`` COMPLETE backups, those younger than ``keep_days``, and all that these go on from.

    With neither limit everything stays. The newest COMPLETE backup always stays, and so does one in progress that is
    younger than ``ABANDONED``. Which is the newest is told by ``order``, not by clocks alone.

    :param noted: id of an unfinished backup to the objects that its journal names: they stay as long as it does.
    :param locked: id of a backup to why the store keeps objects of it: it stays as a whole, with all it goes on from.
    """
    known = ordered(manifests, now)
    since = begun(known, now)
    kept: dict[str, str] = {}
    complete = [one for one in known if one.state is State.COMPLETE]
    unlimited = keep_last is None and keep_days is None
    for number, manifest in enumerate(reversed(complete)):
        if unlimited:
            kept[manifest.backup_id] = "no limit is set"
        elif number < max(1, keep_last or 0):
            kept[manifest.backup_id] = "the newest" if number == 0 else f"one of the last {keep_last}"
        elif keep_days is not None and now - since[manifest.backup_id] < timedelta(days=keep_days):
            kept[manifest.backup_id] = f"younger than {keep_days:g} day(s)"
    for manifest in known:
        if manifest.state is not State.COMPLETE and (unlimited or now - since[manifest.backup_id] < ABANDONED):
            kept[manifest.backup_id] = "in progress"
    by_id = {one.backup_id: one for one in known}
    held = {backup_id: why for backup_id, why in (locked or {}).items() if backup_id in by_id and backup_id not in kept}
    kept |= {backup_id: f"locked: {why}" for backup_id, why in held.items()}
    for child in list(kept):
        parent = by_id[child].parent
        seen = {child}  # manifests that others wrote may go in a circle
        while parent in by_id and parent not in seen:
            seen.add(parent)
            kept.setdefault(parent, f"{child} builds on it")
            parent = by_id[parent].parent
    gone = [one for one in reversed(known) if one.backup_id not in kept]
    needed = {key for backup_id in kept for key in by_id[backup_id].keys()}  # noqa: SIM118  # a method of ours
    needed |= {key for backup_id, keys in (noted or {}).items() if backup_id in kept for key in keys}
    keys = {key for manifest in gone for key in manifest.keys()} - needed  # noqa: SIM118
    return Pruning(tuple(one.backup_id for one in gone), kept, frozenset(keys), held)
