"""A replicator as desired and as described, and the calls that make the one into the other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk.rules.cluster import ReplicatorCluster
from kafka_ferry.hooks.msk_connect.rules.states import state_text

MOST_TOPIC_CHARACTERS, MOST_GROUP_CHARACTERS, MOST_NAME_CHARACTERS = 249, 256, 128  # of the service model
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,127}")
_DIGEST_CHARACTERS = 8

#: Members that ``UpdateReplicationInfo`` takes; all others are as they were created, for ever.
TOPICS_UPDATABLE = (
    "CopyAccessControlListsForTopics", "CopyTopicConfigurations", "DetectAndCopyNewTopics", "TopicsToExclude",
    "TopicsToReplicate",
)  # fmt: skip
GROUPS_UPDATABLE = (
    "ConsumerGroupsToExclude", "ConsumerGroupsToReplicate", "DetectAndCopyNewConsumerGroups",
    "SynchroniseConsumerGroupOffsets",
)  # fmt: skip


class ReplicatorState(StrEnum):
    """``ReplicatorState``. RUNNING does not say that records move."""

    CREATING = "CREATING"
    RUNNING = "RUNNING"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    FAILED = "FAILED"

    @property
    def is_terminal(self) -> bool:
        """Whether the state stays until somebody acts."""
        return self in (ReplicatorState.RUNNING, ReplicatorState.FAILED)

    @property
    def is_failure(self) -> bool:
        """Whether waiting cannot fix it."""
        return self is ReplicatorState.FAILED


class StartingPosition(StrEnum):
    """Where a new replicator begins; the service's own default is LATEST, which leaves out all that is there."""

    EARLIEST = "EARLIEST"
    LATEST = "LATEST"


class TopicNaming(StrEnum):
    """How topics are called on the target; the service's own default is the prefix, an alias that it chooses."""

    IDENTICAL = "IDENTICAL"
    PREFIXED = "PREFIXED_WITH_SOURCE_CLUSTER_ALIAS"


class Compression(StrEnum):
    """``TargetCompressionType``: of what is written into the target."""

    NONE = "NONE"
    GZIP = "GZIP"
    SNAPPY = "SNAPPY"
    LZ4 = "LZ4"
    ZSTD = "ZSTD"


class OffsetSync(StrEnum):
    """``ConsumerGroupOffsetSyncMode``; ENHANCED wants a second replicator that goes the other way."""

    LEGACY = "LEGACY"
    ENHANCED = "ENHANCED"


@dataclass(frozen=True)
class ReplicatorIntent:
    """What a replicator shall be: one value for ``CreateReplicator``, the comparison and the update.

    :param topics, topics_exclude, groups, groups_exclude: regular expressions; no groups: none are carried.
    :param copy_configs: whether it goes on carrying the source's topic configs over.
    :param copy_acls: the same for ACLs of single topics, WRITE excepted.
    :param log_group: CloudWatch log group.
    :param other: further members of ``CreateReplicator`` (``Tags``, other ``LogDelivery``).
    :raises BadParam: MSK would refuse it.
    """

    name: str
    source: ReplicatorCluster
    target: ReplicatorCluster
    role_arn: str
    topics: Sequence[str]
    topics_exclude: Sequence[str] = ()
    groups: Sequence[str] = (".*",)
    groups_exclude: Sequence[str] = ()
    starting_position: StartingPosition = StartingPosition.EARLIEST
    naming: TopicNaming = TopicNaming.IDENTICAL
    compression: Compression = Compression.NONE
    offset_sync: OffsetSync = OffsetSync.LEGACY
    detect_new: bool = True
    copy_configs: bool = True
    copy_acls: bool = True
    log_group: str | None = None
    description: str = ""
    other: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            problem = f"{self.name!r} is not a valid replicator name"
            raise BadParam("replicator_name", problem, f"letters, digits and -, at most {MOST_NAME_CHARACTERS}")
        if not self.topics:
            raise BadParam("topics", "is missing", "regular expressions of topic names")
        if not self.target.arn:
            raise BadParam(
                "target", f"{self.target.name} is not an MSK cluster", "only the source may be a Kafka outside MSK"
            )
        _check_patterns("topics", self.topics, MOST_TOPIC_CHARACTERS)
        _check_patterns("exclude_topics", self.topics_exclude, MOST_TOPIC_CHARACTERS)
        _check_patterns("groups", self.groups, MOST_GROUP_CHARACTERS)
        _check_patterns("exclude_groups", self.groups_exclude, MOST_GROUP_CHARACTERS)

    @property
    def topic_replication(self) -> dict[str, Any]:
        """``TopicReplication``, every member said: the service's defaults leave data out."""
        return {
            "TopicsToReplicate": list(self.topics),
            "TopicsToExclude": list(self.topics_exclude),
            "DetectAndCopyNewTopics": self.detect_new,
            "CopyTopicConfigurations": self.copy_configs,
            "CopyAccessControlListsForTopics": self.copy_acls,
            "StartingPosition": {"Type": self.starting_position.value},
            "TopicNameConfiguration": {"Type": self.naming.value},
        }

    @property
    def group_replication(self) -> dict[str, Any]:
        """``ConsumerGroupReplication``; without patterns nothing is carried."""
        return {
            "ConsumerGroupsToReplicate": list(self.groups),
            "ConsumerGroupsToExclude": list(self.groups_exclude),
            "DetectAndCopyNewConsumerGroups": self.detect_new and bool(self.groups),
            "SynchroniseConsumerGroupOffsets": bool(self.groups),
            "ConsumerGroupOffsetSyncMode": self.offset_sync.value,
        }

    @property
    def sides(self) -> dict[str, str]:
        """Source and target, as ``ReplicationInfoList`` and updates call them."""
        return self.source.side("Source") | self.target.side("Target")

    def to_request(self) -> dict[str, Any]:
        """Arguments of ``create_replicator``."""
        replication = {
            **self.sides,
            "TargetCompressionType": self.compression.value,
            "TopicReplication": self.topic_replication,
            "ConsumerGroupReplication": self.group_replication,
        }
        request: dict[str, Any] = {
            "ReplicatorName": self.name,
            "ServiceExecutionRoleArn": self.role_arn,
            "KafkaClusters": [self.source.to_request(), self.target.to_request()],
            "ReplicationInfoList": [replication],
        }
        if self.description:
            request["Description"] = self.description
        if self.log_group:
            logs = {"CloudWatchLogs": {"Enabled": True, "LogGroup": self.log_group}}
            request["LogDelivery"] = {"ReplicatorLogDelivery": logs}
        return {**request, **self.other}


@dataclass(frozen=True)
class Replicator:
    """A replicator as ``DescribeReplicator`` tells it."""

    arn: str
    name: str
    state: ReplicatorState
    version: str
    reason: str = ""  # StateInfo, which ListReplicators does not have
    description: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_description(cls, found: Mapping[str, Any]) -> Replicator:
        """From the answer of ``DescribeReplicator``."""
        return cls(
            arn=found["ReplicatorArn"],
            name=found["ReplicatorName"],
            state=ReplicatorState(found["ReplicatorState"]),
            version=found.get("CurrentVersion", ""),
            reason=state_text(found.get("StateInfo")),
            description=found,
        )

    def __str__(self) -> str:
        return f"replicator {self.name} is {self.state}" + (f": {self.reason}" if self.reason else "")

    @property
    def replication(self) -> Mapping[str, Any]:
        """Its one ``ReplicationInfo``."""
        infos: Sequence[Mapping[str, Any]] = self.description.get("ReplicationInfoList") or [{}]
        return infos[0]

    def described(self, side: str) -> Mapping[str, Any]:
        """An end: the description tells it by an alias, and the alias at the cluster. Empty: it does not tell.

        :param side: ``Source`` or ``Target``.
        """
        alias = self.replication.get(f"{side}KafkaClusterAlias")
        every: Sequence[Mapping[str, Any]] = self.description.get("KafkaClusters", ())
        return next((one for one in every if one.get("KafkaClusterAlias") == alias), {})

    def cluster(self, side: str) -> str | None:
        """ARN or id of an end."""
        if not (found := self.described(side)):
            return None
        apache = found.get("ApacheKafkaCluster", {}).get("ApacheKafkaClusterId", "")
        return str(found.get("AmazonMskCluster", {}).get("MskClusterArn", apache))


def immutable_differences(wanted: ReplicatorIntent, found: Replicator) -> list[str]:
    """What differs and only a new replicator could have, one line each."""
    topics, groups = (
        found.replication.get("TopicReplication", {}),
        found.replication.get("ConsumerGroupReplication", {}),
    )
    wish, there = wanted.source.to_request(), found.described("Source")
    outside = ("ApacheKafkaCluster", "ClientAuthentication", "EncryptionInTransit") if wanted.source.cluster_id else ()
    pairs: list[tuple[str, Any, Any]] = [
        *((f"source's {member}", there.get(member), wish.get(member)) for member in outside),
        ("source", found.cluster("Source"), wanted.source.name),
        ("target", found.cluster("Target"), wanted.target.name),
        ("ServiceExecutionRoleArn", found.description.get("ServiceExecutionRoleArn"), wanted.role_arn),
        ("TargetCompressionType", found.replication.get("TargetCompressionType"), wanted.compression.value),
        ("StartingPosition", topics.get("StartingPosition", {}).get("Type"), wanted.starting_position.value),
        ("TopicNameConfiguration", topics.get("TopicNameConfiguration", {}).get("Type"), wanted.naming.value),
        ("ConsumerGroupOffsetSyncMode", groups.get("ConsumerGroupOffsetSyncMode"), wanted.offset_sync.value),
    ]
    return [f"{member} is {now}, not {wish}" for member, now, wish in pairs if now is not None and now != wish]


def replication_changes(wanted: ReplicatorIntent, found: Replicator) -> dict[str, Any]:
    """The members of ``UpdateReplicationInfo`` that make it match; empty when it does. Each is sent whole."""
    changes: dict[str, Any] = {}
    for member, wish, updatable in (
        ("TopicReplication", wanted.topic_replication, TOPICS_UPDATABLE),
        ("ConsumerGroupReplication", wanted.group_replication, GROUPS_UPDATABLE),
    ):
        if _differing(wish, found.replication.get(member, {}), updatable):
            changes[member] = {key: wish[key] for key in updatable}
    return {**wanted.sides, **changes} if changes else {}


def change_lines(wanted: ReplicatorIntent, found: Replicator) -> list[str]:
    """What an update would change, one line a member."""
    return [
        f"~ {key}: {_shown(found.replication.get(member, {}).get(key))} -> {_shown(wish[key])}"
        for member, wish, updatable in (
            ("TopicReplication", wanted.topic_replication, TOPICS_UPDATABLE),
            ("ConsumerGroupReplication", wanted.group_replication, GROUPS_UPDATABLE),
        )
        for key in _differing(wish, found.replication.get(member, {}), updatable)
    ]


def replicator_name(migration: str) -> str:
    """A legal name that tells the migration; other migrations get other names.

    :param migration: such as ``msk_replicator.wave-1``.
    """
    digest = hashlib.sha256(migration.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    readable = re.sub(r"[^0-9A-Za-z]+", "-", migration).strip("-") or "replicator"
    return f"{readable[: MOST_NAME_CHARACTERS - _DIGEST_CHARACTERS - 1]}-{digest}"


def _differing(wish: Mapping[str, Any], found: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    return [key for key in keys if _plain(wish[key]) != _plain(found.get(key))]


def _plain(value: Any) -> Any:
    """Lists without their order; a list that the description leaves out is empty, a switch is off."""
    return sorted(value) if isinstance(value, list | tuple) else value or []


def _shown(value: Any) -> str:
    text = ", ".join(sorted(value)) or "none" if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _check_patterns(param: str, patterns: Iterable[str], most: int) -> None:
    for pattern in patterns:
        if len(pattern) > most:
            problem = f"{pattern[:60]!r}… has {len(pattern)} characters as a regular expression"
            raise BadParam(param, problem, f"at most {most}, which is what a replicator accepts")
