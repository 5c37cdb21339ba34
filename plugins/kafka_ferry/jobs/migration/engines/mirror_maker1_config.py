"""From intent to the two properties files and the arguments of MirrorMaker 1 (``kafka.tools.MirrorMaker``). Pure.

Read in Kafka 3.9.2, ``MirrorMaker.scala``: one consumer group, a consumer per stream, one producer for all; offsets are
committed only after the producer was flushed, so a crash repeats records and never skips any. The producer names no
partition, so keys are rehashed, and records without a key go anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from kafka_ferry.core.record_sizes import producer_settings
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES

MAIN_CLASS: Final = "kafka.tools.MirrorMaker"

#: Linux takes 128 KiB in one argument (MAX_ARG_STRLEN); the regex of all topics is one.
_LONGEST_ARGUMENT = 120_000

_PROTECTED = {
    "bootstrap.servers": "the addresses come from the connections source_conn_id and target_conn_id",
    "sasl.jaas.config": "logins come from the connections source_conn_id and target_conn_id",
    "group.id": "the group keeps the progress; it is named after DAG and migration",
    "enable.auto.commit": "offsets would be committed before their records are on the target",
    "auto.offset.reset": "with latest, records that are on the source already would never be copied",
    "isolation.level": "use param isolation_level",
    "key.serializer": "records are copied as bytes",
    "value.serializer": "records are copied as bytes",
    "key.deserializer": "records are copied as bytes",
    "value.deserializer": "records are copied as bytes",
    "acks": "with less than all a record can be lost with a broker",
    "enable.idempotence": "without it retries change the order",
}


@dataclass(frozen=True)
class MirrorMaker1Intent:
    """What MirrorMaker 1 shall do.

    :param name: of its consumer group, and its clients.
    :param source, target: Java client settings.
    :param topics: exact names. Not a regex of the user's: a topic that comes later would match it, is not on the
        target, and MirrorMaker 1 ends on the first record it cannot send.
    :param streams: consumers in the process.
    :param max_record_bytes: largest ``max.message.bytes`` of the topics.
    :param overrides: ``consumer.<key>`` and ``producer.<key>``.
    """

    name: str
    source: Mapping[str, str] = field(repr=False)
    target: Mapping[str, str] = field(repr=False)
    topics: Collection[str]
    streams: int
    throughput: str
    isolation_level: str
    max_record_bytes: int = 1048576
    overrides: Mapping[str, str] = field(default_factory=dict)


def consumer_properties(intent: MirrorMaker1Intent) -> dict[str, str]:
    """``consumer.properties``.

    :raises BadParam: an override of what must not be changed here.
    """
    return {
        **intent.source,
        "group.id": intent.name,
        "client.id": intent.name,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": "false",
        "exclude.internal.topics": "true",
        "isolation.level": intent.isolation_level,
        # Range, the default, gives the first consumers more of every topic.
        "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        # How soon new partitions, and a topic recreated, are seen. The default is five minutes.
        "metadata.max.age.ms": str(1000 * PROFILES[intent.throughput].refresh_seconds),
        # How long the group is held by a process that was killed; nothing can be committed or started meanwhile.
        "session.timeout.ms": "10000",
        **_overrides(intent, "consumer"),
    }


def producer_properties(intent: MirrorMaker1Intent) -> dict[str, str]:
    """``producer.properties``.

    :raises BadParam: an override of what must not be changed here.
    """
    profile = PROFILES[intent.throughput].settings
    prefix = "producer.override."
    return {
        **intent.target,
        "client.id": intent.name,
        "acks": "all",
        # Keeps the order over retries, also with several requests in flight, and repeats nothing by itself.
        "enable.idempotence": "true",
        "max.in.flight.requests.per.connection": "5",
        **producer_settings(intent.max_record_bytes),
        # MirrorMaker's own default is for ever: a topic missing on the target would stop a stream without a word.
        "max.block.ms": "60000",
        **{key.removeprefix(prefix): value for key, value in profile.items() if key.startswith(prefix)},
        **_overrides(intent, "producer"),
    }


def arguments(intent: MirrorMaker1Intent, folder: str) -> list[str]:
    """What follows the main class; no secret is among it.

    :param folder: where the two files are.
    :raises BadParam: too many topics for one command line.
    """
    return [
        "--consumer.config",
        f"{folder}/consumer.properties",
        "--producer.config",
        f"{folder}/producer.properties",
        "--num.streams",
        str(intent.streams),
        "--offset.commit.interval.ms",
        str(1000 * PROFILES[intent.throughput].sync_seconds),
        "--abort.on.send.failure",
        "true",
        # --include came later (KIP-629); this name of it all take that have a MirrorMaker 1 (read in 2.6.0, 3.9.2).
        "--whitelist",
        include(intent.topics),
    ]


def include(topics: Collection[str]) -> str:
    """The regex of exactly these topics. ``IncludeList`` takes a comma for ``|`` and drops blanks and quotes; a topic's
    name has none of these, and of what means something in a regex only the dot.

    :raises BadParam: the regex is too long for a command line.
    """
    pattern = "|".join(name.replace(".", r"\.") for name in sorted(topics))
    if len(pattern) > _LONGEST_ARGUMENT:
        raise BadParam(
            "topics",
            f"the names of {len(topics)} topics are too long for one command line ({len(pattern):,} characters)",
            "several migrations with a part of the topics each",
        )
    return pattern


def _overrides(intent: MirrorMaker1Intent, side: str) -> dict[str, str]:
    result = {}
    for key, value in intent.overrides.items():
        client, _, plain = key.partition(".")
        if client not in ("consumer", "producer") or not plain:
            raise BadParam(
                "overrides", f"{key!r} is neither the consumer's nor the producer's", "consumer.<key> or producer.<key>"
            )
        if plain in _PROTECTED:
            raise BadParam("overrides", f"{key!r} cannot be set here", _PROTECTED[plain])
        if client == side:
            result[plain] = value
    return result
