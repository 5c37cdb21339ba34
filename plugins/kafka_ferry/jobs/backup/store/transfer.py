"""Copy exports to another location, region or account, by their manifests. Free of Airflow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectTooLarge
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.layout import manifest_key
from kafka_ferry.jobs.backup.rules.manifest import Manifest, SchemasPart, Segment
from kafka_ferry.jobs.backup.rules.manifest_check import MANIFEST_BYTES
from kafka_ferry.jobs.backup.store.presence import absent
from kafka_ferry.records.damage import DamagedSegment

_AT_ONCE = 4  # objects on their way: so many segments as they are stored is the memory


@dataclass(frozen=True)
class Transferred:
    """What one call copied; what was there already is not in it."""

    objects: int = 0
    bytes: int = 0


def transfer(source: ObjectStore, target: ObjectStore, chain: Sequence[Manifest]) -> Transferred:
    """Copy the manifests of a chain with all they point to, through this process, each manifest after its objects.

    Which objects there are is what the manifests say, never a listing. Each is compared with its SHA-256 on the way.

    :param chain: COMPLETE manifests, the full one first.
    :raises DamagedSegment: an object is missing, or not what was written.
    """
    done = Transferred()
    for manifest in chain:
        key = manifest_key(manifest.backup, manifest.backup_id)
        data = _as_stored(source, manifest, key)
        if _is_there(target, key, data):
            continue
        wanted: dict[str, Segment | SchemasPart] = {
            segment.key: segment for _, _, segment in manifest.segments() if segment.key
        }
        if manifest.schemas:
            wanted[manifest.schemas.key] = manifest.schemas
        left = absent(target, manifest.backup, wanted.values())
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="transfer") as pool:
            for size in pool.map(partial(_copy, source, target), [wanted[name] for name in left]):
                done = Transferred(done.objects + 1, done.bytes + size)
        # What was there already may have been pruned meanwhile with another copy that had it.
        gone = absent(target, manifest.backup, wanted.values())
        if gone:
            raise TransientError(f"{target.location}: another run is pruning there; missing: {', '.join(gone[:5])}")
        target.put(key, data)
    return done


def _as_stored(source: ObjectStore, manifest: Manifest, key: str) -> bytes:
    """Its very bytes: who only checks signatures could not sign it again."""
    data = source.get(key, MANIFEST_BYTES)
    if Manifest.from_bytes(data, key, source.signer) != manifest:
        raise TransientError(f"{source.location}: {key} has changed since it was read a moment ago")
    return data


def _is_there(target: ObjectStore, key: str, data: bytes) -> bool:
    try:
        return target.get(key, len(data)) == data
    except (ObjectMissing, ObjectTooLarge):
        return False


def _copy(source: ObjectStore, target: ObjectStore, segment: Segment | SchemasPart) -> int:
    assert segment.key is not None  # noqa: S101  # only such are asked for
    try:
        data = source.get(segment.key, segment.size)
    except ObjectTooLarge:
        raise DamagedSegment(f"{segment.key}: the object is larger than the {segment.size} bytes written") from None
    except ObjectMissing:
        raise DamagedSegment(f"{segment.key}: the object is missing") from None
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise DamagedSegment(f"{segment.key}: its SHA-256 is not the manifest's")
    target.put(segment.key, data)
    return len(data)
