"""MirrorMaker 2's own topics, as witnesses of whoever else replicates. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import humanize

#: Kinds worth reading: each dedicated MirrorMaker 2 has ``mm2-offsets``, each with group translation ``offset-syncs``.
_NAME = re.compile(r"mm2-(offsets|offset-syncs)\.(.+)\.internal")

#: Seconds. Connect flushes offsets every 60 s by default (``offset.flush.interval.ms``), while there is traffic.
FRESH_SECONDS = 600


@dataclass(frozen=True)
class InternalTopic:
    """One such topic.

    :param kind: ``offsets`` (progress of a dedicated MirrorMaker 2) or ``offset-syncs``.
    :param topics: source topics that its last records speak of.
    :param silent_seconds: since its newest record; None when it is empty.
    """

    name: str
    on_target: bool
    kind: str
    alias: str
    topics: frozenset[str]
    silent_seconds: float | None

    @property
    def is_fresh(self) -> bool:
        """Written so lately that its writer may be at work."""
        return self.silent_seconds is not None and self.silent_seconds < FRESH_SECONDS

    @property
    def age(self) -> str:
        """``last written 5 minutes ago``, for people."""
        if self.silent_seconds is None:
            return "it is empty"
        return f"last written {humanize.naturaldelta(self.silent_seconds)} ago"


def kind_and_alias(name: str) -> tuple[str, str] | None:
    """What a topic name says; None for any other topic."""
    found = _NAME.fullmatch(name)
    return (found[1], found[2]) if found else None


def configs_alias(name: str) -> str | None:
    """Of the topic in which a dedicated MirrorMaker 2 keeps its connectors' configurations; None for any other."""
    found = re.fullmatch(r"mm2-configs\.(.+)\.internal", name)
    return found[1] if found else None


def topic_of_key(kind: str, key: bytes | None) -> str | None:
    """The source topic a record speaks of, from its key; None when the key is none we know.

    ``offset-syncs``: ``OffsetSync.KEY_SCHEMA``, a string after its length as int16, big-endian. ``offsets``: Connect's
    JSON ``[connector, {"cluster": …, "topic": …, "partition": …}]``.
    """
    if kind == "offset-syncs":
        size = int.from_bytes((key or b"")[:2], "big")
        return key[2 : 2 + size].decode(errors="replace") if key and len(key) == size + 6 else None
    try:
        partition = json.loads(key or b"null")[1]
        return str(partition["topic"])
    except (ValueError, TypeError, KeyError, IndexError):
        return None
