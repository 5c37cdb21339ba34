"""One export from its params to its proof: freeze, copy in shards, COMPLETE, read back. Free of Airflow."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.layout import manifest_key
from kafka_ferry.jobs.backup.rules.manifest import Manifest, Segment, State
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.export import Exported, ExportRange, cores
from kafka_ferry.jobs.backup.store.freeze import begin_backup, plan_backup
from kafka_ferry.jobs.backup.store.journal import drop_journal, journal_keys
from kafka_ferry.jobs.backup.store.known import KnownCatalogue
from kafka_ferry.jobs.backup.store.work import added, in_processes
from kafka_ferry.jobs.s3.s3_spec import ExportSpec
from kafka_ferry.records.sharding import MAX_SHARDS, shard

_RECORD_BYTES = 1000  # a guess that is good enough to say how many tasks there shall be


@dataclass(frozen=True)
class ExportRun:
    """One export. Every step asks cluster and store again and may be repeated.

    :param config: the source connection's extra. ``store_order``: how a child process opens the store.
    :param export_id: of this run; a retry has the same one.
    """

    admin: KafkaAdmin
    config: Mapping[str, Any]
    store: ObjectStore
    store_order: Mapping[str, Any]
    spec: ExportSpec
    export_id: str

    @property
    def catalogue(self) -> Catalogue:
        return KnownCatalogue(self.store, self.spec.export)

    def place(self, topic: str) -> str:
        """Where its objects are, for people."""
        return f"{self.spec.location.rstrip('/')}/{self.spec.export}/data/{topic}/"

    def plan(self) -> Manifest:
        """What would be exported now. Writes nothing.

        :raises BadParam: nothing matches ``topics``.
        """
        return plan_backup(self.admin, self.catalogue, self.spec.backup(), self.export_id, now())

    def begin(self) -> Manifest:
        """Freeze the ranges and write the manifest, or find it when a try before this one did."""
        return begin_backup(self.admin, self.catalogue, self.spec.backup(), self.export_id, now())

    def manifest(self) -> Manifest:
        """:raises FerryError: it has not begun."""
        found = self.catalogue.read(self.export_id)
        if found is None:
            raise FerryError(f"export {self.export_id!r} has no manifest. Fix: clear freeze with its downstream tasks")
        return found

    def run_shard(self, mine: Collection[Partition]) -> dict[str, float]:
        """Export what is left of these partitions; sums of what this try wrote."""
        manifest, wanted = self.manifest(), set(mine)
        if manifest.state is State.COMPLETE:
            return {}
        left = [one for one in self.catalogue.ranges_left(manifest) if one.at in wanted]

        def order(some: Sequence[ExportRange]) -> dict[str, Any]:
            return {
                "kind": "export",
                "config": dict(self.config),
                "store": dict(self.store_order),
                "backup": manifest.backup,
                "backup_id": manifest.backup_id,
                "isolation_level": manifest.isolation_level,
                "ranges": [one.to_json() for one in some],
                "segment_bytes": self.spec.segment_mb * 1_000_000,
                "buffer_bytes": 3 * self.spec.segment_mb * 1_000_000,
                "format": self.spec.format,
            }

        width = cores(self.config, left, self.spec.written)
        return added(in_processes(left, lambda one: (one.end - one.begin) * _RECORD_BYTES, order, width))

    def finish(self, exported: Sequence[Exported] = ()) -> Manifest:
        """Declare it COMPLETE.

        :param exported: what the shards of this try wrote.
        :raises IncompleteBackup: a range is not covered.
        """
        manifest = self.manifest()
        if manifest.state is State.COMPLETE:
            return manifest
        seconds = datetime.now(UTC) - manifest.created_at
        return self.catalogue.finish(manifest, now(), exported, round(seconds.total_seconds(), 3))

    def verify_shard(self, mine: Collection[Partition]) -> list[dict[str, Any]]:
        """Read the objects of these partitions back; what is damaged."""
        wanted = set(mine)
        segments = [
            (topic.name, partition.partition, segment)
            for topic, partition, segment in self.manifest().segments()
            if (topic.name, partition.partition) in wanted and segment.key
        ]

        def order(some: Sequence[tuple[str, int, Segment]]) -> dict[str, Any]:
            lines = [[topic, number, segment.model_dump(mode="json")] for topic, number, segment in some]
            return {"kind": "verify", "store": dict(self.store_order), "segments": lines}

        answers = in_processes(segments, lambda one: one[2].bytes, order)
        return [damage for answer in answers for damage in answer["damage"]]

    def discard_unfinished(self, catalogue: Catalogue) -> list[str]:
        """Remove what followers of this run left that were killed: it is no export, and the next one begins before it.

        :param catalogue: the caller's, which knows most manifests already.
        :return: the ids.
        """
        manifests, _ = catalogue.manifests()
        gone = []
        for backup_id, manifest in manifests.items():
            increment = re.fullmatch(rf"{re.escape(self.export_id)}{FOLLOWED}[0-9T]+Z", backup_id)
            if manifest.state is State.COMPLETE or not increment:
                continue
            noted = journal_keys(self.store, [manifest])
            self.store.delete([manifest_key(manifest.backup, backup_id)])
            drop_journal(self.store, manifest.backup, backup_id)
            catalogue.delete_objects(noted[backup_id])
            gone.append(backup_id)
        return gone


FOLLOWED = "-f"
"""Stands in an export's id between its run's and the time of one of the increments that follow it."""


def shards_of(manifest: Manifest) -> list[list[Partition]]:
    """The partitions of each mapped task: at least one task, at most 64. Empty ranges need none."""
    weighed = [
        ((topic.name, one.partition), (one.end - one.begin) * _RECORD_BYTES)
        for topic, one in manifest.partitions()
        if one.end > one.begin
    ]
    return shard(weighed, MAX_SHARDS) or [[]]


def now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(UTC).isoformat()
