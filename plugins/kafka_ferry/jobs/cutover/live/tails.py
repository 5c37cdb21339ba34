"""What came since contents were compared: read on both sides, compared, and counted on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.wave_journal import name_of
from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.groups import marks_by_segment
from kafka_ferry.jobs.cutover.rules.tails import Anchors, Segment, grown, sent_again, summed
from kafka_ferry.records.compare import PartitionComparison, compare
from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.last_value import compare_last_values
from kafka_ferry.records.translate import GroupLine, GroupMark, translate

#: Artifact: how far the tails were compared before the window.
TAILS = "tails.json"
#: Of a partition that is to be read as a whole from now on.
_TO_READ = -1
#: Artifact: at which time how many records were behind.
LAG = "lag.json"
_NOTHING = PartitionComparison("pass", 0, 0)


@dataclass
class Tail:
    """One partition.

    :ivar since: comparison of what came after the last anchor of ``base`` up to the newest.
    :ivar behind: source records (where all is read: keys) that are not on the target yet, at the last look. ``seen``:
        both ends then.
    :ivar reads_all: a compacted partition whose cleaners differ: no place in it is equal, so it is read from its begin,
        and the last values of its keys are compared.
    """

    base: PartitionResult
    compacted: bool
    with_timestamp: bool
    anchors: Anchors
    since: PartitionComparison = field(default_factory=lambda: _NOTHING)
    behind: int = 0
    seen: tuple[int, int] | None = None
    reads_all: bool = False

    @property
    def stands(self) -> tuple[int, int]:
        """Source and target offset up to which all is equal."""
        return self.anchors[-1]


class TailDiffers(DataLossError):
    """What came on the target is not what was written on the source."""


class Tails:
    """Those of all partitions of a wave. One reader for each side, kept until it is closed.

    :param results: of the comparison before. ``noted``: what ``to_json`` gave earlier in the run.
    :ivar lag: at each look, seconds since 1970 and the source records that were not on the target.
    :ivar target_ends: source partition to where the target ended at the last look.
    """

    def __init__(self, wave: Wave, results: Sequence[PartitionResult], noted: Mapping[str, Any] | None = None) -> None:
        self._wave = wave
        migration = wave.migration
        source, target = migration.topics.topics, migration.target_topics()
        self.tails: dict[Partition, Tail] = {}
        self.lag: list[tuple[float, int]] = []
        self.target_ends: dict[Partition, int] = {}
        for result in results:
            ours, theirs = source[result.source_topic], target[result.target_topic]
            timed = ours.has_writers_time and theirs.has_writers_time
            tail = Tail(result, ours.compacted, timed, result.anchors, reads_all=len(result.anchors) < 2)
            tp = result.source_topic, result.partition
            if noted and (found := noted.get(name_of(tp))) and not tail.reads_all:
                tail.anchors = (*tail.anchors, *((a, b) for a, b in found["anchors"]))
                tail.since = PartitionComparison.from_json(found["since"])
            self.tails[tp] = tail
        level = wave.spec.isolation_level
        self._source, self._target = wave.source.reader(level), wave.target.reader("read_committed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._source.close()
        self._target.close()

    @property
    def behind(self) -> dict[Partition, int]:
        """Partitions with records that are not on the target, to how many."""
        return {tp: tail.behind for tp, tail in self.tails.items() if tail.behind}

    def advance(self, ends: Mapping[Partition, int] | None = None) -> int:
        """Look at what moved since the last time; records that are not on the target yet.

        :param ends: of the source, once nobody writes any more; None: as they are now.
        :raises TailDiffers: the target holds what the source does not, in another order, or more than once.
        """
        names = self._wave.names
        # The target's first: each of its records is one of the source's that is read here.
        theirs = self._wave.target.admin.offsets([names[tp] for tp in self.tails], "latest", "read_committed")
        ours = ends or self._wave.source.admin.offsets(self.tails, "latest", self._wave.spec.isolation_level)
        self.target_ends = {tp: theirs[names[tp]] for tp in self.tails}
        moved = []
        for tp, tail in self.tails.items():
            both = ours[tp], theirs[names[tp]]
            if both not in (tail.stands, tail.seen):
                moved.append(tp)
        for kind in {(self.tails[tp].reads_all, self.tails[tp].with_timestamp) for tp in moved}:
            some = [tp for tp in moved if (self.tails[tp].reads_all, self.tails[tp].with_timestamp) == kind]
            self._compare(some, ours, theirs, kind)
        for tp in moved:
            self.tails[tp].seen = ours[tp], theirs[names[tp]]
        if turned := [tp for tp in moved if self.tails[tp].reads_all and self.tails[tp].behind < 0]:
            for timed in {self.tails[tp].with_timestamp for tp in turned}:
                some = [tp for tp in turned if self.tails[tp].with_timestamp == timed]
                self._compare(some, ours, theirs, (True, timed))
        left = sum(self.behind.values())
        self.lag.append((round(time.time(), 2), left))
        return left

    def _compare(
        self, some: Sequence[Partition], ours: Mapping[Partition, int], theirs: Mapping[Partition, int],
        kind: tuple[bool, bool],
    ) -> None:  # fmt: skip
        names, (keys, timed) = self._wave.names, kind
        whole = some if keys else ()
        starts = self._wave.source.admin.offsets(whole, "earliest", "read_uncommitted")
        target_starts = self._wave.target.admin.offsets([names[tp] for tp in whole], "earliest", "read_uncommitted")
        sources, targets = [], []
        for tp in some:
            here, there = self.tails[tp].stands
            sources.append(_since(tp, (here, ours[tp]), starts.get(tp, here)))
            targets.append(_since(names[tp], (there, theirs[names[tp]]), target_starts.get(names[tp], there)))
        read_there = self._target.read(targets, timed, keys)
        read_here = self._source.read(sources, timed, keys)
        # Any value since the begin may stand for a key that is on its way.
        duplicates = self._wave.spec.duplicates
        judge = compare_last_values if keys else partial(compare, duplicates=duplicates)
        found = {tp: judge(read_here[tp], read_there[names[tp]], read_here[tp].begin) for tp in some}
        # Nothing expires in a tail: such records stand before it, or are somebody else's.
        odd = {
            tp: (read_here[tp].begin, one.expired)
            for tp, one in found.items()
            if one.expired and not keys and not self.tails[tp].compacted
        }
        for tp, before in self._before(odd, timed).items():
            found[tp] = sent_again(found[tp], read_here[tp], read_there[names[tp]], before, duplicates)
        for tp in some:
            self._take(tp, read_here[tp], read_there[names[tp]], found[tp])

    def _take(
        self, tp: Partition, source: PartitionContent, target: PartitionContent, found: PartitionComparison
    ) -> None:
        tail = self.tails[tp]
        if tail.compacted and not tail.reads_all and found.status != "pass":
            # A cleaner was at work. By last values a tail cannot be told: a key that is not in it may be deleted.
            tail.reads_all, tail.anchors, tail.behind = True, tail.base.anchors[:1], _TO_READ
            return
        if found.status == "fail":
            named = "; ".join(map(str, found.differences[:3]))
            raise TailDiffers(
                f"{tp[0]}-{tp[1]}: what came since the contents were compared differs: {found.detail} ({named}). Fix: "
                "find what else writes to the target; where the replication sent records again after a crash, "
                "duplicates: explain"
            )
        tail.behind = found.in_flight
        if tail.reads_all:
            tail.since = found
            return
        reached = int(source.offsets[found.accounted]) if found.accounted < len(source) else source.end
        tail.since = summed(tail.since, found)
        tail.anchors = grown(tail.anchors, reached, target.end)

    def _before(
        self, odd: Mapping[Partition, tuple[int, int]], with_timestamp: bool
    ) -> dict[Partition, PartitionContent]:
        """Source records right before these tails: a replication that broke off begins again where it noted last.

        :param odd: where a tail begins, and how many records are looked for.
        """
        starts = self._wave.source.admin.offsets(odd, "earliest", "read_uncommitted")
        # Markers of transactions leave gaps.
        spans = [
            PartitionRange(*tp, max(starts[tp], begin - 4 * records - 1_000), max(starts[tp], begin))
            for tp, (begin, records) in odd.items()
        ]
        return self._source.read(spans, with_timestamp) if spans else {}

    def translate(self, marks: Mapping[Partition, Sequence[GroupMark]]) -> dict[tuple[str, Partition], GroupLine]:
        """Exact offsets of these groups, reading no more than the places between which they stand. For when all is on
        the target."""
        names, found = self._wave.names, dict[tuple[str, Partition], GroupLine]()
        wanted: list[tuple[Partition, Segment, list[GroupMark]]] = []
        for tp, mine in marks.items():
            tail = self.tails[tp]
            anchors = tail.anchors
            if tail.reads_all:
                target_end = self._wave.target.admin.offsets([names[tp]], "latest", "read_committed")[names[tp]]
                source_end = self._wave.source.admin.offsets([tp], "latest", self._wave.spec.isolation_level)[tp]
                anchors = (anchors[0], (source_end, target_end))
            wanted += [(tp, segment, some) for segment, some in marks_by_segment(anchors, mine)]
        begins = self._wave.source.admin.offsets(marks, "earliest", "read_uncommitted")
        target_begins = self._wave.target.admin.offsets([names[tp] for tp in marks], "earliest", "read_uncommitted")
        # A reader takes one range of a partition at a time: the n-th segment of each together.
        while wanted:
            turn: dict[Partition, tuple[Segment, list[GroupMark]]] = {}
            rest = []
            for tp, segment, some in wanted:
                if tp in turn:
                    rest.append((tp, segment, some))
                else:
                    turn[tp] = segment, some
            for timed in {self.tails[tp].with_timestamp for tp in turn}:
                mine_now = {tp: both for tp, both in turn.items() if self.tails[tp].with_timestamp == timed}
                here = self._source.read([_since(tp, s.source, begins[tp]) for tp, (s, _) in mine_now.items()], timed)
                there = self._target.read(
                    [_since(names[tp], s.target, target_begins[names[tp]]) for tp, (s, _) in mine_now.items()], timed
                )
                for tp, (_, some) in mine_now.items():
                    for line in translate(here[tp], there[names[tp]], some):
                        found[line.group, tp] = line
            wanted = rest
        return found

    def unread(self, places: Mapping[Partition, int], ends: Mapping[Partition, int]) -> set[Partition]:
        """Of these source offsets those behind which there is a record still: markers of transactions are none."""
        spans = [PartitionRange(*tp, offset, ends[tp]) for tp, offset in places.items() if offset < ends[tp]]
        if not spans:
            return set()
        return {tp for tp, first in self._source.probe(spans).items() if first is not None}

    def results(self) -> list[PartitionResult]:
        """The whole comparison: what was there before, and what came since."""
        made = []
        for tail in self.tails.values():
            whole = tail.since if tail.reads_all else summed(tail.base.comparison, tail.since)
            made.append(replace(tail.base, comparison=whole, anchors=tail.anchors))
        return made

    def to_json(self) -> dict[str, Any]:
        """For the artifact: only what the results do not have."""
        return {
            name_of(tp): {
                "anchors": [list(pair) for pair in tail.anchors[len(tail.base.anchors) :]],
                "since": tail.since.to_json(),
            }
            for tp, tail in self.tails.items()
            if not tail.reads_all and tail.anchors != tail.base.anchors
        }


def _since(tp: Partition, span: tuple[int, int], log_start: int) -> PartitionRange:
    """A range without what retention has taken since."""
    begin = max(span[0], log_start)
    return PartitionRange(*tp, begin, max(span[1], begin))
