"""What a backup has beside topics, groups and ACLs: the cluster's client quotas, and a registry's schemas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kafka_ferry.exceptions import NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.hooks.registry.hook import RegistryHook
from kafka_ferry.jobs.backup.rules.manifest import EntityQuotas, Manifest, SchemasPart
from kafka_ferry.jobs.backup.rules.quotas import NOT_READ, by_entity
from kafka_ferry.jobs.backup.rules.schemas import pack
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.registry.live.reading import RegistryReader


@dataclass(frozen=True)
class Around:
    """
    :param quotas: of the cluster. ``notes``: what a reader of the manifest should know of them.
    :param schemas: of the registry, with the object they are in.
    """

    quotas: Sequence[EntityQuotas] = ()
    notes: Sequence[str] = ()
    schemas: SchemasPart | None = None
    packed: bytes = field(default=b"", repr=False)

    def added_to(self, manifest: Manifest) -> Manifest:
        """The manifest with it."""
        more = {"quotas": list(self.quotas), "schemas": self.schemas, "notes": [*manifest.notes, *self.notes]}
        return manifest.model_copy(update=more)


def look_around(source: KafkaClusterHook, spec: BackupSpec) -> Around:
    """As far as the params ask for it. Quotas that may not be read, or cannot, are a note: nobody has asked for them by
    name.

    :raises RegistryError: the registry cannot be read.
    """
    found = Around()
    if spec.registry_conn_id:
        # With what is deleted: records of before may have its ids.
        state = RegistryReader(RegistryHook(spec.registry_conn_id)).source(lambda _: True, deleted=True)
        part, packed = pack(spec.backup, state)
        found = Around(schemas=part, packed=packed)
    if not spec.quotas:
        return found
    try:
        return replace(found, quotas=by_entity(KafkaQuotas.of(source).quotas()))
    except (NotAuthorized, NotSupported) as error:
        return replace(found, notes=[f"{NOT_READ}: {error}"])
