"""Where replication must resume when the target already holds records: after the source record that the target's last
record is. Pure: it is handed what reads the clusters.

This makes a deploy safe to repeat. A connector's own offsets are gone once it was removed with its residue, and a
connector created without them copies everything a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import FerryError
from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.reader import RecordReader

#: How many of the target's last records must agree to call a place found; identical records may repeat in a topic.
TAIL = 64


class ForeignData(FerryError):
    """The target holds records that are not the source's: replicating on top of them cannot be proven right."""


class Offsets(Protocol):
    """The admin calls needed here; ``hooks.kafka.admin.KafkaAdmin`` has them."""

    def offsets(self, partitions: Iterable[Partition], which: str, isolation_level: str) -> dict[Partition, int]: ...


@dataclass(frozen=True)
class Side:
    """One cluster, for resuming: its offsets and its records.

    :param few: reads the last records of many partitions, and spends no quota on what is not asked for (measured: 39 s
        for 64 records of two partitions at 100 kB/s by the other).
    """

    admin: Offsets
    reader: RecordReader
    few: RecordReader


def resume_offsets(
    source: Side,
    target: Side,
    topics: Mapping[str, tuple[TopicState, TopicState]],
    isolation_level: str,
    known: Mapping[Partition, int] | None = None,
    only: Collection[Partition] | None = None,
) -> dict[Partition, int]:
    """Next source offset to replicate, by source topic and partition; absent = from the log start.

    :param topics: source topic to (source state, target state), for target topics that exist.
    :param known: what this said before, while a copy was under way: where offsets are not equal the place is looked for
        from there on first, and not from the log start.
    :param only: source partitions to look at; None: all.
    :raises ForeignData: a target partition ends with a record that the source does not have.
    """
    result: dict[Partition, int] = {}
    for stamped in (True, False):
        chosen = {name: pair for name, pair in topics.items() if _stamped(pair) is stamped}
        if chosen:
            result |= _Resume(source, target, chosen, isolation_level, stamped, known or {}, only).offsets()
    return result


def _stamped(pair: tuple[TopicState, TopicState]) -> bool:
    return all(topic.has_writers_time for topic in pair)


class _Resume:
    def __init__(
        self,
        source: Side,
        target: Side,
        topics: Mapping[str, tuple[TopicState, TopicState]],
        isolation_level: str,
        stamped: bool,
        known: Mapping[Partition, int],
        only: Collection[Partition] | None,
    ) -> None:
        self._source, self._target, self._topics = source, target, topics
        self._known, self._only = known, only
        self._isolation_level, self._stamped = isolation_level, stamped

    def offsets(self) -> dict[Partition, int]:
        tails = self._tails()
        begins = self._source.admin.offsets(tails, "earliest", self._isolation_level)
        ends = self._source.admin.offsets(tails, "latest", self._isolation_level)
        # From an empty target, without transactions or compaction, offsets are equal: look there first, it is cheap.
        near = {
            tp: (max(begins[tp], int(tail.offsets[-1]) - TAIL + 1), min(ends[tp], int(tail.offsets[-1]) + 1))
            for tp, tail in tails.items()
        }
        found = self._find(self._source.few, tails, near, whole_tail=True)
        # Records may have been sent again: who is not found behind the last place is looked for everywhere.
        behind = {
            tp: (max(begins[tp], self._known[tp] - TAIL), ends[tp])
            for tp in tails
            if tp not in found and tp in self._known
        }
        found |= self._find(self._source.reader, tails, behind, whole_tail=False)
        far = {tp: (begins[tp], ends[tp]) for tp in tails if tp not in found}
        found |= self._find(self._source.reader, tails, far, whole_tail=False)
        for tp in sorted(far.keys() - found.keys()):  # the first by name: the same one on every try
            self._refuse_unless_compacted(tp, tails[tp])
        return found

    def _tails(self) -> dict[Partition, PartitionContent]:
        partitions = {
            (pair[1].name, p): (name, p)
            for name, pair in self._topics.items()
            for p in range(pair[1].partitions)
            if self._only is None or (name, p) in self._only
        }
        begins = self._target.admin.offsets(partitions, "earliest", "read_uncommitted")
        ends = self._target.admin.offsets(partitions, "latest", "read_committed")
        filled = [tp for tp in partitions if ends[tp] > begins[tp]]
        last = [PartitionRange(*tp, max(begins[tp], ends[tp] - TAIL), ends[tp]) for tp in filled]
        tails = dict(self._target.few.read(last, with_timestamp=self._stamped))
        # Only transaction markers or compacted holes near the end: read it all.
        bare = [PartitionRange(*tp, begins[tp], ends[tp]) for tp in filled if not len(tails[tp])]
        tails |= self._target.reader.read(bare, with_timestamp=self._stamped) if bare else {}
        return {partitions[tp]: _last(tail) for tp, tail in tails.items() if len(tail)}

    def _find(
        self,
        reader: RecordReader,
        tails: Mapping[Partition, PartitionContent],
        ranges: Mapping[Partition, tuple[int, int]],
        whole_tail: bool,
    ) -> dict[Partition, int]:
        wanted = [PartitionRange(*tp, *ends) for tp, ends in ranges.items() if ends[0] < ends[1]]
        contents = reader.read(wanted, with_timestamp=self._stamped) if wanted else {}
        result = {}
        for tp, content in contents.items():
            position = find_tail(tails[tp], content, whole_tail)
            # A window that begins in the middle of the log agrees too easily at its edge: there only the equal offset
            # counts, or a record that merely looks the same would decide.
            if position is not None and not (whole_tail and content.offsets[position] != tails[tp].offsets[-1]):
                result[tp] = int(content.offsets[position]) + 1
        return result

    def _refuse_unless_compacted(self, tp: Partition, tail: PartitionContent) -> None:
        source, target = self._topics[tp[0]]
        if source.compacted:
            return  # its cleaner may have removed the record; copying all again gives the same last value per key
        raise ForeignData(
            f"target {target.name}-{tp[1]} ends, at offset {int(tail.offsets[-1])}, with a record that the source "
            f"{source.name}-{tp[1]} does not have: another producer writes there, such as a migration from "
            "another source "
            "into the same topic, or it expired on the source. Fix: delete the target topic, but not if an "
            "application uses it, as after a cutover; or choose other names "
            "(naming: prefix keeps the sources of an aggregation apart), or leave the topic out (exclude_topics)"
        )


def find_tail(tail: PartitionContent, source: PartitionContent, whole_tail: bool) -> int | None:
    """Position in ``source`` of the record that is the last of ``tail``; None when there is none.

    Of several places the one with the longest run of agreeing records before it is taken; of equally long runs the
    first, which can only repeat records, never skip them.

    :param whole_tail: demand that all of the tail agrees, as far as ``source`` reaches back.
    """
    places: Sequence[int] = np.flatnonzero(source.hashes == tail.hashes[-1]).tolist()
    best, longest = None, 0
    for place in places:
        run = _run(tail, source, place)
        if run > longest:
            best, longest = place, run
    if best is not None and whole_tail and longest < min(len(tail), best + 1):
        return None
    return best


def _run(tail: PartitionContent, source: PartitionContent, place: int) -> int:
    size = min(len(tail), place + 1)
    agree = tail.hashes[len(tail) - size :] == source.hashes[place + 1 - size : place + 1]
    return size if agree.all() else int(np.argmin(agree[::-1]))


def _last(content: PartitionContent) -> PartitionContent:
    return PartitionContent(content.offsets[-TAIL:], content.hashes[-TAIL:], content.bytes, content.begin, content.end)
