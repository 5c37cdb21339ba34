"""Who else writes on the target, from the last records of both sides. Changes nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.foreign_writers import ForeignWriter, strange, unknown
from kafka_ferry.records.content import Offsets, PartitionRange

log = logging.getLogger(__name__)

#: So many last records of a partition, on the target and on the source, mostly tell that nothing is strange.
_GLANCE = 8, 64
#: Where they do not: so many of each, of so many partitions.
_CLOSER, _AT_MOST = (1_000, 1_000), 100
#: Source records from a time on among which the record of that time is looked for.
_FROM_TIME = 500
_WATCHED_SECONDS = 3.0
_ASKED = 20


@dataclass(frozen=True)
class _Ends:
    """Both sides at one moment, the target a little earlier: each of its records is one of the source's, or strange.

    :ivar names: source partition to target partition. ``ours``, ``theirs``: begin and end, by the former.
    :ivar at: seconds on a monotonic clock.
    """

    at: float
    wave: Wave
    names: Mapping[Partition, Partition]
    ours: Mapping[Partition, tuple[int, int]]
    theirs: Mapping[Partition, tuple[int, int]]

    @classmethod
    def of(cls, wave: Wave, names: Mapping[Partition, Partition]) -> _Ends:
        here, there, at = wave.source.admin, wave.target.admin, time.monotonic()
        target_ends = there.offsets(names.values(), "latest", "read_committed")
        target_begins = there.offsets(names.values(), "earliest", "read_uncommitted")
        ends = here.offsets(names, "latest", "read_uncommitted")
        begins = here.offsets(names, "earliest", "read_uncommitted")
        theirs = {tp: (target_begins[place], target_ends[place]) for tp, place in names.items()}
        return cls(at, wave, names, {tp: (begins[tp], ends[tp]) for tp in names}, theirs)

    def strange(
        self, some: Iterable[Partition], last: tuple[int, int], *, sure: bool = True
    ) -> dict[Partition, Offsets]:
        """Target offsets of strange records among the last ones; partitions without are left out.

        :param last: so many of the target, and of the source. ``sure``: only those that surely are.
        """
        theirs = {tp: _last(self.names[tp], self.theirs[tp], last[0]) for tp in some}
        ours = [_last(tp, self.ours[tp], last[1]) for tp in theirs]
        with self.wave.target.reader("read_committed", few=not sure) as reader:
            there = reader.read(list(theirs.values()))
        with self.wave.source.reader("read_uncommitted", few=not sure) as reader:  # aborted ones may be copied as well
            here = reader.read(ours)
        how = strange if sure else unknown
        found = {tp: how(here[tp], there[self.names[tp]]) for tp in theirs}
        return {tp: offsets for tp, offsets in found.items() if len(offsets)}


def foreign_writers(wave: Wave, partitions: Collection[Partition] | None = None) -> list[ForeignWriter]:
    """Whoever wrote on the target, last or now, what the source does not have, the fastest first.

    Told only where it is sure, by the last records of each partition; not of compacted topics, nor where records have
    another timestamp on each side.

    :param partitions: of the source, to be looked at more closely; default: those of the wave that a glance finds.
    """
    now = _Ends.of(wave, _comparable(wave, wave.names if partitions is None else partitions))
    odd = list(now.strange(now.names, _GLANCE, sure=False)) if partitions is None else list(now.names)
    if len(odd) > _AT_MOST:
        log.info("who writes on the target is looked for in %d of %d partitions", _AT_MOST, len(odd))
    found = _not_sent_again(now, now.strange(odd[:_AT_MOST], _CLOSER))
    return _watched(now, found) if found else []


def _comparable(wave: Wave, some: Collection[Partition]) -> dict[Partition, Partition]:
    source, target = wave.migration.topics.topics, wave.migration.target_topics()
    plain = {
        name
        for name, there in wave.targets.items()
        if there in target
        and not any(one.compacted or not one.has_writers_time for one in (source[name], target[there]))
    }
    return {
        tp: there
        for tp, there in wave.names.items()
        if tp in some and tp[0] in plain and there[1] < target[there[0]].partitions
    }


def _last(tp: Partition, span: tuple[int, int], most: int) -> PartitionRange:
    begin, end = span
    return PartitionRange(*tp, min(max(begin, end - most), end), end)


def _not_sent_again(now: _Ends, found: dict[Partition, Offsets]) -> dict[Partition, Offsets]:
    """Without partitions in which the source has the first or the last of these, longer ago: a replication that was
    killed sends records again."""
    wave = now.wave
    for place in (0, -1):
        asked = {tp: int(offsets[place]) for tp, offsets in found.items()}
        spans = [PartitionRange(*now.names[tp], at, at + 1) for tp, at in asked.items()]
        with wave.target.reader("read_committed", few=True) as reader:
            records = reader.read_records({span.key: [span.begin] for span in spans})
            there = reader.read(spans)
        times = {tp: one.timestamp_ms for tp, at in asked.items() if (one := records.get((*now.names[tp], at)))}
        firsts = KafkaSurvey.of(wave.source).offsets_at(times)
        ours = [
            PartitionRange(*tp, first, min(first + _FROM_TIME, now.ours[tp][1]))
            for tp, first in firsts.items()
            if first is not None and first < now.ours[tp][1]
        ]
        with wave.source.reader("read_uncommitted", few=True) as reader:
            here = reader.read(ours)
        known = {tp for tp in here if set(there[now.names[tp]].hashes) & set(here[tp].hashes)}
        found = {tp: offsets for tp, offsets in found.items() if tp not in known}
    return found


def _watched(before: _Ends, found: Mapping[Partition, Offsets]) -> list[ForeignWriter]:
    """With what comes of them while it is waited, and who writes it."""
    wave = before.wave
    while time.monotonic() - before.at < _WATCHED_SECONDS:
        beat()
        time.sleep(0.1)
    now = _Ends.of(wave, {tp: before.names[tp] for tp in found})
    later = now.strange(found, _CLOSER)
    fresh = {tp: [int(at) for at in later.get(tp, ()) if at >= before.theirs[tp][1]] for tp in found}
    every = {tp: [*map(int, offsets), *fresh[tp]] for tp, offsets in found.items()}
    with wave.target.reader("read_committed", few=True) as reader:
        ids = reader.producer_ids({now.names[tp]: offsets[-_ASKED:] for tp, offsets in every.items()})
    names = wave.target_transactional_ids() if any(number >= 0 for number in ids.values()) else {}
    made = []
    for tp, offsets in every.items():
        there = now.names[tp]
        by = {number for place, number in ids.items() if place[:2] == there}
        rate = len(fresh[tp]) / (now.at - before.at)
        made.append(ForeignWriter(*there, len(offsets), offsets[0], offsets[-1], rate, sorted(by, reverse=True), names))
    return sorted(made, key=lambda one: (-one.rate, one.topic, one.partition))
