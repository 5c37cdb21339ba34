"""A catalogue that reads each manifest once, for those who look every few seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kafka_ferry.backup.layout import manifests_prefix
from kafka_ferry.backup.manifest import DamagedManifest, Manifest, State
from kafka_ferry.hooks.backup.catalogue import Catalogue
from kafka_ferry.hooks.object_store import ObjectMissing, ObjectStore


class KnownCatalogue(Catalogue):
    """What is COMPLETE never changes again, so it is kept; memory: all manifests of one name."""

    def __init__(self, store: ObjectStore, backup: str) -> None:
        super().__init__(store, backup)
        self._known: dict[str, Manifest] = {}

    def manifests(self) -> tuple[dict[str, Manifest], list[str]]:
        keys = [one.key for one in self.store.list(manifests_prefix(self.backup)) if one.key.endswith(".json")]
        wanted = [key for key in keys if key not in self._known]
        with ThreadPoolExecutor(8, thread_name_prefix="manifests") as pool:
            contents = list(pool.map(self._get, wanted))
        self._known = {key: one for key, one in self._known.items() if key in set(keys)}
        found, damaged = list(self._known.values()), []
        for key, data in zip(wanted, contents, strict=True):
            if data is None:  # given up between the listing and now
                continue
            try:
                found.append(manifest := Manifest.from_bytes(data, key))
            except DamagedManifest as error:
                damaged.append(str(error))
                continue
            if manifest.state is State.COMPLETE:
                self._known[key] = manifest
        found.sort(key=lambda one: (one.created, one.backup_id))
        return {one.backup_id: one for one in found}, damaged

    def _get(self, key: str) -> bytes | None:
        try:
            return self.store.get(key)
        except ObjectMissing:
            return None
