"""From intent to the configurations of MirrorMaker 2's three connectors. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.record_sizes import producer_settings
from kafka_ferry.core.topic_rename import POLICY_KEY, RENAME_KEY, RENAME_POLICY
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES

_MIRROR = "org.apache.kafka.connect.mirror"
_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"

#: Never anyone's data; set in full, so that a worker's version does not decide (defaults differ between releases).
TOPICS_NEVER = (r"mm2.*\.internal", r".*\.checkpoints\.internal", "__.*")


@dataclass(frozen=True)
class MirrorIntent:
    """What MirrorMaker 2 shall do, free of its keys.

    :param name: prefix of the connector names; decides where replication resumes (the resume key of Kafka Connect is
        connector name, cluster alias, topic, partition).
    :param source: Java client settings of the source, unprefixed.
    :param target: Java client settings of the target, unprefixed.
    :param topics: regexes, exact names quoted; ``topics_exclude`` likewise. Same for groups.
    :param prefix: call topics ``<source_alias>.<topic>`` on the target.
    :param rename_format: call them so instead, see ``core.topic_rename``; empty: not.
    :param replication_factor: for MM2's own topics; -1 is the target's default (KIP-464).
    :param max_record_bytes: largest ``max.message.bytes`` of the topics.
    :param exactly_once: in transactions (KIP-618).
    :param sync_configs: let MM2 go on carrying config changes over; for replication that outlives the run.
    """

    name: str
    source_alias: str
    target_alias: str
    source: Mapping[str, str]
    target: Mapping[str, str]
    topics: Sequence[str]
    topics_exclude: Sequence[str]
    groups: Sequence[str]
    groups_exclude: Sequence[str]
    tasks_max: int
    throughput: str
    isolation_level: str
    prefix: bool = False
    rename_format: str = ""
    replication_factor: int = -1
    max_record_bytes: int = 1048576
    sync_configs: bool = False
    heartbeats: bool = False
    exactly_once: bool = False

    @property
    def source_connector(self) -> str:
        return f"{self.name}.MirrorSourceConnector"

    @property
    def checkpoint_connector(self) -> str:
        return f"{self.name}.MirrorCheckpointConnector"

    @property
    def heartbeat_connector(self) -> str:
        return f"{self.name}.MirrorHeartbeatConnector"


def residue_topics(source_alias: str) -> tuple[str, ...]:
    """Topics MM2 leaves on the target under this alias, with ``offset-syncs.topic.location=target``."""
    return (f"mm2-offset-syncs.{source_alias}.internal", f"{source_alias}.checkpoints.internal")


def configs(intent: MirrorIntent) -> dict[str, dict[str, str]]:
    """Connector name to configuration, in the order they should be created; no checkpoints where no group is wanted."""
    result = {intent.source_connector: _source(intent)}
    if intent.groups:
        result[intent.checkpoint_connector] = _checkpoint(intent)
    if intent.heartbeats:
        result[intent.heartbeat_connector] = _heartbeat(intent)
    return result


def _common(intent: MirrorIntent, connector: str) -> dict[str, str]:
    return {
        "connector.class": f"{_MIRROR}.{connector}",
        "source.cluster.alias": intent.source_alias,
        "target.cluster.alias": intent.target_alias,
        **{f"source.cluster.{key}": value for key, value in intent.source.items()},
        **{f"target.cluster.{key}": value for key, value in intent.target.items()},
        # On all connectors, or group offsets are silently not translated.
        **_policy(intent),
        # Without header.converter Connect's SimpleHeaderConverter rewrites header bytes as base64 text (measured).
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        "header.converter": _BYTES,
        # The records' producer is the worker's: say where to, or it writes to the worker's own cluster.
        **{f"producer.override.{key}": value for key, value in intent.target.items()},
        # On the target: nothing is written to the source, which may be read-only to us (KIP-716).
        "offset-syncs.topic.location": "target",
        "offset-syncs.topic.replication.factor": str(intent.replication_factor),
    }


def _policy(intent: MirrorIntent) -> dict[str, str]:
    if intent.rename_format:
        return {POLICY_KEY: RENAME_POLICY, RENAME_KEY: intent.rename_format}
    return {POLICY_KEY: f"{_MIRROR}.{'Default' if intent.prefix else 'Identity'}ReplicationPolicy"}


def _source(intent: MirrorIntent) -> dict[str, str]:
    profile = PROFILES[intent.throughput]
    return {
        **_common(intent, "MirrorSourceConnector"),
        "tasks.max": str(profile.tasks(intent.tasks_max)),
        "topics": ",".join(intent.topics),
        "topics.exclude": ",".join([*TOPICS_NEVER, *intent.topics_exclude]),
        "heartbeats.replication.enabled": "false",
        "replication.factor": str(intent.replication_factor),
        # read_uncommitted, MM2's default, copies aborted transactions as if they had been committed.
        "source.consumer.isolation.level": intent.isolation_level,
        "offset.lag.max": "0",
        "refresh.topics.interval.seconds": str(profile.refresh_seconds),
        "sync.topic.configs.enabled": str(intent.sync_configs).lower(),
        "sync.topic.acls.enabled": "false",
        **{f"producer.override.{key}": value for key, value in producer_settings(intent.max_record_bytes).items()},
        # Its worker refuses the config where it cannot; the default is to write without transactions, silently.
        **({"exactly.once.support": "required"} if intent.exactly_once else {}),
        **profile.settings,
    }


def _checkpoint(intent: MirrorIntent) -> dict[str, str]:
    profile = PROFILES[intent.throughput]
    return {
        **_common(intent, "MirrorCheckpointConnector"),
        "tasks.max": str(intent.tasks_max),
        "topics": ",".join(intent.topics),
        "topics.exclude": ",".join([*TOPICS_NEVER, *intent.topics_exclude]),
        "groups": ",".join(intent.groups),
        "groups.exclude": ",".join(intent.groups_exclude),
        "checkpoints.topic.replication.factor": str(intent.replication_factor),
        "emit.checkpoints.interval.seconds": str(profile.sync_seconds),
        "refresh.groups.interval.seconds": str(profile.refresh_seconds),
        "sync.group.offsets.enabled": "true",
        "sync.group.offsets.interval.seconds": str(profile.sync_seconds),
    }


def _heartbeat(intent: MirrorIntent) -> dict[str, str]:
    return {
        **_common(intent, "MirrorHeartbeatConnector"),
        "tasks.max": "1",
        "heartbeats.topic.replication.factor": str(intent.replication_factor),
        "emit.heartbeats.interval.seconds": "1",
    }
