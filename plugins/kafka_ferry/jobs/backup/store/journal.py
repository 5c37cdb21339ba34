"""Which segments of a backup in progress are finished: small objects beside it, from which a killed export resumes."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectTooLarge
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.layout import journal_prefix
from kafka_ferry.jobs.backup.rules.manifest import (
    DamagedManifest,
    Manifest,
    PartitionBackup,
    Segment,
    State,
    TopicBackup,
    parsed,
)
from kafka_ferry.jobs.backup.rules.manifest_check import MANIFEST_BYTES, segment_claim

_SOON_BYTES = 1024 * 1024  # a segment of that size is worth a request of its own
_SOON_SECONDS = 0.5
_FIX = "Fix: delete that object; what it lists is copied again"


class Journal:
    """Notes segments as they are finished. Thread-safe.

    A segment above 1 MB is noted at once, smaller ones together, at the latest with the next one half a second later:
    so a kill costs at most that much copying, and 2,000 small partitions do not cost 2,000 requests more.
    """

    def __init__(self, store: ObjectStore, backup: str, backup_id: str) -> None:
        self._store, self._prefix = store, journal_prefix(backup, backup_id)
        self._lock = threading.Lock()
        self._waiting: list[dict[str, object]] = []
        self._written = time.monotonic()

    def note(self, at: Partition, segment: Segment) -> None:
        """Note one segment, whose object is there already."""
        with self._lock:
            self._waiting.append({"topic": at[0], "partition": at[1], "segment": segment.model_dump(mode="json")})
            if segment.size >= _SOON_BYTES or time.monotonic() - self._written >= _SOON_SECONDS:
                self._write()

    def flush(self) -> None:
        """Write down what waits."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._waiting:
            key = f"{self._prefix}{uuid.uuid4().hex}.json"
            signer = self._store.signer
            piece: Any = self._waiting
            if signer is not None:
                piece = {"signature": signer.sign(self._prefix, piece), "segments": piece}
            self._store.put(key, json.dumps(piece).encode())
            self._waiting = []
        self._written = time.monotonic()


def read_journal(store: ObjectStore, manifest: Manifest) -> dict[Partition, list[Segment]]:
    """Finished segments of an unfinished backup by partition, of all tries, in no order.

    :raises DamagedManifest: a piece says what cannot be, is not signed where it must be, or is none.
    """
    found: dict[Partition, list[Segment]] = {}
    places = {(topic.name, one.partition): (topic, one) for topic, one in manifest.partitions()}
    keys = [entry.key for entry in store.list(journal_prefix(manifest.backup, manifest.backup_id))]

    def get(key: str) -> bytes:
        try:
            return store.get(key, MANIFEST_BYTES)
        except ObjectMissing as error:
            raise TransientError(f"{key}: disappeared while the journal was read: another run finished it") from error
        except ObjectTooLarge as error:
            raise DamagedManifest(f"{key}: refused: {error}. {_FIX}") from error

    with ThreadPoolExecutor(8, thread_name_prefix="journal") as pool:
        for key, data in zip(keys, pool.map(get, keys), strict=True):
            for line in _lines(store, manifest, key, data):
                _take(found, line, manifest.backup, places, key)
    return found


def _lines(store: ObjectStore, manifest: Manifest, key: str, data: bytes) -> list[Any]:
    piece = parsed(data, key)
    signed: dict[str, Any] = piece if isinstance(piece, dict) else {"segments": piece}
    piece, signature = signed.get("segments"), signed.get("signature")
    if not isinstance(piece, list):
        raise DamagedManifest(f"{key}: damaged, it is not part of a journal. {_FIX}")
    if store.signer is not None:
        problem = store.signer.problem(journal_prefix(manifest.backup, manifest.backup_id), piece, signature)
        if problem:
            raise DamagedManifest(f"{key}: refused, it {problem}. {_FIX}")
    return piece


def _take(
    found: dict[Partition, list[Segment]],
    line: Any,
    backup: str,
    places: Mapping[Partition, tuple[TopicBackup, PartitionBackup]],
    key: str,
) -> None:
    try:
        at = str(line["topic"]), int(line["partition"])
        segment = Segment.model_validate(line["segment"])
        topic, partition = places[at]
    except (KeyError, TypeError, ValueError) as error:  # pydantic's are ValueErrors
        raise DamagedManifest(
            f"{key}: refused, a line of it cannot be parsed ({type(error).__name__}). {_FIX}"
        ) from None
    problem = segment_claim(backup, topic, partition, segment)
    if problem:
        raise DamagedManifest(f"{key}: refused, it is inconsistent: {problem}. {_FIX}")
    found.setdefault(at, []).append(segment)


def journal_keys(store: ObjectStore, manifests: Iterable[Manifest]) -> dict[str, set[str]]:
    """Id of each unfinished backup to the objects that its journal names.

    :raises DamagedManifest: as :func:`read_journal`: nobody knows what it needs.
    """
    return {
        one.backup_id: {
            segment.key for segments in read_journal(store, one).values() for segment in segments if segment.key
        }
        for one in manifests
        if one.state is not State.COMPLETE
    }


def drop_journal(store: ObjectStore, backup: str, backup_id: str) -> None:
    """Remove the journal of a backup that is COMPLETE, or given up."""
    store.delete(entry.key for entry in list(store.list(journal_prefix(backup, backup_id))))
