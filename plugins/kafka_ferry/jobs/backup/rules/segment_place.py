"""Whether a segment's object is where a segment of its topic lies. Pure."""

from __future__ import annotations

import re

from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, segment_key

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")  # Kafka's org.apache.kafka.common.internals.Topic


_TOPIC_ID = re.compile(r"[A-Za-z0-9_+/=-]{1,64}")


def topic_problem(name: str, topic_id: str) -> str | None:
    """Why a topic of these names can have no objects; None when it can."""
    if not _TOPIC.fullmatch(name) or name in (".", ".."):
        return f"{name[:260]!r} is no name of a topic"
    return None if _TOPIC_ID.fullmatch(topic_id) else f"{topic_id[:80]!r} is no topic id"


def segment_problem(
    backup: str, topic: str, topic_id: str, partition: int, begin: int, sha256: str, key: str
) -> str | None:
    """Why a key is not the one of this segment; None when it is."""
    place = backup, topic, topic_id, partition, begin, sha256
    if any(key == segment_key(*place, suffix) for suffix in SUFFIXES.values()):
        return None
    return f"its key {key[:300]!r} is not that of its own object: {segment_key(*place, '')[:300]!r} and an ending"
