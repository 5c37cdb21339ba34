"""Follow: export what is written meanwhile as small increments, and import increments as they appear. Free of Airflow.

Each increment is a backup of its own with a COMPLETE manifest, so whoever is killed leaves nothing half-done: the next
one begins where the last COMPLETE one ended, and an import resumes after what stands in the target.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from kafka_ferry.exceptions import DataLossError, TransientError
from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.backup.store.export import export_shard
from kafka_ferry.jobs.backup.store.freeze import plan_backup
from kafka_ferry.jobs.backup.store.known import KnownCatalogue
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.verify import compare_restored, verify_segments
from kafka_ferry.jobs.s3.export_run import FOLLOWED, ExportRun, now
from kafka_ferry.jobs.s3.import_run import ImportRun

log = logging.getLogger(__name__)

PATIENCE = 600.0
"""Seconds for which every look may fail before the task does; Airflow's retries come on top."""
_SEGMENT_BYTES, _BUFFER_BYTES = 16_000_000, 64_000_000

Note = Callable[[dict[str, Any]], None]
#: Told at each look: records (at most) that were not copied yet, and for how many seconds (at most) the oldest waited.
Watch = Callable[[int, float], None]
Clock = Callable[[], float]


@dataclass(frozen=True)
class ContinuousTotals:
    """What was done in one try.

    :param looks: how often there was a look; ``increments``: how often there was something new.
    :param slowest: the longest time in seconds from the moment up to which an increment reads to its end.
    """

    looks: int = 0
    increments: int = 0
    records: int = 0
    bytes: int = 0
    slowest: float = 0

    def plus(self, records: int, size: int, seconds: float) -> ContinuousTotals:
        slowest = max(self.slowest, round(seconds, 3))
        return ContinuousTotals(self.looks, self.increments + 1, self.records + records, self.bytes + size, slowest)


def until(
    deadline: float, interval: float, look: Callable[[ContinuousTotals], ContinuousTotals], clock: Clock = time.time
) -> ContinuousTotals:
    """Look again and again, and once more after the deadline, so that what was written before it is in.

    :param deadline: as ``clock`` tells it.
    :raises TransientError: every look of ``PATIENCE`` seconds failed so.
    """
    done, healthy = ContinuousTotals(), clock()
    while True:
        begun = clock()
        try:
            done = replace(look(done), looks=done.looks + 1)
            healthy = clock()
        except TransientError as error:
            if clock() - healthy > PATIENCE:
                raise
            log.warning("trying again in %g s: %s", interval, error)
        else:
            if begun >= deadline:
                return done
        time.sleep(max(0.0, min(begun + interval, max(deadline, begun + 1)) - clock()))


def export_continuously(export: ExportRun, deadline: float, note: Note, watch: Watch) -> ContinuousTotals:
    """Export increments until the deadline. Memory: 64 MB of records, and three segments of 16 MB on their way."""
    catalogue = KnownCatalogue(export.store, export.spec.export)

    def look(done: ContinuousTotals) -> ContinuousTotals:
        for gone in export.discard_unfinished(catalogue):
            log.info("increment %s was not finished: started again", gone)
        begun = datetime.now(UTC)
        backup_id = f"{export.export_id}{FOLLOWED}{begun:%Y%m%dT%H%M%S%f}Z"
        planned = plan_backup(export.admin, catalogue, export.spec.backup(full=False), backup_id, begun.isoformat())
        behind = sum(one.end - one.begin for _, one in planned.partitions())
        if not behind and not any(one.gaps for _, one in planned.partitions()):
            watch(0, 0)
            return done
        finished = _export(export, catalogue, planned)
        damage = damage_of(export, finished)
        seconds = (datetime.now(UTC) - begun).total_seconds()
        note(increment(finished, seconds, damage))
        watch(behind, seconds)
        log.info("%s: %d records in %.1f s", backup_id, finished.totals.records, seconds)
        return done.plus(finished.totals.records, finished.totals.bytes, seconds)

    return until(deadline, export.spec.follow_interval, look)


def _export(export: ExportRun, catalogue: KnownCatalogue, planned: Manifest) -> Manifest:
    begun = time.monotonic()
    catalogue.write(planned)
    ranges = catalogue.ranges_left(planned)
    place = export.store, planned.backup, planned.backup_id
    limits = {"segment_bytes": _SEGMENT_BYTES, "buffer_bytes": _BUFFER_BYTES}
    done = export_shard(
        export.config, *place, ranges, planned.isolation_level, **limits, kind=export.spec.written  # type: ignore[arg-type]
    )  # fmt: skip
    return catalogue.finish(planned, now(), [done], round(time.monotonic() - begun, 3))


def increment(finished: Manifest, seconds: float, damage: list[str]) -> dict[str, Any]:
    """What is noted of one that was exported."""
    size = finished.totals
    return {
        "id": finished.backup_id,
        "at": now(),
        "records": size.records,
        "bytes": size.bytes,
        "objects": size.objects,
        "seconds": round(seconds, 3),
        "damage": damage,
        "gaps": [
            f"{topic.name}-{one.partition}: {gap.begin} to {gap.end - 1}"
            for topic, one in finished.partitions()
            for gap in one.all_gaps()
            if gap.reason == "retention"
        ],
        "topics": {topic.name: sum(one.records for one in topic.partitions) for topic in finished.topics},
    }


def damage_of(export: ExportRun, finished: Manifest) -> list[str]:
    """What is wrong with its objects, where the params want them read back."""
    if not export.spec.verify:
        return []
    segments = [(topic.name, one.partition, segment) for topic, one, segment in finished.segments()]
    return [str(one) for one in verify_segments(export.store, segments)]


def import_continuously(
    make: Callable[[KnownCatalogue], ImportRun],
    catalogue: KnownCatalogue,
    deadline: float,
    interval: float,
    note: Note,
    watch: Watch,
    before: Callable[[], None] = lambda: None,
) -> ContinuousTotals:
    """Import increments as they appear, each proven before the next.

    :param make: an import of the latest export in the catalogue. ``before``: what brings exports here, before a look.
    :raises DataLossError: the target does not hold what an export has.
    """
    last: list[str] = []

    def look(done: ContinuousTotals) -> ContinuousTotals:
        before()
        latest = next(reversed(catalogue.complete()), None)
        if latest is None or last == [latest]:
            watch(0, 0)
            return done
        import_run = make(catalogue)
        import_run.prepare()
        ranges = [one for one in import_run.ranges() if one.segments]
        behind = sum(segment.records for one in ranges for segment in one.segments)
        written = restore_shard(import_run.config, import_run.store, ranges)
        lines = [line.to_json() for line in compare_restored(import_run.config, import_run.store, ranges)]
        wrong = [f"{line['topic']}-{line['partition']}: {line['detail']}" for line in lines if line["detail"]]
        import_run.confirm(import_run.marks(lines, ranges))
        seconds = max(0.0, (datetime.now(UTC) - import_run.manifest.created_at).total_seconds())
        proven = sum(line["expected"] for line in lines)
        note({"id": latest, "at": now(), "records": proven, "bytes": written.bytes, "seconds": round(seconds, 3),
              "lines": lines})  # fmt: skip
        watch(behind, seconds)
        if wrong:
            raise DataLossError(f"after {latest} the target differs from what was exported: {'; '.join(wrong[:5])}")
        last[:] = [latest]
        log.info("%s: %d records are in the target, %.1f s after they were frozen", latest, proven, seconds)
        return done.plus(proven, written.bytes, seconds)

    return until(deadline, interval, look)
