"""What must change on the target so that it has the source's topics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.retention import is_held
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, ProvisionThrough

# They name brokers of the source; on the target they would name others.
_CLUSTER_BOUND = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")


@dataclass(frozen=True)
class TopicChange:
    """What one target topic needs. ``grow_to`` and ``set_configs`` are empty when nothing differs."""

    desired: DesiredTopic
    action: Action
    grow_to: int | None = None
    set_configs: tuple[tuple[str, str], ...] = ()

    @property
    def change(self) -> Change:
        """The same as a line of the plan."""
        topic = self.desired
        if self.action is Action.CREATE:
            factor = topic.replication_factor or "as the target's default"
            configs = "".join(f", {key}={value}" for key, value in sorted(topic.configs.items()))
            detail = f"{number_of(topic.partitions, 'partition')}, replication factor {factor}{configs}"
        else:
            parts = [f"partitions to {self.grow_to}"] if self.grow_to else []
            detail = ", ".join([*parts, *(f"{key}={value}" for key, value in self.set_configs)])
        return Change(self.action, "topic", topic.name, detail)


def desired_topics(spec: MigrationSpec, source: Iterable[TopicState]) -> list[DesiredTopic]:
    """The target topics of a migration: partition parity, and every config set on the source topic.

    That includes the ones MirrorMaker 2's ``DefaultConfigPropertyFilter`` leaves out, such as
    ``min.insync.replicas`` and ``message.timestamp.type``.
    """
    return [
        DesiredTopic(
            topic.name,
            spec.target_topic(topic.name),
            topic.partitions,
            spec.replication_factor,
            {key: value for key, value in topic.configs.items() if key not in _CLUSTER_BOUND},
        )
        for topic in source
    ]


def topic_changes(desired: Iterable[DesiredTopic], actual: Mapping[str, TopicState]) -> list[TopicChange]:
    """Compare desired topics with the target's, by name. Configs that only the target has are left alone.

    :raises BadParam: a target topic has more partitions than the source: Kafka cannot take partitions away.
    """
    return [_topic_change(topic, actual.get(topic.name)) for topic in desired]


def _topic_change(topic: DesiredTopic, actual: TopicState | None) -> TopicChange:
    if actual is None:
        return TopicChange(topic, Action.CREATE)
    if actual.partitions > topic.partitions:
        raise BadParam(
            "topics",
            f"target topic {topic.name!r} has {actual.partitions} partitions, its source {topic.source!r} only "
            f"{topic.partitions}, and Kafka cannot remove partitions",
            "delete the target topic if no application uses it, or leave it out with exclude_topics",
        )
    grow = topic.partitions if actual.partitions < topic.partitions else None
    configs = tuple(
        (key, value)
        for key, value in sorted(topic.configs.items())
        if (there := actual.effective.get(key)) != value
        and not is_held(key, there)  # a limit on hold is put back when all is compared
    )
    return TopicChange(topic, Action.UPDATE if grow or configs else Action.NONE, grow, configs)


def check_provisioning(spec: MigrationSpec) -> None:
    """Whether params say all that the way of provisioning needs.

    :raises BadParam: with MSK's topic API: no cluster, or no replication factor, of which it knows no default.
    """
    if spec.provision_through is ProvisionThrough.KAFKA:
        return
    for param, value, fix in (
        ("cluster_arn", spec.cluster_arn, "the ARN of the MSK cluster that target_conn_id leads to"),
        ("replication_factor", spec.replication_factor, "a number, such as 3: MSK's topic API has no default"),
    ):
        if not value:
            raise BadParam(param, "is missing, and provision_through is msk_api", fix)


def check_replication(spec: MigrationSpec, desired: Iterable[DesiredTopic], brokers: int, default_factor: int) -> None:
    """Refuse wishes the target cannot fulfil.

    :param brokers: how many brokers the target has.
    :param default_factor: the target's ``default.replication.factor``.
    :raises BadParam: more replicas than brokers, or a ``min.insync.replicas`` no write could satisfy.
    """
    factor = spec.replication_factor or default_factor
    if factor > brokers:
        raise BadParam(
            "replication_factor", f"is {factor}, but the target has {brokers} broker(s)", f"at most {brokers}"
        )
    for topic in desired:
        needed = int(topic.configs.get("min.insync.replicas", 1))
        if needed > factor:
            raise BadParam(
                "replication_factor",
                f"topic {topic.source!r} has min.insync.replicas={needed}: with {factor} replica(s) every write "
                "with acks=all would fail",
                f"at least {needed}, or lower min.insync.replicas on the source topic first",
            )
