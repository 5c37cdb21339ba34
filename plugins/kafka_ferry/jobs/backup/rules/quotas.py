"""Client quotas as a manifest has them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kafka_ferry.core.quotas import Entity, Quota
from kafka_ferry.jobs.backup.rules.manifest import EntityQuotas

NOT_READ: Final = "client quotas are not in this backup"
"""Of a note that says why."""


def by_entity(quotas: Iterable[Quota]) -> list[EntityQuotas]:
    """For a manifest, in an order that does not change from one backup to the next."""
    found: dict[Entity, dict[str, float]] = {}
    for quota in sorted(quotas, key=str):
        found.setdefault(quota.entity, {})[quota.key] = quota.value
    return [EntityQuotas(entity=dict(entity), values=values) for entity, values in found.items()]


def quotas_of(noted: Iterable[EntityQuotas]) -> list[Quota]:
    """Those of a manifest."""
    return [Quota.of(one.entity, key, value) for one in noted for key, value in one.values.items()]
