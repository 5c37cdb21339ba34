"""The schemas of a backup in its store: written before the manifest that names them, and read again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from kafka_ferry.core.checks import Check
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectTooLarge
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.manifest import Manifest, SchemasPart
from kafka_ferry.jobs.backup.rules.schemas import lost_references, registry_check, unpack
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.records.damage import DamagedSegment


def keep_schemas(store: ObjectStore, part: SchemasPart, data: bytes) -> None:
    """Write the object, unless it is there."""
    try:
        if hashlib.sha256(store.get(part.key, part.size)).hexdigest() == part.sha256:
            return
    except (ObjectMissing, ObjectTooLarge):
        pass
    store.put(part.key, data)


def read_schemas(store: ObjectStore, part: SchemasPart) -> tuple[RegistryState, set[tuple[str, int]]]:
    """As :func:`unpack`.

    :raises DamagedSegment: it is not there, or not what was written.
    """
    try:
        data = store.get(part.key, part.size)
    except ObjectTooLarge:
        raise DamagedSegment(f"{part.key}: the object is larger than the {part.size} bytes written") from None
    except ObjectMissing:
        raise DamagedSegment(f"{part.key}: the object is missing") from None
    return unpack(part, data)


def check_schemas(store: ObjectStore, manifests: Iterable[Manifest], *, why_none: str) -> tuple[Check, set[str]]:
    """Read the schemas of backups, each object once; the check ``registry``, and keys of objects that are damaged."""
    parts = {one.schemas.key: one.schemas for one in manifests if one.schemas}
    problems, before, damaged = list[str](), list[str](), set[str]()
    for key, part in parts.items():
        try:
            lost, known = lost_references(*read_schemas(store, part))
        except DamagedSegment as error:
            lost, known = [str(error)], []
        problems += lost
        before += known
        if lost:
            damaged.add(key)
    return registry_check(list(parts.values()), problems, before, why_none=why_none), damaged
