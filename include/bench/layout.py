"""Which topics, records and groups the migration of many topics has. Pure."""

from __future__ import annotations

from demo.spec import GroupSpec, Record, TopicSpec

RECORDS_PER_PARTITION = 3
TOPICS_PER_GROUP = 7


def partitions_of(topics: int, partitions: int) -> list[int]:
    """Partitions of each topic, as even as they can be.

    :raises ValueError: fewer partitions than topics.
    """
    if not 0 < topics <= partitions:
        raise ValueError(f"{partitions} partitions cannot be shared by {topics} topics")
    each, more = divmod(partitions, topics)
    return [each + (number < more) for number in range(topics)]


def topics(count: int, partitions: int) -> list[TopicSpec]:
    """``count`` topics with together ``partitions`` partitions and a few records in each partition."""
    result = []
    for number, width in enumerate(partitions_of(count, partitions)):
        name = f"scale.topic-{number:04d}"
        records = [
            Record(b"%d" % place, f"{name} {place} {turn}".encode(), 1_700_000_000_000 + turn, None, place)
            for place in range(width)
            for turn in range(RECORDS_PER_PARTITION)
        ]
        result.append(TopicSpec.of(name, width, {"retention.ms": "-1"}, records))
    return result


def groups(count: int, specs: list[TopicSpec]) -> list[GroupSpec]:
    """Groups on a few topics each, at the start, in the middle and at the end."""
    result = []
    for number in range(count):
        mine = [specs[(number * TOPICS_PER_GROUP + step) % len(specs)].name for step in range(TOPICS_PER_GROUP)]
        result.append(GroupSpec(f"scale-group-{number:03d}", tuple(dict.fromkeys(mine)), (number % 3) / 2))
    return result
