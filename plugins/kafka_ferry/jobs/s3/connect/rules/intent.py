"""What an S3 connector shall do, whoever made it: the words of no connector. Pure.

A builder is a function from an ``Intent`` to the connector's config: that of ours is ``own_connectors.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kafka_ferry.core.client_settings import with_prefix

BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


@dataclass(frozen=True)
class Flush:
    """When a sink ends an object: at the first of these.

    :param records: None: as the connector does it.
    :param seconds: by the clock, without a new record too.
    """

    records: int | None = None
    bytes: int | None = None
    seconds: float = 60


@dataclass(frozen=True)
class Intent:
    """One connector between a cluster and a bucket.

    :param way: ``sink``: from topics to the bucket; ``source``: from the bucket to topics.
    :param topics: names, as the source cluster has them.
    :param prefix: folder in the bucket, without ``/`` at either end; may be empty.
    :param export: folder below it, of this export alone.
    :param region: empty: as the worker's environment says.
    :param endpoint: of a store that is not AWS's; empty: AWS.
    :param path_style: None: as the connector does it.
    :param key_id: a ConfigProvider's reference (``${file:...}``), never a key itself; empty: the worker's own
        credentials. ``secret`` likewise.
    :param encryption: ``AES256``, ``aws:kms``, ...; empty: as the bucket has it. ``kms_key``: of it.
    :param tasks: at most.
    :param renames: source topic to target topic, of those that get another name; a sink has none.
    :param poll_seconds: how often a source looks for new objects.
    :param cluster: Java client settings of the cluster that a sink reads, secrets included.
    :param other_cluster: it is not the worker's own.
    :param read_committed: what was written in transactions that were aborted is left out.
    :param overrides: the connector sets up its clients (``consumer.override…``). On MSK Connect it does where nothing
        else can: whether it may is not told.
    """

    way: Literal["sink", "source"]
    topics: tuple[str, ...]
    bucket: str
    prefix: str
    export: str
    region: str = ""
    endpoint: str = ""
    path_style: bool | None = None
    key_id: str = ""
    secret: str = ""
    encryption: str = ""
    kms_key: str = ""
    format: Literal["avro", "jsonl", "parquet", "bytes"] = "avro"
    tasks: int = 1
    renames: Mapping[str, str] = field(default_factory=dict)
    flush: Flush = Flush()
    poll_seconds: float = 10
    cluster: Mapping[str, str] = field(default_factory=dict)
    other_cluster: bool = False
    read_committed: bool = True
    overrides: bool = True


def consumer_overrides(intent: Intent) -> dict[str, str]:
    """What a sink sets of its consumer; where ``overrides`` is false, nothing."""
    if not intent.overrides:
        return {}
    level = "read_committed" if intent.read_committed else "read_uncommitted"
    config = {"consumer.override.isolation.level": level}
    if intent.other_cluster:
        # Of the consumer, and of the client by which the worker forgets its group.
        config |= with_prefix(intent.cluster, "consumer.override.") | with_prefix(intent.cluster, "admin.override.")
    return config
