"""How often the target holds a topic's records, and what most likely made it so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.job import PartitionResult

_FIX = (
    "stop all but one, delete the target topic if no application uses it, and copy it again; a connector "
    "recreated under another name counts as one more"
)


def copies_by_topic(results: Iterable[PartitionResult]) -> dict[str, str]:
    """For people, by source topic: how many times its records are there and why. Only topics with several copies.

    Replicators do not see each other: each says that it is complete, and the target has as many copies as there are
    replicators (measured: MirrorMaker 1, a dedicated MirrorMaker 2 and one on Connect at once, ratio exactly 3).
    """
    topics: dict[str, list[PartitionResult]] = {}
    for result in results:
        topics.setdefault(result.source_topic, []).append(result)
    texts = {name: _copies_text([one.comparison for one in mine], mine[0].whole_topic) for name, mine in topics.items()}
    return {name: text for name, text in texts.items() if text}


def _copies_text(found: Sequence[PartitionComparison], whole_topic: bool) -> str:
    factors = {one.factor for one in found if one.target_records}
    if len(factors) == 1 and (times := factors.pop()) > 1:
        return f"each record {times} times: probably {times} replicators copied this topic; {_FIX}"
    source, target = (sum(getattr(one, f"{side}_records") for one in found) for side in ("source", "target"))
    times = target // source if source else 0
    if whole_topic or times < 2 or target % source or any(one.lost or one.altered for one in found):
        return ""
    if not any(one.unexpected for one in found):
        return ""
    # Partition by partition a copy whose keys were rehashed looks like records that are not the source's.
    return (
        f"{times} times as many records as on the source and none lost: probably {times} replicators copied this "
        "topic, one of them into other partitions, as MirrorMaker 1 does (any_partition of verify_clusters shows it); "
        f"{_FIX}"
    )
