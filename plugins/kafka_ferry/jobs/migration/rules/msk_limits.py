"""What MSK's Express brokers and MSK Serverless do not take that other Kafka does. Pure.

Sources, MSK's developer guide: "Topic-level configurations on Express Brokers", "Configuration properties for MSK
Serverless clusters", "Amazon MSK quota". What a cluster really answers its brokers are asked besides, by validate_only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.migration.rules.around import Acls
from kafka_ferry.jobs.migration.rules.provision import topic_changes
from kafka_ferry.jobs.migration.rules.refused_configs import RefusedConfigs, Setting
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

_CODE = "msk_limits"
_REPLICAS = 3  # of every topic, on both
_POLICY = "cleanup.policy"
_SERVERLESS = frozenset(
    {
        _POLICY, "compression.type", "max.message.bytes", "message.timestamp.difference.max.ms",
        "message.timestamp.type", "retention.bytes", "retention.ms",
    }
)  # fmt: skip
_EXPRESS = frozenset(
    {
        _POLICY, "compression.type", "delete.retention.ms", "max.message.bytes", "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms", "message.timestamp.type", "min.compaction.lag.ms", "max.compaction.lag.ms",
        "retention.bytes", "retention.ms",
    }
)  # fmt: skip
#: What every topic on Express brokers has; nobody need set it.
_EXPRESS_HAS = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
_LEAST_LAG_MS = 7 * 24 * 3600 * 1000
_MOST_BYTES = 8 * 1024 * 1024
_MOST_PARTITIONS, _MOST_COMPACTED, _MOST_GROUPS = 2400, 120, 500
#: Replicas that a broker should hold, and can, by the size of its instance.
_OF_A_BROKER = {
    "large": (1000, 1500), "xlarge": (1000, 2000), "2xlarge": (2500, 4000), "4xlarge": (6000, 8000),
    "8xlarge": (12000, 16000), "12xlarge": (16000, 24000), "16xlarge": (20000, 32000),
}  # fmt: skip


class MskKind(StrEnum):
    """Kinds of MSK cluster."""

    STANDARD = "standard brokers"
    EXPRESS = "Express brokers"
    SERVERLESS = "MSK Serverless"


@dataclass(frozen=True)
class MskTarget:
    """A target on MSK.

    :param kind: None: nobody told. ``why``: why not.
    :param instance: of its brokers, such as ``express.m7g.large``.
    """

    kind: MskKind | None
    why: str = ""
    instance: str = ""
    brokers: int = 0

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> MskTarget:
        """From ``ClusterInfo`` of ``DescribeClusterV2``."""
        if "Serverless" in description:
            return cls(MskKind.SERVERLESS)
        provisioned = description.get("Provisioned", {})
        instance = str(provisioned.get("BrokerNodeGroupInfo", {}).get("InstanceType", ""))
        kind = MskKind.EXPRESS if instance.startswith("express.") else MskKind.STANDARD
        return cls(kind, instance=instance, brokers=int(provisioned.get("NumberOfBrokerNodes", 0)))

    def refused(self, desired: Iterable[DesiredTopic], existing: Mapping[str, TopicState]) -> RefusedConfigs:
        """Configs of these topics that it is known not to take."""
        configs: dict[str, list[Setting]] = {}
        reasons: dict[Setting, str] = {}
        for change in topic_changes(desired, existing):
            topic, there = change.desired, change.desired.name in existing
            for setting in change.set_configs if there else sorted(topic.configs.items()):
                if why := self._why_not(*setting, there=there):
                    configs.setdefault(topic.name, []).append(setting)
                    reasons[setting] = why
        return RefusedConfigs(configs=configs, reasons=reasons)

    def _why_not(self, key: str, value: str, *, there: bool) -> str:
        if self.kind is MskKind.EXPRESS:
            if key not in _EXPRESS:
                has = _EXPRESS_HAS.get(key)
                return (
                    "" if has == value else f"Express brokers protect it from change{f': it is {has}' if has else ''}"
                )
            if key == "max.compaction.lag.ms" and int(value) < _LEAST_LAG_MS:
                return f"Express brokers take no less than {_LEAST_LAG_MS} (7 days)"
        elif self.kind is MskKind.SERVERLESS:
            if key not in _SERVERLESS:
                return f"MSK Serverless has no other topic configs than {', '.join(sorted(_SERVERLESS))}"
            if key == "max.message.bytes" and int(value) > _MOST_BYTES:
                return f"MSK Serverless takes no more than {_MOST_BYTES} (8 MiB)"
            if key == _POLICY and there:
                return "MSK Serverless takes it only when a topic is created"
        return ""

    def findings(
        self,
        spec: MigrationSpec,
        desired: Sequence[DesiredTopic],
        existing: Mapping[str, TopicState],
        groups: int,
    ) -> list[Finding]:
        """What else of a migration does not fit it.

        :param groups: whose offsets are carried.
        """
        subject = f"cluster {spec.target_conn_id}"
        if self.kind is None:
            what = f"what kind of MSK cluster it is was not told: {self.why}. So limits of Express brokers are not seen"
            fix = "cluster_arn, and kafka:DescribeClusterV2 for the AWS connection"
            return [Finding(Severity.ADVISE, _CODE, subject, what, fix, "cluster_arn")]
        if self.kind is MskKind.STANDARD:
            return []
        found = []
        if spec.replication_factor not in (None, _REPLICAS):
            what = f"it is {self.kind}, which make every topic with {_REPLICAS} replicas, not {spec.replication_factor}"
            found.append(Finding(Severity.WARN, _CODE, subject, what, "leave it empty", "replication_factor"))
        new = {topic.name: topic for topic in desired if topic.name not in existing}
        if self.kind is MskKind.EXPRESS:
            return found + self._crowded(subject, sum(topic.partitions for topic in new.values()))
        if spec.acls is Acls.COPY:
            what = "it is MSK Serverless, which has no Kafka ACLs: IAM policies say who may do what"
            found.append(Finding(Severity.REFUSE, _CODE, subject, what, "acls: check or skip", "acls"))
        compact = [topic.partitions for topic in new.values() if "compact" in topic.configs.get(_POLICY, "")]
        counts = {
            "partitions": (sum(topic.partitions for topic in new.values()) - sum(compact), _MOST_PARTITIONS, "topics"),
            "partitions of compacted topics": (sum(compact), _MOST_COMPACTED, "topics"),
            "consumer groups": (groups, _MOST_GROUPS, "groups"),
        }
        for what, (count, most, param) in counts.items():
            if count > most:
                text = f"these are {count:,} {what}, and MSK Serverless has room for {most:,}"
                fix = "a larger quota from AWS first; or fewer of them in one cluster"
                found.append(Finding(Severity.WARN, _CODE, subject, text, fix, param))
        return found

    def _crowded(self, subject: str, partitions: int) -> list[Finding]:
        should, can = _OF_A_BROKER.get(self.instance.rpartition(".")[2], (0, 0))
        if not can or not self.brokers or (each := -(-partitions * _REPLICAS // self.brokers)) <= should:
            return []
        what = (
            f"these topics alone put {each:,} replicas on each of its {number_of(self.brokers, 'broker')}; one of "
            f"{self.instance} should hold {should:,} and can hold {can:,}"
        )
        severity = Severity.WARN if each > can else Severity.ADVISE
        return [Finding(severity, _CODE, subject, what, "more or larger brokers; or fewer partitions", "topics")]
