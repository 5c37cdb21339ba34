"""What applications are told when they are to use the target. Pure: no secret of a connection is in it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kafka_ferry.core.wave_journal import Journal

SIGNATURE: Final = "X-Kafka-Ferry-Signature"
#: Settings of clients that say where a cluster is and how to log in there, and that hold no secret.
_TOLD = ("bootstrap.servers", "security.protocol", "sasl.mechanism")


def settings_of(extra: Mapping[str, Any]) -> dict[str, str]:
    """What clients are to be set to, but for their own credentials."""
    return {key: str(extra[key]) for key in _TOLD if extra.get(key)}


def handed_over(journal: Journal, target: Mapping[str, Any], groups: Iterable[str]) -> dict[str, Any]:
    """The JSON of the hand-over. It is the same whenever it is sent again: ``id`` tells.

    :param target: extra of its connection.
    """
    renamed = {source: there for source, there in journal.topics.items() if source != there}
    return {
        "event": "handed_over",
        "id": f"{journal.source_cluster}/{journal.wave}/{journal.fenced_at}",
        "wave": journal.wave,
        "topics": sorted(journal.topics),
        **({"target_topics": renamed} if renamed else {}),
        "groups": sorted(groups),
        "target": settings_of(target),
        "fenced_at": journal.fenced_at,
        "handed_over_at": journal.handed_over_at,
    }


def told_of_fence(
    event: str, wave: str, topics: Iterable[str], source: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """The JSON for who stops and starts the producers: ``fence`` or ``unfence``."""
    return {
        "event": event, "wave": wave, "topics": sorted(topics), "source": settings_of(source),
        "answer_within_seconds": seconds,
    }  # fmt: skip


def signature(body: bytes, secret: str) -> str:
    """Of the very bytes of the body, as the header has it."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
