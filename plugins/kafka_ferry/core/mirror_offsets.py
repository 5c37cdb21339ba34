"""Where a MirrorSourceConnector has come to, in the form in which Connect keeps it. Pure.

Connect keeps the offset of the last record *replicated* (acked by the target and flushed); everywhere else here an
offset is that of the next one. Only this file turns one into the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kafka_ferry.core.partition import Partition


def next_offsets(entries: Iterable[Mapping[str, Any]], alias: str) -> dict[Partition, int]:
    """Per source topic and partition the next offset to be replicated.

    :param entries: ``{"partition": {"cluster", "topic", "partition"}, "offset": {"offset"} or None}``, as the REST API
        lists them. Those of another cluster, of another kind, and without an offset are left out.
    :param alias: source cluster alias.
    """
    found = {}
    for entry in entries:
        place = place_of(entry["partition"], alias)
        if place and entry["offset"]:
            found[place] = next_offset(entry["offset"])
    return found


def place_of(key: Mapping[str, Any], alias: str) -> Partition | None:
    """The partition of a key as :func:`kept_key` gives it; None: of another cluster, or of another kind."""
    if key.get("cluster") != alias or "topic" not in key or "partition" not in key:
        return None
    return str(key["topic"]), int(key["partition"])


def kept_key(place: Partition, alias: str) -> dict[str, Any]:
    """A partition as Connect names it, its keys in the order in which Connect writes them."""
    topic, partition = place
    return {"cluster": alias, "partition": partition, "topic": topic}


def next_offset(kept: Mapping[str, Any]) -> int:
    """What follows the offset that Connect keeps: ``{"offset": last replicated}``."""
    return int(kept["offset"]) + 1


def kept_offset(following: int) -> dict[str, int]:
    """What Connect keeps, so that ``following`` is the next offset to be replicated."""
    return {"offset": following - 1}


def offset_changes(
    wanted: Mapping[Partition, int], actual: Mapping[Partition, int], alias: str
) -> list[dict[str, Any]]:
    """Entries, as Connect takes them, that make the next offsets ``wanted``; an offset of None forgets a partition."""
    return [
        {"partition": kept_key(place, alias), "offset": kept_offset(wanted[place]) if place in wanted else None}
        for place in sorted(wanted.keys() | actual.keys())
        if wanted.get(place) != actual.get(place)
    ]
