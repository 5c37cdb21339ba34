"""From intent to the configuration of EMR's ``EMRReplicatorSourceConnector``. Pure.

The connector comes with EMR clusters of a cloud and with nothing else: its jar is closed, and we have never run it. The
keys and their defaults are those of EMR's published how-to for replication through the Connect REST API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.topic_rename import DEFAULT_FORMAT, TopicRename

CONNECTOR_CLASS = "EMRReplicatorSourceConnector"
_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


@dataclass(frozen=True)
class EmrReplicatorIntent:
    """What it shall do.

    :param source: Java client settings of the source, unprefixed; only an address is known to have a key.
    :param source_zookeeper, target_zookeeper: ``host:port,…[/chroot]``. It writes to the cluster that its Connect
        workers live on.
    :param topics: source topics by name: it takes no regexes.
    :param rename_format: how topics are called on the target.
    :param max_poll_records: records of one poll of the source.
    """

    source: Mapping[str, str]
    source_zookeeper: str
    target_zookeeper: str
    topics: Sequence[str]
    rename_format: str = DEFAULT_FORMAT
    max_poll_records: int = 300


def config(intent: EmrReplicatorIntent) -> dict[str, str]:
    """The connector's configuration.

    :raises ValueError: what has no known key: client security, no topics, a format that leads nowhere.
    """
    secured = sorted(set(intent.source) - {"bootstrap.servers"} - _harmless(intent.source))
    if secured:
        raise ValueError(
            f"EMR documents no key for the source's {', '.join(secured)}; it it reads unsecured clusters only"
        )
    if not intent.topics:
        raise ValueError("no topic is named")
    if lacking := [name for name in ("source_zookeeper", "target_zookeeper") if not getattr(intent, name)]:
        raise ValueError(f"{lacking[0]} is missing")
    return {
        "connector.class": CONNECTOR_CLASS,
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        "header.converter": _BYTES,  # ours: the default rewrites header bytes as base64 text (measured with Connect)
        "src.kafka.bootstrap.servers": intent.source["bootstrap.servers"],
        "src.zookeeper.connect": intent.source_zookeeper,
        "dest.zookeeper.connect": intent.target_zookeeper,
        "topic.whitelist": ",".join(intent.topics),
        "topic.rename.format": TopicRename(intent.rename_format).format,
        "src.kafka.max.poll.records": str(intent.max_poll_records),
    }


def _harmless(settings: Mapping[str, str]) -> set[str]:
    return {"security.protocol"} if settings.get("security.protocol") == "PLAINTEXT" else set()
