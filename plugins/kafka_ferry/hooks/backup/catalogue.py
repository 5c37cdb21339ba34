"""The backups of a location: a listing of manifests. Free of Airflow."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from kafka_ferry.backup.layout import (
    check_name,
    data_prefix,
    journal_prefix,
    manifest_key,
    manifests_prefix,
    verdict_key,
    verdicts_prefix,
)
from kafka_ferry.backup.manifest import DamagedManifest, Manifest, State, Totals
from kafka_ferry.backup.ranges import chain_segments, completed, lineage
from kafka_ferry.backup.retention import Pruning, prune
from kafka_ferry.hooks.backup.export import Exported, ExportRange
from kafka_ferry.hooks.backup.journal import drop_journal, read_journal
from kafka_ferry.hooks.object_store import ObjectMissing, ObjectStore

log = logging.getLogger(__name__)


class Catalogue:
    """Manifests of one backup name.

    :param backup: the name that backups of one kind share.
    """

    def __init__(self, store: ObjectStore, backup: str) -> None:
        self.store, self.backup = store, check_name("backup", backup)

    def manifests(self) -> tuple[dict[str, Manifest], list[str]]:
        """All manifests by id, oldest first, and what is wrong with those that cannot be read."""
        prefix = manifests_prefix(self.backup)
        keys = [entry.key for entry in self.store.list(prefix) if entry.key.endswith(".json")]
        with ThreadPoolExecutor(8, thread_name_prefix="manifests") as pool:
            contents = list(pool.map(self.store.get, keys))
        found: list[Manifest] = []
        damaged: list[str] = []
        for key, data in zip(keys, contents, strict=True):
            try:
                found.append(Manifest.from_bytes(data, key))
            except DamagedManifest as error:
                damaged.append(str(error))
        found.sort(key=lambda one: (one.created, one.backup_id))
        return {one.backup_id: one for one in found}, damaged

    def complete(self) -> dict[str, Manifest]:
        """Only the COMPLETE ones, oldest first. Others are no backups; damaged ones are named in the log."""
        manifests, damaged = self.manifests()
        for problem in damaged:
            log.error("%s", problem)
        return {key: one for key, one in manifests.items() if one.state is State.COMPLETE}

    def chain(self, backup_id: str | None = None) -> list[Manifest]:
        """A backup, by default the latest, with all it goes on from, the full one first.

        :raises IncompleteBackup: it, or one of its parents, is not there.
        """
        complete = self.complete()
        return lineage(complete, backup_id or next(reversed(complete), "latest"))

    def read(self, backup_id: str) -> Manifest | None:
        """One manifest in any state.

        :raises DamagedManifest: it is there, and not what was written.
        """
        key = manifest_key(self.backup, backup_id)
        try:
            return Manifest.from_bytes(self.store.get(key), key)
        except ObjectMissing:
            return None

    def write(self, manifest: Manifest) -> None:
        self.store.put(manifest_key(self.backup, manifest.backup_id), manifest.to_bytes())

    def ranges_left(self, manifest: Manifest) -> list[ExportRange]:
        """What is left to export of a backup: segments that are finished are not copied again."""
        if manifest.state is State.COMPLETE:  # its journal is gone
            return []
        journal = read_journal(self.store, self.backup, manifest.backup_id)
        left = []
        for topic, partition in manifest.partitions():
            done = journal.get((topic.name, partition.partition), ())
            _, begin = chain_segments(partition.begin, partition.end, done)
            if begin < partition.end:
                left.append(
                    ExportRange(topic.name, topic.topic_id, partition.partition, begin, partition.end, topic.compacted)
                )
        return left

    def finish(self, manifest: Manifest, now: str, exported: Sequence[Exported] = (), seconds: float = 0) -> Manifest:
        """Declare a backup COMPLETE, when every range is covered by finished segments.

        :param exported: what the shards of this try wrote.
        :raises IncompleteBackup: it is not; nothing is changed.
        """
        journal = read_journal(self.store, self.backup, manifest.backup_id)
        puts = sum(one.puts for one in exported)
        done = completed(manifest.model_copy(update={"totals": Totals(seconds=seconds, puts=puts)}), journal, now)
        done = done.model_copy(update={"state": State.COMPLETE})
        self.write(done)
        drop_journal(self.store, self.backup, manifest.backup_id)
        return done

    def pruning(self, keep_last: int | None, keep_days: float | None, now: datetime) -> Pruning:
        """What ``keep_last`` and ``keep_days`` would delete.

        :raises DamagedManifest: one cannot be read, so that nobody knows what it needs: nothing may go.
        """
        manifests, damaged = self.manifests()
        if damaged:
            raise DamagedManifest(f"nothing is pruned while a manifest is damaged: {'; '.join(damaged)}")
        return prune(list(manifests.values()), keep_last, keep_days, now)

    def delete(self, pruning: Pruning) -> None:
        """Delete manifests first: should this be cut short, no manifest points to what is gone."""
        for backup_id in pruning.delete:
            self.store.delete([manifest_key(self.backup, backup_id), verdict_key(self.backup, backup_id)])
            drop_journal(self.store, self.backup, backup_id)
        self.store.delete(sorted(pruning.keys))

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """By backup id, what was last found of it: ``{"verdict": "PASS" | "FAIL", "kind", "at"}``."""
        prefix = verdicts_prefix(self.backup)
        keys = [entry.key for entry in self.store.list(prefix)]
        with ThreadPoolExecutor(8, thread_name_prefix="verdicts") as pool:
            contents = list(pool.map(self.store.get, keys))
        return {
            key.removeprefix(prefix).removesuffix(".json"): json.loads(data)
            for key, data in zip(keys, contents, strict=True)
        }

    def note_verdict(self, backup_id: str, kind: str, verdict: str, now: str) -> None:
        """Keep what was found of a backup, beside it.

        :param kind: ``objects`` (all there, in their size) or ``content`` (all read).
        """
        data = {"verdict": verdict, "kind": kind, "at": now}
        self.store.put(verdict_key(self.backup, backup_id), json.dumps(data).encode())

    def orphans(self) -> Mapping[str, int]:
        """Objects that no manifest and no journal points to, with their sizes: left by tries that were killed.

        Only to be deleted while no export is running.
        """
        manifests, damaged = self.manifests()
        if damaged:
            raise DamagedManifest(f"cannot tell what is needed: {'; '.join(damaged)}")
        needed = {key for one in manifests.values() for key in one.keys()}  # noqa: SIM118  # a method of ours
        for backup_id, manifest in manifests.items():
            if manifest.state is not State.COMPLETE:
                journal = read_journal(self.store, self.backup, backup_id)
                needed |= {segment.key for found in journal.values() for segment in found if segment.key}
        stored = self.store.list(data_prefix(self.backup))
        return {entry.key: entry.size for entry in stored if entry.key not in needed}

    def has_journal(self, backup_id: str) -> bool:
        """Whether segments of a backup in progress are noted."""
        return next(iter(self.store.list(journal_prefix(self.backup, backup_id))), None) is not None
