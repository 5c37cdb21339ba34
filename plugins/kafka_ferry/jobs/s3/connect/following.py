"""Watch connectors that go on copying: what has come, how late, and that it is right. Free of Airflow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.backup.store.known import KnownCatalogue
from kafka_ferry.jobs.backup.store.verify import compare_restored
from kafka_ferry.jobs.s3.connect.carrier import Carrier
from kafka_ferry.jobs.s3.connect.export_by_connector import ConnectorExportRun
from kafka_ferry.jobs.s3.connect.import_by_connector import ConnectorImport
from kafka_ferry.jobs.s3.connect.rules.reached import sink_manifests, uncovered, with_repeated
from kafka_ferry.jobs.s3.connect.sensors import ConnectorStopped
from kafka_ferry.jobs.s3.continuous import ContinuousTotals, Note, Watch, damage_of, increment, until
from kafka_ferry.jobs.s3.export_run import now

log = logging.getLogger(__name__)


class _Patience:
    """:param seconds: for which a connector that has something to copy may copy nothing."""

    def __init__(self, carrier: Carrier, seconds: float) -> None:
        self._carrier, self._seconds, self._moved, self._since = carrier, seconds, object(), time.monotonic()

    def nothing_to_do(self) -> None:
        """Its time begins again."""
        self._since = time.monotonic()

    def check(self, moved: object, text: str) -> None:
        """:param moved: differs when it has copied something since the last look.

        :raises ConnectorStopped: it has failed, or stands still for too long.
        """
        if problem := self._carrier.problem():
            raise ConnectorStopped(problem)
        if moved != self._moved:
            self._moved, self._since = moved, time.monotonic()
        elif time.monotonic() - self._since > self._seconds:
            raise ConnectorStopped(
                f"nothing was copied for no_progress_timeout, {self._seconds:g} s: {text}. "
                f"{self._carrier.state()}. Fix: the workers' log says what it waits for; then clear follow"
            )


def follow_sink(run: ConnectorExportRun, deadline: float, note: Note, watch: Watch) -> ContinuousTotals:
    """Read back what the sink writes, until all that was there at the deadline is in S3."""
    catalogue = KnownCatalogue(run.store, run.spec.export)
    patience = _Patience(run.carrier, run.spec.no_progress_timeout)
    seen = [run.manifest().backup_id]
    asked: list[tuple[float, Manifest]] = []

    def look(done: ContinuousTotals) -> ContinuousTotals:
        present = time.time(), run.at_present(catalogue)
        if not asked:
            asked.append(present)
        written = sink_manifests(catalogue.complete())
        for manifest in [one for one in written if one.backup_id > seen[0]]:
            size = manifest.totals
            note(increment(manifest, time.time() - asked[0][0], damage_of(run, manifest)))
            seen[0] = manifest.backup_id
            done = done.plus(size.records, size.bytes, 0)
        while asked:
            late = time.time() - asked[0][0]
            newest = written[-1] if written else None
            left = run.left_of(asked[0][1], newest)
            # Of the ends as they are now; what is not probed may be markers of transactions.
            behind = left if asked[0] is present else uncovered(present[1], newest)
            watch(sum(map(len, behind.values())), late)
            if left:
                patience.check(seen[0], f"{len(left)} partitions are not in S3 as they were {late:.0f} s ago")
                return done
            log.info("all that was there %.1f s ago is in S3", late)
            asked.pop(0)
            done = _slowest(done, late)
        patience.nothing_to_do()
        return done

    done = until(deadline, run.spec.follow_interval, look)
    asked.append((time.time(), run.at_present(catalogue)))  # what was asked last is from before the deadline
    done = look(done)
    while asked:
        time.sleep(min(1.0, run.spec.follow_interval))
        done = look(done)
    return done


def _slowest(done: ContinuousTotals, seconds: float) -> ContinuousTotals:
    return ContinuousTotals(done.looks, done.increments, done.records, done.bytes, max(done.slowest, round(seconds, 3)))


def follow_source(
    make: Callable[[KnownCatalogue], ConnectorImport],
    catalogue: KnownCatalogue,
    deadline: float,
    note: Note,
    watch: Watch,
    before: Callable[[], None] = lambda: None,
) -> ContinuousTotals:
    """Compare what the source connector writes, an export at a time.

    :param make: an import of the latest export in the catalogue. ``before``: what brings exports here, before a look.
    :raises DataLossError: the target does not hold what an export has.
    """
    last: list[str] = []
    begun: list[tuple[str, ConnectorImport, _Patience]] = []

    def look(done: ContinuousTotals) -> ContinuousTotals:
        before()
        latest = next(reversed(catalogue.complete()), None)
        if not begun:
            if latest is None or last == [latest]:
                watch(0, 0)
                return done
            one = make(catalogue)
            one.run.prepare()
            one.deploy()  # there may be topics that it was not told of
            begun.append((latest, one, _Patience(one.carrier, one.spec.no_progress_timeout)))
        export_id, one, patience = begun[0]
        state = one.look(one.wanted())
        seconds = max(0.0, (datetime.now(UTC) - one.run.manifest.created_at).total_seconds())
        watch(state.behind, seconds)
        if state.left:
            patience.check(state.moved, state.text)
            return done
        ranges = [part for part in one.run.ranges() if part.segments]
        lines = [line.to_json() for line in compare_restored(one.run.config, one.run.store, ranges, growing=True)]
        if any(line["behind"] for line in lines):
            lines = with_repeated(lines, make(catalogue).run.behind(one.run))
        wrong = [f"{line['topic']}-{line['partition']}: {line['detail']}" for line in lines if line["detail"]]
        one.run.confirm(one.run.marks(lines, ranges))
        seconds = max(0.0, (datetime.now(UTC) - one.run.manifest.created_at).total_seconds())
        proven, size = sum(line["expected"] for line in lines), _bytes(one)
        note({"id": export_id, "at": now(), "records": proven, "bytes": size, "seconds": round(seconds, 3),
              "lines": lines})  # fmt: skip
        if wrong:
            raise DataLossError(f"after {export_id} the target differs from what was exported: {'; '.join(wrong[:5])}")
        last[:] = [export_id]
        begun.clear()
        log.info("%s: %d records are in the target, %.1f s after they were declared", export_id, proven, seconds)
        return done.plus(proven, size, seconds)

    interval = make(catalogue).spec.follow_interval
    done = until(deadline, interval, look)
    while begun:
        time.sleep(min(1.0, interval))
        done = look(done)
    return done


def _bytes(one: ConnectorImport) -> int:
    return one.run.manifest.totals.bytes
