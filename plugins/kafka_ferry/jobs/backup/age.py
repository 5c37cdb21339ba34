"""How old the youngest backup of a name is, for the deployment's metrics."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kafka_ferry.core.checks import BackupLine, Status
from kafka_ferry.jobs.backup.rules.archive import backup_lines
from kafka_ferry.jobs.common.metrics import JobMetrics, Measure

if TYPE_CHECKING:
    from kafka_ferry.jobs.backup.store.catalogue import Catalogue

log = logging.getLogger(__name__)


def tell_age(dag_id: str, backup: str, lines: Iterable[BackupLine]) -> None:
    """A backup has what was in the logs when it was begun, so its age counts from then.

    :param lines: of the name ``backup``; those that are unfinished or known to be damaged count for nothing.
    """
    good = (datetime.fromisoformat(line.created) for line in lines if line.status is Status.PASS)
    youngest = max(good, default=None)
    if youngest is not None:
        age = (datetime.now(UTC) - youngest).total_seconds()
        JobMetrics(dag_id, backup).tell({Measure.BACKUP_TIME: youngest.timestamp(), Measure.BACKUP_AGE: age})


def tell_age_in(catalogue: Catalogue, dag_id: str, backup: str) -> None:
    """The same of what a store has. A store that does not answer fails nothing here."""
    try:
        tell_age(dag_id, backup, backup_lines(catalogue.manifests()[0], catalogue.verdicts()))
    except Exception:
        log.exception("How old the youngest backup is could not be told to the metrics")
