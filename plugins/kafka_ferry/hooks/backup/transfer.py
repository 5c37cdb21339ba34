"""Copy exports to another location, region or account, by their manifests. Free of Airflow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kafka_ferry.backup.layout import data_prefix, manifest_key
from kafka_ferry.backup.manifest import Manifest, Segment
from kafka_ferry.backup.segment import DamagedSegment
from kafka_ferry.hooks.object_store import ObjectMissing, ObjectStore

_AT_ONCE = 4  # objects on their way: so many segments as they are stored is the memory


@dataclass(frozen=True)
class Transferred:
    """What one call copied; what was there already is not in it."""

    objects: int = 0
    bytes: int = 0


def transfer(source: ObjectStore, target: ObjectStore, chain: Sequence[Manifest]) -> Transferred:
    """Copy the manifests of a chain with all they point to, through this process, each manifest after its objects.

    Which objects there are is what the manifests say, never a listing. Each is held against its SHA-256 on the way.

    :param chain: COMPLETE manifests, the full one first.
    :raises DamagedSegment: an object is missing, or not what was written.
    """
    done = Transferred()
    for manifest in chain:
        key = manifest_key(manifest.backup, manifest.backup_id)
        data = manifest.to_bytes()
        if _is_there(target, key, data):
            continue
        there = {one.key: one.size for one in target.list(data_prefix(manifest.backup))}
        wanted = {segment.key: segment for _, _, segment in manifest.segments() if segment.key}
        left = [segment for name, segment in wanted.items() if there.get(name) != segment.size]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="transfer") as pool:
            for size in pool.map(lambda segment: _copy(source, target, segment), left):
                done = Transferred(done.objects + 1, done.bytes + size)
        target.put(key, data)
    return done


def _is_there(target: ObjectStore, key: str, data: bytes) -> bool:
    try:
        return target.get(key) == data
    except ObjectMissing:
        return False


def _copy(source: ObjectStore, target: ObjectStore, segment: Segment) -> int:
    assert segment.key is not None  # noqa: S101  # only such are asked for
    try:
        data = source.get(segment.key)
    except ObjectMissing:
        raise DamagedSegment(f"{segment.key}: the object is missing") from None
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise DamagedSegment(f"{segment.key}: its SHA-256 is not the manifest's")
    target.put(segment.key, data)
    return len(data)
