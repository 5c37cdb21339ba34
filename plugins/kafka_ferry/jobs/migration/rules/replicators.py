"""Who else copies these topics to this target. Pure: it is handed what the clusters and the workers said.

Two replicators that write the same target topics do not see each other: each says that it is complete, and every
record is there as many times as there are replicators (measured: three engines, ratio exactly 3).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.expression import problem_of
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.core.topic_rename import DEFAULT_FORMAT, POLICY_KEY, RENAME_KEY, RENAME_POLICY, TOPIC

IDLE = {"STOPPED", "PAUSED"}
# Also classes made from MirrorMaker 2's, such as PluginMirrorSourceConnector of include/connect-plugins; and the short
# names that Connect takes (``PluginUtils.prunedName``): MirrorSource.
_MIRROR_SOURCE = re.compile(r".*MirrorSource(Connector)?")
_MIRROR = re.compile(r".*Mirror(Source|Checkpoint)(Connector)?")
OTHER, ALIAS = "other_replicators", "alias"
# MirrorMaker 1 gives its consumers the client id <group>-<number> (kafka.tools.MirrorMaker.createConsumers).
_REPLICATOR_NAME = re.compile(r"mirror|replicat|(^|[^a-z])mm[12]([^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Ours:
    """This migration, as others are compared with it.

    :param connectors: names of our connectors. ``running``: whether anything of ours exists now.
    :param topics: source topic to target topic.
    :param own_topics: those it keeps on the target.
    :param addresses: ``host:port`` of the target's brokers and bootstrap servers; ``source_addresses`` likewise.
    :param worker_on_target: the workers keep their own topics on the target cluster.
    """

    connectors: Collection[str]
    running: bool
    alias: str
    own_topics: Collection[str]
    topics: Mapping[str, str]
    addresses: Collection[str]
    source_addresses: Collection[str]
    worker_on_target: bool


@dataclass(frozen=True)
class OtherConnector:
    """A connector of the same Connect cluster. The config holds secrets: none of it may be shown as it is."""

    name: str
    state: str
    config: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Its class, without the package."""
        return self.config.get("connector.class", "").rpartition(".")[2]

    @property
    def is_mirror(self) -> bool:
        """Whether it is MirrorMaker 2, with offset-syncs of its own."""
        return _MIRROR.fullmatch(self.kind) is not None

    @property
    def is_mirror_source(self) -> bool:
        """Whether it is the one of MirrorMaker 2's connectors that copies records."""
        return _MIRROR_SOURCE.fullmatch(self.kind) is not None

    @property
    def offset_syncs(self) -> tuple[str, str]:
        """Which of its clusters has its topic ``mm2-offset-syncs.<alias>.internal`` (``source`` or ``target``), and
        the alias: that of the other cluster. ``offset-syncs.topic.location`` is source by default (KIP-716)."""
        side = "target" if self.config.get("offset-syncs.topic.location", "source") == "target" else "source"
        other = "source" if side == "target" else "target"
        return side, self.config.get(f"{other}.cluster.alias", other)

    @property
    def copies(self) -> bool:
        """Whether it copies records of topics: MirrorMaker 2, Confluent Replicator, EMR's."""
        return self.is_mirror_source or "Replicator" in self.kind

    def copied_as(self, topic: str) -> str | None:
        """The name it gives a topic on its target; None for one that it does not take."""
        config = self.config
        if self.is_mirror_source:
            include, target = config.get("topics", ".*"), _mirrored(config, topic)
            exclude = config.get("topics.exclude", config.get("topics.blacklist", ""))
        else:
            include = ",".join(config[key] for key in ("topic.whitelist", "topic.regex") if config.get(key))
            usual = DEFAULT_FORMAT if self.kind.startswith("EMR") else TOPIC
            exclude = config.get("topic.blacklist", "")
            target = config.get("topic.rename.format", usual).replace(TOPIC, topic)
        return target if _matches(include, topic) and not _matches(exclude, topic) else None

    @property
    def source_addresses(self) -> set[str]:
        """``host:port`` of the brokers it reads from, as far as its config tells."""
        config = self.config
        return addresses(config.get("source.cluster.bootstrap.servers") or config.get("src.kafka.bootstrap.servers"))

    @property
    def target_addresses(self) -> set[str]:
        """``host:port`` of the brokers it writes to; empty: those of its worker."""
        config = self.config
        return addresses(
            config.get("producer.override.bootstrap.servers") or config.get("dest.kafka.bootstrap.servers")
        )

    def __repr__(self) -> str:
        return f"OtherConnector({self.name!r}, {self.state!r}, {self.kind!r})"


@dataclass(frozen=True)
class GroupFacts:
    """A consumer group of the source with members.

    :param complete: migrated topics on whose partitions, all of them, it has commits.
    :param client_ids: of its members.
    """

    group: str
    complete: Collection[str]
    client_ids: Collection[str]


def connector_findings(ours: Ours, connectors: Iterable[OtherConnector]) -> list[Finding]:
    """Connectors of the same Connect cluster that write the same topics, or mix their offset-syncs with ours."""
    findings: list[Finding] = []
    for other in connectors:
        if other.name in ours.connectors:
            continue
        if other.copies:
            findings += _same_topics(ours, other)
        if other.is_mirror:
            findings += _same_alias(ours, other)
    return findings


def _same_topics(ours: Ours, other: OtherConnector) -> list[Finding]:
    shared = sorted(set(ours.topics.values()) & {other.copied_as(name) for name in ours.topics})
    same = _is_target(ours, other)
    if not shared or same is False:
        return []
    certain = same is True and other.state not in IDLE
    idle = f"; it is {other.state} now" if other.state in IDLE else ""
    where = "" if same else ", if its target is this cluster under another address"
    return [
        Finding(
            Severity.REFUSE if certain else Severity.WARN, OTHER, f"connector {other.name}",
            f"{other.kind} writes {shortlist(shared)} too{where}: each record would be written twice{idle}",
            f"{_living(other.name)}stop or delete it, or leave its topics out (exclude_topics); to resume its work, "
            "use its migration name",
        )
    ]  # fmt: skip


def _living(connector: str) -> str:
    """What to look at first: deleting the connector of a run that works would break that run."""
    dag, _, rest = connector.partition(".")
    migration, _, kind = rest.rpartition(".")
    if not migration or kind != "MirrorSourceConnector":
        return ""
    return f"if a run of DAG {dag} with migration {migration!r} is running, wait until it ends; otherwise "


def addresses(servers: str | None) -> set[str]:
    """``bootstrap.servers`` one by one, in one spelling."""
    each = ((server.rpartition("://")[2].strip().lower()) for server in (servers or "").split(","))
    return {server for server in each if server}


def _mirrored(config: Mapping[str, str], topic: str) -> str | None:
    """None where MirrorMaker 2 sees a cycle: under its default policy a prefix tells that the topic came from there."""
    policy = config.get(POLICY_KEY, "")
    if policy == RENAME_POLICY:
        return config.get(RENAME_KEY, DEFAULT_FORMAT).strip().replace(TOPIC, topic)
    if policy.endswith("IdentityReplicationPolicy"):
        return topic
    separator = config.get("replication.policy.separator", ".")
    if config.get("target.cluster.alias", "target") in topic.split(separator)[:-1]:
        return None
    return config.get("source.cluster.alias", "source") + separator + topic


def _is_target(ours: Ours, other: OtherConnector) -> bool | None:
    """Whether it writes to our target; None when its address is none that we know."""
    return _which(ours, other.target_addresses) if other.target_addresses else ours.worker_on_target


def _which(ours: Ours, servers: Collection[str]) -> bool | None:
    """True: the target; False: the source; None: an address we do not know."""
    if set(servers) & set(ours.addresses):
        return True
    return False if set(servers) & set(ours.source_addresses) else None


def _same_alias(ours: Ours, other: OtherConnector) -> list[Finding]:
    side, alias = other.offset_syncs
    if (
        alias != ours.alias
        or _which(ours, addresses(other.config.get(f"{side}.cluster.bootstrap.servers"))) is not True
    ):
        return []
    return [
        Finding(
            Severity.REFUSE, ALIAS, f"connector {other.name}",
            f"it keeps its offset-syncs in mm2-offset-syncs.{alias}.internal on the target, as this run would: "
            "both would translate group offsets wrongly, and this run's cleanup would delete its topic",
            "another source_alias (or another migration name)", "source_alias",
        )
    ]  # fmt: skip


def group_replicators(groups: Iterable[GroupFacts]) -> list[Finding]:
    """Groups that look like MirrorMaker 1 or another consumer-based replicator; only maybe, it is a guess by name."""
    return [
        Finding(
            Severity.WARN, OTHER, f"group {facts.group} on the source",
            f"maybe a MirrorMaker 1 or another replicator: it reads all of {shortlist(sorted(facts.complete))} "
            f"with client ids {shortlist(sorted(facts.client_ids))}; if it writes the same names to the same target, "
            "each record is written twice",
            "stop it if it is one",
        )
        for facts in groups
        if facts.complete and any(_is_replicator(facts.group, client) for client in facts.client_ids)
    ]  # fmt: skip


def other_replicators_check(findings: Sequence[Finding]) -> Check:
    """The line of the report: FAIL when somebody else surely writes these topics, EXPLAINED when somebody may."""
    worst = {finding.severity for finding in findings}
    status = Status.FAIL if Severity.REFUSE in worst else Status.EXPLAINED if Severity.WARN in worst else Status.PASS
    return Check(
        name="other_replicators",
        status=status,
        expected="none",
        actual=f"{len(findings)} traces" if findings else "none",
        differences=[f"{finding.subject}: {finding.what}" for finding in findings[:200]],
    )


def _is_replicator(group: str, client_id: str) -> bool:
    numbered = client_id.startswith(f"{group}-") and client_id[len(group) + 1 :].isdigit()
    return numbered or bool(_REPLICATOR_NAME.search(client_id))


def _matches(patterns: str, name: str) -> bool:
    """Whether one of Kafka's comma-separated regexes matches the whole name; one we cannot read, or not soon, does."""
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        quoted = re.sub(r"\\Q(.*?)(\\E|$)", lambda found: re.escape(found[1]), pattern)
        if problem_of(quoted) or re.fullmatch(quoted, name):
            return True
    return False
