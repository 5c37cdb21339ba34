"""Which backup came after which. Pure.

A manifest's ``created`` is what some machine's clock said. Clocks are wrong, so they are evidence, not the order. What
counts, in this order: a backup comes after the one it builds on, and after the one that was the newest when it
began (``follows``); one that reaches farther comes after one that does not, as Kafka's offsets only grow; then the
logical date, which the scheduler gave; then the clock. Dates that have not come yet are no evidence, and are named.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.backup.rules.timestamps import parse_timestamp, tick_of

SKEW: Final = timedelta(minutes=15)
"""How far clocks of one fleet may be apart and be called right; S3 refuses requests beyond it."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def from_future(manifest: Manifest, now: datetime) -> str | None:
    """Why a manifest cannot have been made when it says; None when it can.

    :param now: aware.
    """
    dates = {"created": parse_timestamp(manifest.created), "logical date": tick_of(manifest.backup_id)}
    late = [f"{name} {at:%Y-%m-%d %H:%M}" for name, at in dates.items() if at is not None and at > now + SKEW]
    if not late:
        return None
    return (
        f"backup {manifest.backup_id} is from the future: {' and '.join(late)}, and it is {now:%Y-%m-%d %H:%M} UTC "
        "here. One of the clocks is wrong; offsets decide its order among the others"
    )


def ordered(manifests: Iterable[Manifest], now: datetime) -> list[Manifest]:
    """Oldest first.

    :param now: aware; dates after it are no evidence.
    """
    known = sorted(manifests, key=lambda one: _rank(one, now))
    if len(known) < 2 or _in_order(known):
        return known
    return [known[at] for at in _sorted_by_edges(_edges(known))]


def begun(manifests: Sequence[Manifest], now: datetime) -> dict[str, datetime]:
    """When each was begun at the latest, as far as its dates can be believed; never before one that came before it.

    :param manifests: in order.
    """
    found: dict[str, datetime] = {}
    latest: datetime | None = None
    for manifest in manifests:
        claims = [at for at in _dates(manifest) if at <= now + SKEW]
        own = max(claims, default=None)
        latest = max((at for at in (own, latest) if at is not None), default=None)
        found[manifest.backup_id] = now if latest is None else latest
    return found


def is_begun_after(manifest: Manifest, tick: datetime, now: datetime) -> bool:
    """Whether a backup says it was begun at a time or later, by a date that can be believed.

    The logical date is a lower bound: no run begins before it.
    """
    created, logical = parse_timestamp(manifest.created), tick_of(manifest.backup_id)
    if created is not None and created <= now + SKEW:
        return created >= tick
    return logical is not None and logical <= now + SKEW and logical >= tick


def _dates(manifest: Manifest) -> list[datetime]:
    return [at for at in (tick_of(manifest.backup_id), parse_timestamp(manifest.created)) if at is not None]


def _rank(manifest: Manifest, now: datetime) -> tuple[bool, datetime, datetime, str]:
    """By the first date that can be believed; without one it stands before all others."""
    dates = _dates(manifest)
    believed = [at for at in dates if at <= now + SKEW]
    created = parse_timestamp(manifest.created) or _LONG_AGO
    first = (believed or dates or [_LONG_AGO])[0]
    return bool(believed), first, created, manifest.backup_id


def _ends(manifests: Sequence[Manifest]) -> Any:
    """How far each came, by topic: sums of ends, NaN where it has none of it. Manifests by topics, float64."""
    columns: dict[tuple[str, str, str], int] = {}
    cells: list[tuple[int, int, float]] = []
    for row, manifest in enumerate(manifests):
        for topic in manifest.topics:
            place = manifest.cluster_id, manifest.isolation_level, topic.topic_id
            reach = float(sum(one.end for one in topic.partitions))
            cells.append((row, columns.setdefault(place, len(columns)), reach))
    table = np.full((len(manifests), max(1, len(columns))), np.nan)
    for row, column, reach in cells:
        table[row, column] = reach
    return table


def _in_order(manifests: Sequence[Manifest]) -> bool:
    """Whether none comes after, or reaches less far than, one that stands before it: nearly always, and cheap."""
    seen: set[str] = set()
    everyone = {one.backup_id for one in manifests}
    for manifest in manifests:
        if any(one in everyone and one not in seen for one in manifest.comes_after()):
            return False
        seen.add(manifest.backup_id)
    table = _ends(manifests)
    reached = np.fmax.accumulate(table, axis=0)
    with np.errstate(invalid="ignore"):
        return not bool((table < reached).any())


def _edges(manifests: Sequence[Manifest]) -> list[Collection[int]]:
    """For each the ones that must come after it."""
    table = _ends(manifests)
    after: list[set[int]] = [set() for _ in manifests]
    ancestors = _ancestors(manifests)
    for at, manifest in enumerate(manifests):
        with np.errstate(invalid="ignore"):
            ahead, behind = (table > table[at]).any(axis=1), (table < table[at]).any(axis=1)
        # One that is ahead in one topic and behind in another says nothing: a log was cut.
        farther = np.flatnonzero(ahead & ~behind).tolist()
        after[at] |= {one for one in farther if one not in ancestors[at] and not _cut(manifest, manifests[one])}
        for one in ancestors[at]:
            after[one].add(at)
    return list(after)


def _ancestors(manifests: Sequence[Manifest]) -> list[set[int]]:
    """Of each all that it comes after, by what it says itself."""
    by_id = {one.backup_id: at for at, one in enumerate(manifests)}
    found: list[set[int]] = []
    for own, manifest in enumerate(manifests):
        mine, todo = set[int](), list(manifest.comes_after())
        while todo:
            at = by_id.get(todo.pop())
            if at is not None and at != own and at not in mine:
                mine.add(at)
                todo += manifests[at].comes_after()
        found.append(mine)
    return found


def _cut(manifest: Manifest, farther: Manifest) -> bool:
    """Whether a full backup that reaches less far is the later one all the same, as logical date and clock both say:
    it was made because a log ended before its last backup (an unclean leader election). Newer ones say ``follows``."""
    mine, its = _dates(manifest), _dates(farther)
    return manifest.mode == "full" and len(mine) == len(its) == 2 and all(
        one > other for one, other in zip(mine, its, strict=True)
    )  # fmt: skip


def _sorted_by_edges(after: Sequence[Collection[int]]) -> list[int]:
    """Numbers with each edge's end behind its begin, else as they stand; what contradicts itself, as it stands."""
    waiting = [0] * len(after)
    for ends in after:
        for end in ends:
            waiting[end] += 1
    left, result = set(range(len(after))), list[int]()
    free = [at for at, count in enumerate(waiting) if not count]
    heapq.heapify(free)
    while left:
        at = heapq.heappop(free) if free else min(left)
        if at not in left:
            continue
        left.remove(at)
        result.append(at)
        for end in after[at]:
            waiting[end] -= 1
            if waiting[end] == 0:
                heapq.heappush(free, end)
    return result


def futures(manifests: Mapping[str, Manifest] | Iterable[Manifest], now: datetime) -> list[str]:
    """Those that cannot have been made when they say, each in words."""
    found = manifests.values() if isinstance(manifests, Mapping) else manifests
    return [why for one in found if (why := from_future(one, now))]
