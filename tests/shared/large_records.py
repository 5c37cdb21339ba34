"""Records that brokers with default settings take, as they are small once compressed, and that copies stumble over."""

from __future__ import annotations

import os
from collections.abc import Callable

WELL_PACKED = {"compression.type": "zstd", "message.max.bytes": 100_000_000, "batch.size": 50_000_000, "linger.ms": 200}


def make(bootstrap: str, prefix: str, make_topics: Callable[..., list[str]], produce: Callable[..., None]) -> list[str]:
    """Four topics, of which none says how large its records may be; the last one's segments are small."""
    zeros, digits, many, segments = (f"{prefix}{name}" for name in ("zeros", "digits", "many", "segments"))
    make_topics(bootstrap, zeros, digits, many)
    make_topics(bootstrap, segments, config={"segment.bytes": "1048576"})
    small = [{"key": b"%d" % n, "value": b"small"} for n in range(20)]
    for topic in (zeros, digits, many, segments):
        produce(bootstrap, topic, small, **WELL_PACKED)
    produce(
        bootstrap, zeros, [{"key": b"z", "value": bytes(1_800_000)}], **WELL_PACKED
    )  # KAFKA-4169: 0.1 kB as a batch
    # zstd packs hex digits into half; lz4, which has no entropy coding, into nothing.
    produce(bootstrap, digits, [{"key": b"h", "value": os.urandom(800_000).hex().encode()}], **WELL_PACKED)
    produce(bootstrap, segments, [{"key": b"h", "value": os.urandom(800_000).hex().encode()}], **WELL_PACKED)
    produce(bootstrap, many, [{"key": b"%d" % n, "value": bytes([n]) * 900_000} for n in range(40)], **WELL_PACKED)
    for topic in (zeros, digits, many, segments):
        produce(bootstrap, topic, small, **WELL_PACKED)
    return [zeros, digits, many, segments]
