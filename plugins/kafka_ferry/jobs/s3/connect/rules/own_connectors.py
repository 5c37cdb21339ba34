"""The configs of our own pair of connectors (docs/s3_connectors.md), from what they shall do. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.client_settings import with_prefix
from kafka_ferry.jobs.s3.connect.rules.intent import BYTES, Intent, consumer_overrides

CLASSES: Final = {
    "sink": "kafkaferry.connect.s3.S3SegmentSinkConnector",
    "source": "kafkaferry.connect.s3.S3SegmentSourceConnector",
}
PLUGIN: Final = "kafka-ferry-s3-connectors.zip"
"""What ``make plugins`` builds."""
LARGEST_REQUEST: Final = 32 * 1024 * 1024
"""As much as a producer keeps at all (buffer.memory)."""


def own_config(intent: Intent) -> dict[str, str]:
    """The connector's config, without its name."""
    config: dict[str, str] = {
        "connector.class": CLASSES[intent.way],
        "tasks.max": str(intent.tasks),
        "topics": ",".join(intent.topics),
        "s3.bucket.name": intent.bucket,
        "export.name": intent.export,
        # Any other converter may change bytes; the default for headers does.
        "key.converter": BYTES,
        "value.converter": BYTES,
        "header.converter": BYTES,
    }
    given = {
        "s3.prefix": intent.prefix,
        "s3.region": intent.region,
        "store.url": intent.endpoint,
        "s3.path.style.access.enabled": "" if intent.path_style is None else str(intent.path_style).lower(),
        "aws.access.key.id": intent.key_id,
        "aws.secret.access.key": intent.secret,
        "s3.ssea.name": intent.encryption,
        "s3.sse.kms.key.id": intent.kms_key,
    }
    config |= {key: value for key, value in given.items() if value}
    return config | (_sink(intent) if intent.way == "sink" else _source(intent))


def _sink(intent: Intent) -> dict[str, str]:
    flush = intent.flush
    config = {
        **with_prefix(intent.cluster, "kafka."),
        **consumer_overrides(intent),
        "format": intent.format,
        "rotate.schedule.interval.ms": _ms(flush.seconds),
        "manifest.interval.ms": _ms(max(1, flush.seconds)),
    }
    if flush.records is not None:
        config["flush.size"] = str(flush.records)
    if flush.bytes is not None:
        config["flush.bytes"] = str(flush.bytes)
    return config


def _source(intent: Intent) -> dict[str, str]:
    config = {"s3.poll.interval.ms": _ms(intent.poll_seconds)}
    if intent.overrides:
        # What the source's brokers took is no larger than this; the target's own limit decides.
        config["producer.override.max.request.size"] = str(LARGEST_REQUEST)
    if intent.renames:
        config["topics.rename"] = ",".join(f"{old}:{new}" for old, new in sorted(intent.renames.items()))
    return config


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))
