"""Who still uses a source that was handed over, and what it has more than its waves. Changes nothing."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pendulum

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.cutover.live.retirement import Retirement, ms_of
from kafka_ferry.jobs.cutover.rules.retirement import Grown, Moved, OtherTopic, SourceFacts, is_replicators
from kafka_ferry.jobs.cutover.rules.standstill import Writer, writers
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.rules.replicators import IDLE, addresses
from kafka_ferry.records.content import PartitionRange

log = logging.getLogger(__name__)

_POLL = 2.0
_NAMED = 200


class SourceLook:
    """One look at the source of a retirement."""

    def __init__(self, of: Retirement) -> None:
        self.spec, self.source, self.wave = of.spec, of.source, of.wave
        self.topics, self.targets, self.done, self._of = of.topics, of.targets, of.done, of

    def look(self) -> SourceFacts:
        """The source as it is, for as long as the params say."""
        wave, spec = self.wave, self.spec
        places = [(name, number) for name, topic in self.topics.items() for number in range(topic.partitions)]
        begun = pendulum.now("UTC").isoformat(timespec="milliseconds")
        deadline, first = time.monotonic() + spec.watch_seconds, wave.look(time.monotonic(), places)
        before, writing = first, dict[tuple[str, int, int | None], Writer]()
        known = wave.transactional_ids()
        while time.monotonic() < deadline:
            beat()
            time.sleep(min(_POLL, max(0.1, deadline - time.monotonic())))
            now = wave.look(time.monotonic(), places)
            for one in writers(before, now, known):
                writing.setdefault((one.topic, one.partition, one.producer_id), one)
            before = now
        moved = {tp[0] for tp, end in before.ends.items() if end != first.ends[tp]}
        internal = set(filter(is_replicators, self.topics))
        groups = self._groups()
        return SourceFacts(
            seen=begun,
            seconds=spec.watch_seconds,
            partitions=len(places),
            tells_producers=wave.tells_producers,
            deleted=self._of.deleted,
            grown=self._grown(before.ends),
            others=self._others(before.ends, moved, internal),
            left_behind=sorted(name for name in self.topics if self._is_left(name) and name not in internal),
            writing=[str(one) for one in writing.values() if not self._is_left(one.topic)][:_NAMED],
            replication=self._replication(),
            written_internal=[
                f"{name}, of a MirrorMaker 2, was written while it was watched" for name in sorted(moved & internal)
            ],
            **groups,
        )

    def _is_left(self, topic: str) -> bool:
        return topic not in self.done.targets and _matches(self.spec.left_behind, topic)

    def _grown(self, ends: Mapping[Partition, int]) -> list[Grown]:
        fences = {tp: self.done.ends.get(tp, 0) for tp in ends if tp[0] in self.targets}
        now = {tp: (fence, ends[tp]) for tp, fence in fences.items() if ends[tp] != fence}
        spans = [PartitionRange(*tp, fence, end) for tp, (fence, end) in now.items() if end > fence]
        starts = self.source.admin.offsets([span.key for span in spans], "earliest", "read_uncommitted")
        spans = [replace(span, begin=max(span.begin, min(span.end, starts[span.key]))) for span in spans]
        firsts: dict[Partition, int | None] = {}
        times: dict[tuple[str, int, int], int] = {}
        if spans:
            with self.source.reader("read_uncommitted", few=True) as reader:
                firsts = reader.probe([span for span in spans if span.begin < span.end])
                some = {tp: [at] for tp, at in list(firsts.items())[:_NAMED] if at is not None}
                times = {place: record.timestamp_ms for place, record in reader.read_records(some).items()}
            # What retention has removed since cannot be looked at: it is taken for records.
            firsts |= {span.key: span.begin for span in spans if span.begin == span.end}
        states = self.wave.producers([tp for tp, at in firsts.items() if at is not None])
        names = self.wave.transactional_ids() if states else {}
        found = []
        for tp, (fence, end) in sorted(now.items()):
            at = firsts.get(tp)
            since = ms_of(self.done.at[tp[0]])
            found.append(Grown(
                topic=tp[0], partition=tp[1], fence=fence, end=end, first=at,
                first_at=_iso(times[*tp, at]) if at is not None and (*tp, at) in times else "",
                writers=[
                    f"producer id {one.producer_id}, epoch {one.epoch}"
                    + f", transactional id {names.get(one.producer_id)}" * (one.producer_id in names)
                    + f", last batch at {_iso(one.last_timestamp)}"
                    for one in states.get(tp, ())
                    if one.last_timestamp > since
                ],
            ))  # fmt: skip
        return found

    def _others(self, ends: Mapping[Partition, int], moved: set[str], internal: set[str]) -> list[OtherTopic]:
        names = [name for name in self.topics if name not in self.done.targets and name not in internal]
        places = [(name, number) for name in names for number in range(self.topics[name].partitions)]
        begins = self.source.admin.offsets(places, "earliest", "read_uncommitted")
        spans = [PartitionRange(*tp, begins[tp], ends[tp]) for tp in places if begins[tp] < ends[tp]]
        with self.source.reader("read_uncommitted", few=True) as reader:
            held = {tp[0] for tp, at in (reader.probe(spans) if spans else {}).items() if at is not None}
        return [
            OtherTopic(
                topic=name,
                partitions=self.topics[name].partitions,
                offsets=sum(max(0, ends[tp] - begins[tp]) for tp in places if tp[0] == name),
                empty=name not in held,
                written=name in moved,
            )
            for name in names
        ]

    def _groups(self) -> dict[str, Any]:
        every = self.source.admin.all_groups()
        kinds = {name: group.type for name, group in every.others.items()}
        standing = [name for name in (*every.consumers, *every.others) if kinds.get(name) != "connect"]
        positions = GroupPositions(self.source.admin, kinds).commits(standing)
        moved, unknown_groups = list[Moved](), dict[str, list[str]]()
        for group, places in sorted(positions.items()):
            here = {tp: commit.offset for tp, commit in places.items() if tp[0] in self.targets}
            stood = self.done.committed.get(group)
            if here and stood is None:
                unknown_groups[group] = sorted({topic for topic, _ in here})
                continue
            moved += [
                Moved(group=group, topic=tp[0], partition=tp[1], was=(stood or {}).get(tp), now=offset)
                for tp, offset in sorted(here.items())
                if (stood or {}).get(tp) != offset
            ]
        at_work = sorted(every.at_work)
        try:
            who = KafkaSurvey.of(self.source).members([group for group in at_work if group and group not in kinds])
        except FerryError as error:
            log.warning("members of groups are not told: %s", error)
            who = {}
        return {
            "moved": moved,
            "unknown_groups": unknown_groups,
            "members": {group: sorted(who.get(group, ())) or [f"of type {kinds.get(group, 'consumer')}"]
                        for group in at_work},
            "left_groups": sorted(
                group for group in {*unknown_groups, *at_work, *(one.group for one in moved)}
                if _matches(self.spec.left_groups, group)
            ),
        }  # fmt: skip

    def _replication(self) -> list[str] | None:
        if self.spec.connect_conn_id is None:
            return None
        ours = KafkaSurvey.of(self.source).brokers()[1] | addresses(str(self.source.extra.get("bootstrap.servers")))
        found = []
        worker = self.wave.migration.connect
        if worker is not None and worker.info().kafka_cluster_id == self._of.source_cluster:
            found.append(f"the workers of {self.spec.connect_conn_id} keep their own topics on the source")
        for other in OtherReplicators(self.wave.migration).connectors():
            reads, writes = bool(other.source_addresses & ours), bool(other.target_addresses & ours)
            if other.state not in IDLE and (reads or writes):
                does = "reads from the source" if reads else "writes to the source"
                told = f"connector {other.name} ({other.kind}) is {other.state}, and {does}. Fix: stop or delete it"
                found.append(told)
        return found


def _matches(entries: Iterable[str], name: str) -> bool:
    return any(entry == name or re.fullmatch(entry, name) for entry in entries)


def _iso(ms: int) -> str:
    return pendulum.from_timestamp(ms / 1000).isoformat(timespec="milliseconds") if ms >= 0 else "an unknown time"
