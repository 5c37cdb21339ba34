"""Groups that nobody can ask about, or that have nothing to carry. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kafka_ferry.core.topics import Selection, Skipped

CANNOT_NAME = (
    "the empty group id: librdkafka cannot name it, and our own requests do not know this connection's login (they "
    "know PLAIN and SCRAM, with and without TLS)"
)


NO_COMMIT = "no commit on these topics, so there is nothing to carry"


def without_unnamed(selection: Selection, can_name: Callable[[str], bool], why: str = CANNOT_NAME) -> Selection:
    """The same without groups that nobody can ask about; they are skipped with the reason."""
    unnamed = [Skipped(name, why) for name in selection.names if not can_name(name)]
    names = tuple(name for name in selection.names if can_name(name))
    return replace(selection, names=names, skipped=(*selection.skipped, *unnamed))
