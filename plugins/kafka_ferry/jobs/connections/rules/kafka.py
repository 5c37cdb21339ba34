"""Which rights a Kafka connection's user needs, and what is said of those it has. Pure.

The table is docs/security.md's, as far as it holds for any job: what one run needs, its own plan says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.needs import Need, label, permission_findings, principal_name
from kafka_ferry.core.rights import CLUSTER, Resource, Rights
from kafka_ferry.core.unmatched import did_you_mean
from kafka_ferry.jobs.connections.rules.answer import Answer, tell

_SHOWN = 5


def tell_age(answer: Answer, written_to: bool, *, for_kafka_4: bool, changes_configs: bool, tells_rights: bool) -> None:
    """Add to the answer what its brokers are too old for, as they say themselves."""
    if not for_kafka_4:
        answer.limits.append(
            "its brokers are older than Kafka 2.1: clients of Kafka 4 cannot talk to them (KIP-896). Fix: a worker of "
            "Kafka Connect 3.8 or 3.9, or mirror_maker1"
        )
    if written_to and not changes_configs:
        answer.missing.append(
            "its brokers are older than Kafka 2.3: a single topic config cannot be changed there (KIP-339). Fix: a "
            "target of Kafka 2.3 or newer"
        )
    if not tells_rights:
        answer.notes.append("its brokers are older than Kafka 2.3 and tell no rights (KIP-430)")


def needs_of(written_to: bool, topics: Iterable[str], existing: Collection[str], groups: Iterable[str]) -> list[Need]:
    """What is needed on a cluster.

    :param topics: that are asked about. ``existing``: those of them that are there.
    """
    needs = [
        Need(CLUSTER, "DESCRIBE_CONFIGS", "to read the brokers' defaults"),
        Need(CLUSTER, "DESCRIBE", "without it ACLs are neither compared nor kept", Severity.WARN),
    ]
    for name in topics:
        topic = ("TOPIC", name)
        if written_to:
            needs += [Need(topic, "CREATE", "to create it")] if name not in existing else []
            needs.append(Need(topic, "WRITE", "to copy records into it"))
            needs.append(Need(topic, "ALTER_CONFIGS", "to set its configs"))
        needs.append(Need(topic, "READ", "to compare its records" if written_to else "to copy its records"))
        needs.append(Need(topic, "DESCRIBE_CONFIGS", "to compare its configs"))
    operation, why = ("READ", "to commit its offsets") if written_to else ("DESCRIBE", "to read its offsets")
    return needs + [Need(("GROUP", group), operation, why) for group in groups]


def tell_rights(
    answer: Answer,
    rights: Rights,
    written_to: bool,
    topics: Iterable[str],
    existing: Collection[str],
    groups: Iterable[str],
    there: Collection[str],
) -> None:
    """Add to the answer what the user may do, and what it lacks.

    :param there: names of all topics that it sees.
    """
    asked, wanted = list(topics), list(groups)
    gone = [name for name in asked if not written_to and is_gone(rights, name, existing)]
    answer.missing += [f"topic {name} does not exist on it{did_you_mean(name, there)}" for name in gone]
    needs = needs_of(written_to, [name for name in asked if name not in gone], existing, wanted)
    for found in permission_findings(rights, needs, "connections"):
        tell(answer, found)
    answer.notes.append(f"as {principal_name(rights)}")
    resources: list[Resource] = [CLUSTER, *(("TOPIC", name) for name in asked), *(("GROUP", name) for name in wanted)]
    answer.notes += may(rights, [resource for resource in resources if resource[1] not in gone])


def is_gone(rights: Rights, topic: str, existing: Collection[str]) -> bool:
    """Whether the cluster said that there is no such topic, which it says only to a user who may know."""
    return topic not in existing and "DESCRIBE" not in rights.answers.get(("TOPIC", topic), {})


def may(rights: Rights, resources: Iterable[Resource]) -> list[str]:
    """``it may READ, WRITE on topic orders``, for the first resources."""
    if rights.everything:
        return ["it may do everything (a super user, or there is no authorizer)"]
    lines = []
    for resource in resources:
        allowed = [name for name, answer in rights.answers.get(resource, {}).items() if answer]
        lines.append(f"it may {', '.join(allowed) or 'do nothing that is known'} on {label(resource)}")
    more = [f"and so on for {len(lines) - _SHOWN:,} more"] * (len(lines) > _SHOWN)
    return lines[:_SHOWN] + more
