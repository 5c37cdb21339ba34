"""A catalogue that reads each manifest once, for those who look every few seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest, State
from kafka_ferry.jobs.backup.rules.order import ordered
from kafka_ferry.jobs.backup.store.catalogue import Catalogue


class KnownCatalogue(Catalogue):
    """What is COMPLETE never changes again, so it is kept; memory: all manifests of one name."""

    def __init__(self, store: ObjectStore, backup: str, param: str = "export") -> None:
        super().__init__(store, backup, param)
        self._known: dict[str, Manifest] = {}

    def manifests(self) -> tuple[dict[str, Manifest], list[str]]:
        keys, damaged = self._keys()
        wanted = [key for key in keys if key not in self._known]
        self._known = {key: one for key, one in self._known.items() if key in set(keys)}
        found = list(self._known.values())
        for key, data in self._read_all(wanted):
            if data is None:  # given up between the listing and now
                continue
            try:
                found.append(manifest := self._parsed(data, key))
            except DamagedManifest as error:
                damaged.append(str(error))
                continue
            if manifest.state is State.COMPLETE:
                self._known[key] = manifest
        return {one.backup_id: one for one in ordered(found, datetime.now(UTC))}, damaged
