"""From intent to ``mm2.properties`` of a dedicated MirrorMaker 2. Pure.

Read in Kafka 4.3.1, ``MirrorMakerConfig``: each connector gets the cluster's client settings by itself, and every key
written with the flow before it (``source->target.key``), whichever of the three connectors knows it. The keys are those
of the connectors on Kafka Connect, so one builder decides for both.
"""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.core.client_settings import with_prefix
from kafka_ferry.core.topic_rename import POLICY_KEY, RENAME_KEY
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import (
    MirrorIntent,
    configs,
    residue_topics,
)

#: What the process decides by itself, from the clusters' sections and the flow's name.
_NOT_OF_A_FLOW = ("connector.class", "source.cluster.", "target.cluster.", "key.converter", "value.converter",
                  "header.converter")  # fmt: skip

_PROTECTED = {
    "clusters": "params source_alias and migration name them",
    "bootstrap.servers": "the addresses come from the connections source_conn_id and target_conn_id",
    "sasl.jaas.config": "logins come from the connections source_conn_id and target_conn_id",
    "replication.policy.class": "use param naming",
    "replication.policy.separator": "use param naming; the run looks for the topics under those names",
    "replication.policy.topic.rename.format": "use params naming and topic_rename_format",
    "offset-syncs.topic.location": "on the source it would need the right to write, and would leave a topic there",
    "header.converter": "any converter but ByteArrayConverter rewrites headers",
    "key.converter": "records are copied as bytes",
    "value.converter": "records are copied as bytes",
    "topics": "use param topics",
    "topics.exclude": "use param exclude_topics",
    "topics.blacklist": "use param exclude_topics",
    "groups": "use param groups",
    "groups.exclude": "use param exclude_groups",
    "isolation.level": "use param isolation_level",
    "offset.storage.topic": "progress is read from it by its name",
}


def internal_topics(source_alias: str) -> tuple[str, ...]:
    """Topics on the target that a dedicated MirrorMaker 2 keeps for this flow; deleted with it."""
    worker = tuple(f"mm2-{kind}.{source_alias}.internal" for kind in ("configs", "offsets", "status"))
    return (*worker, *residue_topics(source_alias))


def properties(
    intent: MirrorIntent, overrides: Mapping[str, str] | None = None, listeners: str | None = None
) -> dict[str, str]:
    """``mm2.properties`` of one flow.

    :param intent: its client settings may hold references such as ``${file:/path:key}``: the process resolves them by
        its own ``config.providers``, and they reach its topics as they are (measured: literal passwords do, in clear).
    :param overrides: keys of connectors without a prefix, or keys with the prefix that the file needs
        (``target.offset.flush.interval.ms``, ``source->target.tasks.max``).
    :param listeners: address of the REST API through which the processes of several hosts talk (KIP-710).
    :raises BadParam: an override of what must not be changed here.
    """
    source, target = intent.source_alias, intent.target_alias
    flow, back = f"{source}->{target}", f"{target}->{source}"
    connectors = configs(intent)
    address = {f"producer.override.{key}" for key in intent.target}
    keys = {
        key: value
        for config in connectors.values()
        for key, value in config.items()
        if not key.startswith(_NOT_OF_A_FLOW) and key not in address
    }
    keys |= {
        "enabled": "true",
        "emit.heartbeats.enabled": str(intent.heartbeats).lower(),
        "emit.checkpoints.enabled": str(bool(intent.groups)).lower(),
    }
    factor = str(intent.replication_factor)
    result = {
        "clusters": f"{source}, {target}",
        **with_prefix(intent.source, f"{source}."),
        **with_prefix(intent.target, f"{target}."),
        **{f"{flow}.{key}": value for key, value in keys.items()},
        # Both: without the second a reverse herder writes topics to the SOURCE (measured).
        f"{back}.enabled": "false",
        f"{back}.emit.heartbeats.enabled": "false",
        # Also at the top: whoever reads this file as a client does (MirrorClient) asks for the policy there. With its
        # format, without which the same policy would give other names.
        **{key: keys[key] for key in (POLICY_KEY, RENAME_KEY) if key in keys},
        "replication.factor": factor,
        **{f"{target}.{kind}.storage.replication.factor": factor for kind in ("config", "offset", "status")},
        # The top-level key is ignored (measured: the log says 60000); progress is what was flushed.
        f"{target}.offset.flush.interval.ms": "1000",
        # Both are needed: the top-level one covers only the first scan. A scan of the class path costs 16 s (measured).
        "plugin.discovery": "service_load",
        f"{target}.plugin.discovery": "service_load",
        f"{source}.plugin.discovery": "service_load",
    }
    if listeners:
        result |= {"dedicated.mode.enable.internal.rest": "true", "listeners": listeners}
    return result | _checked(overrides or {}, flow)


def _checked(overrides: Mapping[str, str], flow: str) -> dict[str, str]:
    """A plain key becomes the flow's; every other is written as it is."""
    result = {}
    for key, value in overrides.items():
        plain = key.partition("->")[2].partition(".")[2] if "->" in key else key
        for protected, why in _PROTECTED.items():
            if plain == protected or plain.endswith(f".{protected}"):
                raise BadParam("overrides", f"{key!r} cannot be set here", why)
        own = "->" in key or key.startswith(tuple(f"{alias}." for alias in flow.split("->")))
        result[key if own or key in _TOP_LEVEL else f"{flow}.{key}"] = value
    return result


#: Keys that mean something without a prefix only.
_TOP_LEVEL = ("listeners", "dedicated.mode.enable.internal.rest", "config.providers")
