"""What MirrorMaker 2's own topics on both clusters tell about those that no Connect of ours knows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.jobs.migration.rules.internal_topics import InternalTopic
from kafka_ferry.jobs.migration.rules.replicators import ALIAS, OTHER, Ours


def internal_topic_findings(
    ours: Ours, topics: Iterable[InternalTopic], known_aliases: Collection[str], target_names: Collection[str]
) -> list[Finding]:
    """Findings from the topics, as they come.

    :param known_aliases: of the connectors that ``connector_findings`` looked at, and our own.
    :param target_names: all topics of the target.
    """
    findings = []
    for topic in topics:
        if topic.on_target and topic.name in ours.own_topics:
            findings += _own_alias(ours, topic, known_aliases)
        elif topic.kind == "offset-syncs" and topic.alias not in known_aliases:
            findings += _foreign_syncs(ours, topic)
        elif topic.kind == "offsets":
            findings += _dedicated(ours, topic, target_names)
    return findings


def _own_alias(ours: Ours, topic: InternalTopic, known_aliases: Collection[str]) -> list[Finding]:
    if ours.running or topic.alias in known_aliases:
        return []
    if topic.is_fresh:
        return [
            Finding(
                Severity.REFUSE, ALIAS, f"topic {topic.name} on the target",
                f"was {topic.age}, but not by connectors of this migration: another MirrorMaker 2 uses this "
                "alias, both would translate group offsets wrongly, and this run's cleanup would delete its topic",
                "another source_alias (or another migration name); if nobody writes it, delete the topic",
                "source_alias",
            )
        ]  # fmt: skip
    return [
        Finding(
            Severity.WARN, ALIAS, f"topic {topic.name} on the target",
            f"exists although no connector of this migration does ({topic.age}): a leftover, which this run would use "
            "and delete",
            "another source_alias if another MirrorMaker 2 uses it", "source_alias",
        )
    ]  # fmt: skip


def _foreign_syncs(ours: Ours, topic: InternalTopic) -> list[Finding]:
    shared = sorted(topic.topics & ours.topics.keys())
    if not shared:
        return []
    where = "the target" if topic.on_target else "the source"
    return [
        Finding(
            Severity.WARN if topic.is_fresh else Severity.ADVISE, OTHER, f"topic {topic.name} on {where}",
            f"another MirrorMaker 2 copies or copied {shortlist(shared)} ({topic.age}). If it writes the same names "
            "to the same target, each record is written twice; if it copies from the target to the source, they loop "
            "forever",
            "make sure that it is stopped or writes elsewhere",
        )
    ]  # fmt: skip


def _dedicated(ours: Ours, topic: InternalTopic, target_names: Collection[str]) -> list[Finding]:
    if not topic.on_target:
        return [
            Finding(
                Severity.ADVISE, OTHER, f"topic {topic.name} on the source",
                f"a dedicated MirrorMaker 2 writes or wrote into the source ({topic.age}): for a cutover it is a "
                "producer like any other", "stop it with the producers",
            )
        ]  # fmt: skip
    shared = sorted(topic.topics & ours.topics.keys())
    if not shared:
        return []
    prefixed = any(f"{topic.alias}.{name}" in target_names for name in shared)
    sure = topic.is_fresh and not prefixed and any(ours.topics[name] in target_names for name in shared)
    return [
        Finding(
            Severity.REFUSE if sure else Severity.WARN, OTHER, f"topic {topic.name} on the target",
            f"a dedicated MirrorMaker 2 copies or copied {shortlist(shared)} to this cluster ({topic.age}): if it "
            "writes the same names, each record would be written twice",
            "stop it on all its hosts, or leave its topics out (exclude_topics); if it is gone, delete its "
            f"mm2-*.{topic.alias}.internal topics or wait ten minutes after its last write",
        )
    ]  # fmt: skip


def unseen(conn_id: str, error: Exception) -> Finding:
    """MirrorMaker 2's own topics of a cluster could not be looked at."""
    return Finding(
        Severity.ADVISE, OTHER, f"topics mm2-*.internal of {conn_id}",
        f"could not be read, so another MirrorMaker 2 may be running undetected: {error}",
        "grant DESCRIBE, DESCRIBE_CONFIGS and READ on topics that begin with mm2-",
    )  # fmt: skip
