"""What a backup has beside topics, groups and ACLs: the cluster's client quotas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kafka_ferry.exceptions import NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.jobs.backup.rules.manifest import EntityQuotas
from kafka_ferry.jobs.backup.rules.quotas import NOT_READ, by_entity
from kafka_ferry.jobs.backup.rules.spec import BackupSpec


@dataclass(frozen=True)
class Around:
    """
    :param quotas: of the cluster. ``notes``: what a reader of the manifest should know of them.
    """

    quotas: Sequence[EntityQuotas] = ()
    notes: Sequence[str] = ()


def look_around(source: KafkaClusterHook, spec: BackupSpec) -> Around:
    """As far as the params ask for it. What may not be read, or cannot, is a note: the records are what matters."""
    if not spec.quotas:
        return Around()
    try:
        return Around(by_entity(KafkaQuotas.of(source).quotas()))
    except (NotAuthorized, NotSupported) as error:
        return Around(notes=[f"{NOT_READ}: {error}"])
