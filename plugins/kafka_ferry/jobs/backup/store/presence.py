"""Which objects are there, in which size. Free of Airflow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.layout import data_prefix
from kafka_ferry.jobs.backup.rules.manifest import Segment


class Stored(Protocol):
    """An object that a manifest points to."""

    @property
    def key(self) -> str | None: ...
    @property
    def size(self) -> int: ...


_FEW = 200  # beyond that one listing, a thousand a request, asks less than a request for each


def sizes(store: ObjectStore, backup: str, keys: Collection[str]) -> dict[str, int]:
    """Bytes of those objects of a backup that are there."""
    if len(keys) > _FEW:
        listed = {entry.key: entry.size for entry in store.list(data_prefix(backup))}
        beside = [key for key in keys if not key.startswith(data_prefix(backup))]
        return listed | (sizes(store, backup, beside) if len(beside) <= _FEW else {})
    with ThreadPoolExecutor(8, thread_name_prefix="sizes") as pool:
        found = zip(keys, pool.map(store.size, keys), strict=True)
        return {key: size for key, size in found if size is not None}


def absent(store: ObjectStore, backup: str, segments: Iterable[Stored]) -> list[str]:
    """Keys whose objects are not there in the size that was written, in order."""
    wanted = {segment.key: segment.size for segment in segments if segment.key}
    there = sizes(store, backup, wanted)
    return [key for key, size in wanted.items() if there.get(key) != size]


def still_there(
    store: ObjectStore, backup: str, journal: Mapping[Partition, Sequence[Segment]]
) -> tuple[dict[Partition, list[Segment]], list[str]]:
    """The finished segments whose objects are there, and the keys of the others.

    An object may go after it was noted: another backup had the same bytes under the same key, and was pruned.
    """
    gone = absent(store, backup, (one for segments in journal.values() for one in segments))
    lost = set(gone)
    left = {at: [one for one in segments if one.key not in lost] for at, segments in journal.items()}
    return left, gone
