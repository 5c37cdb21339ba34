"""Groups that nobody can ask about, or that have nothing to carry. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kafka_ferry.core.topics import Selection, Skipped

CANNOT_NAME = (
    "the empty group id: librdkafka cannot name it, and Kafka Ferry's own requests do not support this "
    "connection's login (they support PLAIN and SCRAM, with and without TLS)"
)


NO_COMMIT = "no commit on these topics, so there is nothing to copy"


def without_unnamed(selection: Selection, can_name: Callable[[str], bool], why: str = CANNOT_NAME) -> Selection:
    """The same without groups that nobody can ask about; they are skipped with the reason."""
    unnamed = [Skipped(name, why) for name in selection.names if not can_name(name)]
    names = tuple(name for name in selection.names if can_name(name))
    return replace(selection, names=names, skipped=(*selection.skipped, *unnamed))
