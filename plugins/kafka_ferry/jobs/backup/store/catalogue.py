"""The backups of a location: a listing of manifests. Free of Airflow."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from kafka_ferry.core.object_key import key_problem
from kafka_ferry.core.unmatched import did_you_mean
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectsKept
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.layout import (
    check_name,
    data_prefix,
    manifest_key,
    manifests_prefix,
    noted_by_sink,
    schemas_prefix,
    sink_prefix,
    verdict_key,
    verdicts_prefix,
)
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest, State, Totals
from kafka_ferry.jobs.backup.rules.manifest_check import MANIFEST_BYTES
from kafka_ferry.jobs.backup.rules.order import futures, ordered
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup, chain_segments, completed, lineage
from kafka_ferry.jobs.backup.rules.retention import Pruning, prune
from kafka_ferry.jobs.backup.store.export import Exported, ExportRange
from kafka_ferry.jobs.backup.store.journal import drop_journal, journal_keys, read_journal
from kafka_ferry.jobs.backup.store.presence import absent, still_there

log = logging.getLogger(__name__)

_LOOKS = 5
_VERDICT_BYTES = 10_000


class Catalogue:
    """Manifests of one backup name.

    :param backup: the name that backups of one kind share. ``param``: which gives it: ``backup`` or ``export``.
    """

    def __init__(self, store: ObjectStore, backup: str, param: str = "backup") -> None:
        self.store, self.backup, self.param = store, check_name(param, backup), param

    def manifests(self) -> tuple[dict[str, Manifest], list[str]]:
        """All manifests by id, oldest first, and what is wrong with those that are refused."""
        keys, damaged = self._keys()
        found: list[Manifest] = []
        for key, data in self._read_all(keys):
            try:
                if data is not None:
                    found.append(self._parsed(data, key))
            except DamagedManifest as error:
                damaged.append(str(error))
        return {one.backup_id: one for one in ordered(found, datetime.now(UTC))}, damaged

    def _keys(self) -> tuple[list[str], list[str]]:
        """Keys of manifests, and what is wrong with others that are among them."""
        prefix, keys, wrong = manifests_prefix(self.backup), list[str](), list[str]()
        for entry in self.store.list(prefix):
            if not entry.key.endswith(".json"):
                continue
            problem = key_problem(entry.key) or ("it is in a folder" if "/" in entry.key[len(prefix) :] else None)
            if entry.size > MANIFEST_BYTES:
                problem = f"{entry.size} bytes; the largest that is read has {MANIFEST_BYTES}"
            if problem:
                wrong.append(f"{entry.key[:300]!r}: refused: {problem}")
            else:
                keys.append(entry.key)
        return keys, wrong

    def _read_all(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Objects with their keys; None for one that is gone since it was listed."""

        def get(key: str) -> bytes | None:
            try:
                return self.store.get(key, MANIFEST_BYTES)
            except ObjectMissing:
                return None

        with ThreadPoolExecutor(8, thread_name_prefix="manifests") as pool:
            yield from zip(keys, pool.map(get, keys), strict=True)

    def _parsed(self, data: bytes, key: str) -> Manifest:
        return Manifest.from_bytes(data, key, self.store.signer)

    def complete(self) -> dict[str, Manifest]:
        """Only the COMPLETE ones, oldest first. Others are no backups; damaged ones are named in the log."""
        manifests, damaged = self.manifests()
        for problem in damaged:
            log.error("%s", problem)
        return {key: one for key, one in manifests.items() if one.state is State.COMPLETE}

    def chain(self, backup_id: str | None = None) -> list[Manifest]:
        """A backup, by default the latest, with all it builds on, the full one first.

        :raises IncompleteBackup: it, or one of its parents, is not there.
        """
        manifests, refused = self.manifests()
        complete = {key: one for key, one in manifests.items() if one.state is State.COMPLETE}
        for problem in refused:
            log.error("%s", problem)
        try:
            if not complete or (backup_id and backup_id not in complete):
                raise IncompleteBackup(str(self.absent(backup_id, manifests)))
            return lineage(complete, backup_id or next(reversed(complete)))
        except IncompleteBackup as error:
            if not refused:
                raise
            raise IncompleteBackup(f"{error}. Not read: {'; '.join(refused[:5])}") from error

    def absent(self, backup_id: str | None, manifests: Mapping[str, Manifest]) -> BadParam:
        """Why there is nothing COMPLETE, or not this: which param, where was looked, what is of nearly that name."""
        there = {key for key, one in manifests.items() if one.state is State.COMPLETE}
        where, what = f"in {self.store.location}", f"{self.param} {self.backup!r}"
        if backup_id and there:
            begun = ", which was begun but is not COMPLETE" if backup_id in manifests else ""
            newest = ", ".join([key for key in manifests if key in there][-5:])
            hint = f"{did_you_mean(backup_id, there)}{begun}"
            problem = f"{what} {where} has no {backup_id!r}{hint}"
            return BadParam(f"{self.param}_id", problem, f"one of its ids; the newest: {newest}")
        if manifests:
            problem = f"{what} {where} has only backups that are not COMPLETE: {', '.join(list(manifests)[-3:])}"
            return BadParam(
                self.param, problem, "wait until the run that makes it has ended, or clear its failed tasks"
            )
        names = self.store.folders()
        some = ", ".join(names[:10]) + (", …" if len(names) > 10 else "") or "none"
        fix = f"correct {self.param} or location; available: {some}"
        return BadParam(self.param, f"there is no {what} {where}{did_you_mean(self.backup, names)}", fix)

    def oddities(self) -> list[str]:
        """What a plan should say of the manifests: those that are refused, and those from the future."""
        manifests, refused = self.manifests()
        return [*(f"left out: {problem}" for problem in refused), *futures(manifests, datetime.now(UTC))]

    def read(self, backup_id: str) -> Manifest | None:
        """One manifest in any state.

        :raises DamagedManifest: it is there, and not what was written.
        """
        key = manifest_key(self.backup, backup_id)
        try:
            return self._parsed(self.store.get(key, MANIFEST_BYTES), key)
        except ObjectMissing:
            return None

    def write(self, manifest: Manifest) -> None:
        self.store.put(manifest_key(self.backup, manifest.backup_id), manifest.to_bytes(self.store.signer))

    def ranges_left(self, manifest: Manifest) -> list[ExportRange]:
        """What is left to export of a backup: segments that are finished, and still there, are not copied again."""
        if manifest.state is State.COMPLETE:  # its journal is gone
            return []
        journal, gone = still_there(self.store, self.backup, read_journal(self.store, manifest))
        for key in gone:
            log.warning("%s was finished but no longer exists: it is exported again", key)
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
        """Declare a backup COMPLETE, when every range is covered by finished segments whose objects are there.

        :param exported: what the shards of this try wrote.
        :raises IncompleteBackup: it is not; nothing is changed.
        """
        journal, gone = still_there(self.store, self.backup, read_journal(self.store, manifest))
        totals = Totals(seconds=max(0.0, seconds), puts=sum(one.puts for one in exported))
        if manifest.schemas and absent(self.store, self.backup, [manifest.schemas]):
            raise IncompleteBackup(
                f"{manifest.schemas.key}, with the registry's schemas, is not there any more. Fix: start a new backup"
            )
        try:
            done = completed(manifest.model_copy(update={"totals": totals}), journal, now)
        except IncompleteBackup as error:
            if not gone:
                raise
            raise IncompleteBackup(
                f"{error}. {len(gone)} object(s) that were written no longer exist, or have another size: "
                f"{', '.join(gone[:5])}"
            ) from error
        done = done.model_copy(update={"state": State.COMPLETE})
        self.write(done)
        drop_journal(self.store, self.backup, manifest.backup_id)
        return done

    def pruning(self, keep_last: int | None, keep_days: float | None, now: datetime) -> Pruning:
        """What ``keep_last`` and ``keep_days`` would delete.

        :raises DamagedManifest: one cannot be read, so that nobody knows what it needs: nothing may go.
        """
        manifests, noted = self._whole()
        known = list(manifests.values())
        found = prune(known, keep_last, keep_days, now, noted)
        locked = self._locked(found, manifests)
        return prune(known, keep_last, keep_days, now, noted, locked) if locked else found

    def _locked(self, pruning: Pruning, manifests: Mapping[str, Manifest]) -> dict[str, str]:
        """By id, why objects of backups that would go have to stay. Segments are looked at only where locks may be."""
        keys = {backup_id: manifest_key(self.backup, backup_id) for backup_id in pruning.delete}
        if not keys:
            return {}
        locks = dict(self.store.locks(keys.values()))
        if locks or self.store.locking():
            locks |= self.store.locks(sorted(pruning.keys))
        found = {}
        for backup_id, key in keys.items():
            own = [key, *sorted(manifests[backup_id].keys())]  # a method of ours
            if held := [(one, locks[one]) for one in own if one in locks]:
                more = f", and {number_of(len(held) - 1, 'more object')}" if len(held) > 1 else ""
                found[backup_id] = f"{held[0][1]} ({held[0][0]}{more})"
        return found

    def _whole(self) -> tuple[dict[str, Manifest], dict[str, set[str]]]:
        """All manifests, and what the journals of unfinished ones name: together all that is needed.

        :raises DamagedManifest: one is refused. ``TransientError``: others finish faster than this reads.
        """
        for _ in range(_LOOKS):
            manifests, damaged = self.manifests()
            if damaged:
                raise DamagedManifest(f"nothing is pruned while a manifest is damaged: {'; '.join(damaged)}")
            noted = journal_keys(self.store, manifests.values())
            # One that was finished meanwhile has lost its journal, maybe before it was read.
            if all(self.read(backup_id) == manifests[backup_id] for backup_id in noted):
                return manifests, noted
        raise TransientError(f"{self.store.location}: backups {self.backup!r} keep changing while they are read")

    def _needed(self) -> set[str]:
        # Notes before the manifests: one that is gone when it is looked for is in a manifest by then.
        notes = [entry.key for entry in self.store.list(sink_prefix(self.backup))]
        sink = {key for note in notes for key in noted_by_sink(self.backup, note)}
        manifests, noted = self._whole()
        own = {key for one in manifests.values() for key in one.keys()}  # noqa: SIM118  # a method of ours
        return own.union(*noted.values(), sink)

    def delete(self, pruning: Pruning) -> dict[str, str]:
        """Delete manifests first: should this be cut short, no manifest points to what is gone.

        What is needed is asked again then: a backup that is at work may have noted one of these objects meanwhile.

        :return: key to why, of what the store did not let go all the same.
        """
        kept = dict[str, str]()
        for backup_id in pruning.delete:
            try:
                self.store.delete([manifest_key(self.backup, backup_id)])
            except ObjectsKept as error:
                kept |= error.kept
                break  # what follows may be what it goes on from
            try:
                self.store.delete([verdict_key(self.backup, backup_id)])
                drop_journal(self.store, self.backup, backup_id)
            except ObjectsKept as error:
                kept |= error.kept
        try:
            self.delete_objects(pruning.keys)
        except ObjectsKept as error:
            kept |= error.kept
        locks = self.store.locks(kept)
        return {key: f"{why}, {locks[key]}" if key in locks else why for key, why in kept.items()}

    def delete_objects(self, keys: Collection[str]) -> None:
        """Delete those objects that no backup and no journal points to."""
        if keys:
            self.store.delete(sorted(set(keys) - self._needed()))

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """By backup id, what was last found of it: ``{"verdict": "PASS" | "FAIL", "kind", "at"}``.

        They are notes for people, unsigned: one that is none is left out.
        """
        prefix = verdicts_prefix(self.backup)
        keys = [one.key for one in self.store.list(prefix) if one.size <= _VERDICT_BYTES and not key_problem(one.key)]
        found = {}
        for key, data in self._read_all(keys):
            told = _verdict(data or b"")
            if told is None:
                log.warning("%s is not a verdict: left out", key)
            else:
                found[key.removeprefix(prefix).removesuffix(".json")] = told
        return found

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
        prefixes = (data_prefix(self.backup), schemas_prefix(self.backup))
        stored = [
            entry for prefix in prefixes for entry in self.store.list(prefix)
        ]  # first: what comes after it is not looked at
        needed = self._needed()
        return {entry.key: entry.size for entry in stored if entry.key not in needed}


def _verdict(data: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(data)
        return {name: str(told[name])[:40] for name in ("verdict", "kind", "at")}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
