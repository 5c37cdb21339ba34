"""Who makes topics on the target of a migration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.provision import check_provisioning
from kafka_ferry.jobs.migration.rules.spec import ProvisionThrough


class TopicAdmin(Protocol):
    """The calls of provisioning; ``KafkaAdmin`` and ``MskTopicsHook`` have them."""

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]: ...

    def create_topics(self, topics: Iterable[DesiredTopic]) -> None: ...

    def grow_partitions(self, partitions: Mapping[str, int]) -> None: ...

    def set_configs(self, configs: Mapping[str, Mapping[str, str]]) -> None: ...

    def wait_until_usable(self, partitions: Iterable[Partition], timeout: float) -> None: ...


def topic_admin(migration: Migration) -> TopicAdmin:
    """By the param ``provision_through``. With MSK's API the target's brokers are not asked at all.

    :raises BadParam: what that way needs is missing.
    """
    spec = migration.spec
    check_provisioning(spec)
    if spec.provision_through is ProvisionThrough.KAFKA or spec.cluster_arn is None:
        return migration.target.admin
    from kafka_ferry.hooks.msk.topics import MskTopicsHook  # boto3 is slow to load, and rarely needed here

    return MskTopicsHook(spec.cluster_arn, aws_conn_id=spec.aws_conn_id)
