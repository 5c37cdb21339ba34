"""Which segments of a backup in progress are finished: small objects beside it, from which a killed export goes on."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from kafka_ferry.backup.layout import journal_prefix
from kafka_ferry.backup.manifest import Segment
from kafka_ferry.hooks.object_store import ObjectStore

Partition = tuple[str, int]

_SOON_BYTES = 1024 * 1024  # a segment of that size is worth a request of its own
_SOON_SECONDS = 0.5


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
            self._store.put(f"{self._prefix}{uuid.uuid4().hex}.json", json.dumps(self._waiting).encode())
            self._waiting = []
        self._written = time.monotonic()


def read_journal(store: ObjectStore, backup: str, backup_id: str) -> dict[Partition, list[Segment]]:
    """Finished segments by partition, of all tries, in no order."""
    found: dict[Partition, list[Segment]] = {}
    keys = [entry.key for entry in store.list(journal_prefix(backup, backup_id))]
    with ThreadPoolExecutor(8, thread_name_prefix="journal") as pool:
        for piece in pool.map(store.get, keys):
            for line in json.loads(piece):
                _take(found, line)
    return found


def _take(found: dict[Partition, list[Segment]], line: Mapping[str, object]) -> None:
    at = str(line["topic"]), int(str(line["partition"]))
    found.setdefault(at, []).append(Segment.model_validate(line["segment"]))


def drop_journal(store: ObjectStore, backup: str, backup_id: str) -> None:
    """Remove the journal of a backup that is COMPLETE, or given up."""
    store.delete(entry.key for entry in list(store.list(journal_prefix(backup, backup_id))))
