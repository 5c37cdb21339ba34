"""Which names runs share that write or read one place, so that only one may work on each at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka_ferry.jobs.common.run_lock import SharedName

if TYPE_CHECKING:
    from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook


def stored_name(param: str, name: str, location: str) -> SharedName:
    """Backups, or exports, of one name in one place build on each other."""
    return SharedName(param, name, f"store/{location.rstrip('/')}/{name}")


def read_name(param: str, name: str, location: str, target: KafkaClusterHook) -> SharedName:
    """Two that bring one backup, or export, into a cluster would append what the other did not know of yet."""
    return SharedName(param, name, f"into/{target.admin.describe_cluster().cluster_id}/{location.rstrip('/')}/{name}")
