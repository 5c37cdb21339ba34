"""What a restore would write, under which names, and what an offset becomes. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from kafka_ferry.core.expression import problem_of
from kafka_ferry.core.retention import HELD_AS, HELD_SIZE, HOLDABLE, SIZES, small_segments
from kafka_ferry.core.unmatched import did_you_mean
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.manifest import GroupOffset, PartitionBackup, Segment, TopicBackup


@dataclass(frozen=True)
class RestoreTopic:
    """One topic to restore.

    :param name: on the target. ``source``: as it is in the backup.
    """

    source: TopicBackup
    name: str
    partitions: tuple[PartitionBackup, ...]


def target_name(source: str, rename: Mapping[str, str], names: Container[str] = ()) -> str:
    """The name on the target: an exact entry wins, then the first regular expression that matches all of the name.

    :param names: that there are: an entry that is one of them means only itself, and not ``a-b`` by its dot too.
    """
    if source in rename:
        return rename[source]
    for pattern, name in rename.items():
        if pattern in names:
            continue
        if problem := problem_of(pattern):
            raise BadParam("rename", problem, "a simpler regular expression")
        try:
            match = re.fullmatch(pattern, source)
            if match:
                return match.expand(name)
        except (re.error, IndexError) as error:
            raise BadParam("rename", f"{pattern!r} to {name!r}: {error}", "a regular expression and a name") from error
    return source


def select_topics(
    topics: Sequence[TopicBackup],
    chosen: Sequence[str],
    rename: Mapping[str, str],
    partitions: Mapping[str, Sequence[int]] | None = None,
) -> list[RestoreTopic]:
    """Topics of a backup by name or regular expression (all when ``chosen`` is empty), renamed.

    :param partitions: topic to the partitions wanted of it; topics not named are restored whole.
    :raises BadParam: an entry matches nothing, or two topics would have one name.
    """
    partitions = partitions or {}
    names = [topic.name for topic in topics]
    for entry in chosen:
        if not any(_matches(entry, name, names) for name in names):
            known = ", ".join(names[:10]) or "none"
            hint = did_you_mean(entry, names)
            raise BadParam("topics", f"{entry!r} is not in the backup{hint}", f"one of its topics: {known}")
    result: list[RestoreTopic] = []
    for topic in topics:
        if chosen and not any(_matches(entry, topic.name, names) for entry in chosen):
            continue
        wanted = partitions.get(topic.name)
        parts = tuple(one for one in topic.partitions if wanted is None or one.partition in wanted)
        result.append(RestoreTopic(topic, target_name(topic.name, rename, names), parts))
    by_name: dict[str, str] = {}
    for one in result:
        if one.name in by_name:
            raise BadParam(
                "rename",
                f"{by_name[one.name]!r} and {one.source.name!r} would both be {one.name!r}",
                "a different name for each",
            )
        by_name[one.name] = one.source.name
    return result


def _matches(entry: str, name: str, names: Container[str]) -> bool:
    """A name that is there means only itself, as in a migration."""
    if entry in names:
        return entry == name
    if problem := problem_of(entry):
        raise BadParam("topics", problem, "a name, or a simpler regex")
    return re.fullmatch(entry, name) is not None


def takes_part(segment: Segment, point_in_time: int | None) -> bool:
    """Whether a segment has records to restore. ``point_in_time``: ms; records younger than it are left out."""
    return segment.records > 0 and (
        point_in_time is None or segment.min_timestamp is None or segment.min_timestamp <= point_in_time
    )


def whole(segment: Segment, point_in_time: int | None) -> bool:
    """Whether all records of a segment are restored as they are, so that its fingerprint is the restored one's."""
    cut = point_in_time is not None and segment.max_timestamp is not None and segment.max_timestamp > point_in_time
    times = segment.min_timestamp, segment.max_timestamp
    return not cut and (times[0] is None or times[1] is None or not times[0] <= 0 <= times[1])


def not_there_yet(segments: Sequence[Segment], there: int, point_in_time: int | None) -> list[Segment]:
    """The segments of a partition whose records a restore has not delivered, or not all of them.

    :param there: records that the target's partition holds. Of segments that are cut their number is not known: they
        count as not delivered, with all behind them.
    """
    taken = [one for one in segments if takes_part(one, point_in_time)]
    for at, one in enumerate(taken):
        there -= one.records
        if there < 0 or not whole(one, point_in_time):
            return taken[at:]
    return []


FOR_ZERO = 1
"""ms since 1970: librdkafka takes 0, and 0 alone, for "now", so a record of 1970-01-01 00:00 is restored as of this."""


def held_configs(configs: Mapping[str, str]) -> dict[str, str]:
    """The configs a topic has while it is restored: nothing is deleted, compacted, given another timestamp, or refused
    because it is packed larger than it was.

    :param configs: of the topic when the restore is over.
    """
    return {
        **configs,
        **{key: HELD_AS[key] for key in HOLDABLE},
        "max.message.bytes": HELD_SIZE,
        **({"segment.bytes": HELD_SIZE} if small_segments(configs) else {}),
        "cleanup.policy": "delete",
        "message.timestamp.type": "CreateTime",
    }


def configs_to_hold(effective: Mapping[str, str]) -> dict[str, str]:
    """What to set on a topic that is there.

    :param effective: its configs in force.
    """
    return held_configs({"segment.bytes": effective["segment.bytes"]} if small_segments(effective) else {})


def own_sizes(configs: Mapping[str, str]) -> dict[str, str]:
    """As :func:`held_configs`, with the topic's own limits of size."""
    held = {key: value for key, value in held_configs(configs).items() if key not in SIZES}
    return {**held, **{key: configs[key] for key in SIZES if key in configs}}


def configs_to_put_back(after: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str | None]:
    """What ends the hold: None is the default."""
    keys = [*held_configs({}), "segment.bytes"]
    return {key: after.get(key) for key in keys if now.get(key) != after.get(key)}


@dataclass(frozen=True)
class OffsetMap:
    """From offsets of the source to offsets of the restored partition.

    Kafka gives the restored records consecutive offsets, so the n-th record of the backup stands at ``base + n``.

    :param runs: (first source offset, records, records before it), runs of consecutive source offsets in order.
    """

    base: int
    runs: tuple[tuple[int, int, int], ...] = ()
    _firsts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_firsts", tuple(run[0] for run in self.runs))

    @classmethod
    def of(cls, base: int, pieces: Iterable[range | Any]) -> OffsetMap:
        """:param pieces: offsets of the restored records, in order: ranges without a hole, or arrays of int64."""
        runs: list[tuple[int, int, int]] = []
        count = 0
        for piece in pieces:
            for first, records in [(piece.start, len(piece))] if isinstance(piece, range) else _runs(piece):
                if runs and runs[-1][0] + runs[-1][1] == first:
                    runs[-1] = runs[-1][0], runs[-1][1] + records, runs[-1][2]
                elif records:
                    runs.append((first, records, count))
                count += records
        return cls(base, tuple(runs))

    @property
    def records(self) -> int:
        return self.runs[-1][1] + self.runs[-1][2] if self.runs else 0

    def translate(self, offset: int) -> int:
        """Where a reader goes on that has read everything below ``offset``: at the next restored record.

        Exact also in gaps, below the first record and above the last one.
        """
        at = bisect_left(self._firsts, offset)  # runs before `at` begin below the offset
        if at == 0:
            return self.base
        first, records, before = self.runs[at - 1]
        return self.base + before + min(records, offset - first)


def _runs(offsets: Any) -> list[tuple[int, int]]:
    if not len(offsets):
        return []
    starts = np.concatenate(([0], np.flatnonzero(np.diff(offsets) != 1) + 1, [len(offsets)])).tolist()
    return [(int(offsets[begin]), end - begin) for begin, end in pairwise(starts)]


def translate_groups(
    groups: Mapping[str, Sequence[GroupOffset]],
    names: Mapping[str, str],
    maps: Mapping[tuple[str, int], OffsetMap],
) -> dict[str, dict[tuple[str, int], int]]:
    """Group to committed offsets on the target.

    :param names: topic to its name on the target. ``maps``: by source topic and partition.
    """
    result: dict[str, dict[tuple[str, int], int]] = {}
    for group, offsets in groups.items():
        found = {
            (names[one.topic], one.partition): maps[one.topic, one.partition].translate(one.offset)
            for one in offsets
            if (one.topic, one.partition) in maps
        }
        if found:
            result[group] = found
    return result
