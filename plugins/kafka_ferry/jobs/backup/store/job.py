"""What the tasks of a backup run derive their truth from: spec, store, source; asked once per task."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pendulum

from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.data_intervals import backup_id_of, covering
from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec, VerifySpec
from kafka_ferry.jobs.backup.store.around import Around, look_around
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.interval_check import lacks_records_of
from kafka_ferry.jobs.backup.store.process import store_order
from kafka_ferry.jobs.backup.store.transfer import Transferred, transfer
from kafka_ferry.jobs.common.deployment import check_location
from kafka_ferry.jobs.common.signing import signer_of

log = logging.getLogger(__name__)

_SCHEDULED = ("scheduled", "backfill")


class StoreJob:
    """What the three backup DAGs have in common: a location and the backups of one name in it."""

    def __init__(self, spec: BackupSpec | RestoreSpec | VerifySpec) -> None:
        self.store_spec = spec

    @cached_property
    def order(self) -> dict[str, Any]:
        """How a process of ours opens the store; holds secrets."""
        return self._order(self.store_spec.location, self.store_spec.aws_conn_id)

    def _order(self, location: str, aws_conn_id: str | None, param: str = "location") -> dict[str, Any]:
        check_location(location, param)
        settings = store_settings(aws_conn_id) if location.startswith("s3://") else None
        return store_order(location, settings, self.store_spec.patience, signer_of(self.store_spec.signing_conn_id))

    @cached_property
    def store(self) -> ObjectStore:
        return open_store(**self.order)

    @cached_property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.store, self.store_spec.backup)


class BackupJob(StoreJob):
    """One run of ``backup_topics``.

    :param run: Airflow's DAG run.
    """

    def __init__(self, spec: BackupSpec, run: Any) -> None:
        super().__init__(spec)
        self.spec = spec
        self.source = KafkaClusterHook(spec.source_conn_id)
        # A manual run may be without a logical date; ``run_after`` is kept when it is cleared.
        self.tick = run.logical_date or run.run_after
        self.backup_id = backup_id_of(self.tick)
        self._is_scheduled = str(getattr(run.run_type, "value", run.run_type)) in _SCHEDULED

    @property
    def manifest(self) -> Manifest:
        """:raises FerryError: freeze did not run, or the backup was pruned since."""
        found = self.catalogue.read(self.backup_id)
        if found is None:
            raise FerryError(
                f"there is no manifest of backup {self.backup_id!r}. Fix: clear freeze with its downstream tasks"
            )
        return found

    @cached_property
    def copy(self) -> Catalogue | None:
        """The backups at ``copy_to``; None without one."""
        if self.spec.copy_to is None:
            return None
        return Catalogue(
            open_store(**self._order(self.spec.copy_to, self.spec.copy_aws_conn_id, "copy_to")), self.spec.backup
        )

    def look_around(self) -> Around:
        """What the backup has beside topics, groups and ACLs."""
        return look_around(self.source, self.spec)

    def look_at_copy(self) -> None:
        """:raises BadParam: nothing can be copied there. ``BadConnection``: with these keys."""
        try:
            if self.copy is not None:
                self.copy.complete()
        except BadParam as error:
            raise BadParam("copy_to", error.problem, error.fix) from error

    def bring_copy(self) -> Transferred | None:
        """Copy the backup, with all it builds on that is not there yet, each manifest after its objects.

        :raises DamagedSegment: an object is missing, or not what was written.
        """
        if self.copy is None:
            return None
        return transfer(self.store, self.copy.store, self.catalogue.chain(self.backup_id))

    def covered(self, topics: Sequence[str], cluster_id: str) -> Manifest | None:
        """A backup that covers this data interval; None when there is work to do, or this run began its own."""
        if not self._is_scheduled or self.catalogue.read(self.backup_id) is not None:
            return None
        complete, now = self.catalogue.complete(), datetime.now(UTC)
        for found in covering(complete, self.tick, cluster_id, topics, self.spec.isolation_level, now):
            lacking = lacks_records_of(KafkaSurvey.of(self.source), found, self.tick, topics)
            if lacking is None:
                return found
            log.warning("backup %s says it was begun %s, after this data interval, but lacks records of it: %s",
                        found.backup_id, found.created, lacking)  # fmt: skip
        return None

    def record_bytes(self) -> dict[str, float]:
        """Mean bytes of a record by topic, as the newest backups have them."""
        found: dict[str, float] = {}
        for manifest in reversed(list(self.catalogue.complete().values())[-8:]):
            for topic in manifest.topics:
                records = sum(one.records for one in topic.partitions)
                size = sum(segment.bytes for one in topic.partitions for segment in one.segments)
                if records:
                    found.setdefault(topic.name, size / records)
        return found


def backup_job(context: Mapping[str, Any]) -> BackupJob:
    """:raises BadParam: the run's params cannot work."""
    return BackupJob(BackupSpec.from_params(context["params"]), context["dag_run"])


def now() -> str:
    return pendulum.now("UTC").isoformat(timespec="milliseconds")
