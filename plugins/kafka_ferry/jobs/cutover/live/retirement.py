"""May the source be switched off? Look at it, and at what was handed over. Changes nothing."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import pendulum

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Check
from kafka_ferry.core.expression import problem_of
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.plan import PlannedTopic, Side
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.cutover.live.baseline import rights_check
from kafka_ferry.jobs.cutover.live.journals import Journals
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.journal import Journal
from kafka_ferry.jobs.cutover.rules.plan import RetirePlan
from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec
from kafka_ferry.jobs.cutover.rules.retirement import (
    CLOCKS_MS,
    Grown,
    HandedOver,
    Limit,
    Moved,
    OtherTopic,
    SourceFacts,
    check_commits,
    check_growth,
    check_members,
    check_other_topics,
    check_replication,
    check_waves,
    check_writers,
    handed_over,
    is_replicators,
    without_expired,
)
from kafka_ferry.jobs.cutover.rules.standstill import Writer, writers
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.live.jobs import partition_jobs
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.jobs.migration.rules.judge import check_content, check_counts, check_topics, topic_lines
from kafka_ferry.jobs.migration.rules.replicators import IDLE, addresses
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.job import PartitionJob, PartitionResult, results_digest
from kafka_ferry.records.record_hash import HASH_VERSION

log = logging.getLogger(__name__)

_POLL = 2.0
_NAMED = 200
#: Topics that Kafka keeps for itself, and that go with the cluster. Other names with ``__`` are somebody's.
_KAFKAS = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state", "__remote_log_metadata"})


class Retirement:
    """One source, the target that its waves went to, and what their journals say.

    :ivar waves: the journals of all waves of the source.
    :ivar done: all that was handed over to this target.
    """

    def __init__(self, dag_id: str, run_id: str, spec: RetireSpec, waves: Iterable[Journal] | None = None) -> None:
        self.spec = spec
        # Any topic: no cluster is asked for topics yet.
        clusters = Wave(dag_id, run_id, spec.compared({"any": "any"}))
        self.source, self.target = clusters.source, clusters.target
        self.source_cluster, self.target_cluster = clusters.source_cluster, clusters.target_cluster
        self.waves = sorted(
            Journals(self.source_cluster).all() if waves is None else waves, key=lambda wave: wave.handed_over_at
        )
        self.done = HandedOver.of(handed_over(self.waves, self.target_cluster))
        there = set(self.names) & self.done.targets.keys()
        self.deleted = sorted(self.done.targets.keys() - there)
        self.targets = {name: self.done.targets[name] for name in sorted(there)}
        self._run = dag_id, run_id

    @cached_property
    def names(self) -> list[str]:
        """All topics of the source."""
        return self.source.admin.topic_names()

    @cached_property
    def topics(self) -> Mapping[str, TopicState]:
        """All topics of the source but Kafka's own."""
        return self.source.admin.topics(name for name in self.names if name not in _KAFKAS)

    @cached_property
    def wave(self) -> Wave:
        """All topics that were handed over and are still there, as one.

        :raises BadParam: there is none.
        """
        if not self.targets:
            raise BadParam(
                "source_conn_id", "has no topic left that a wave handed over to this target: nothing can be compared",
                "run it before the topics are deleted",
            )  # fmt: skip
        return Wave(*self._run, self.spec.compared(self.targets))

    @property
    def ends(self) -> dict[Partition, int]:
        """Where the source ended, of the partitions that are still there."""
        return {
            tp: end
            for tp, end in self.done.ends.items()
            if tp[0] in self.targets and tp[1] < self.topics[tp[0]].partitions
        }

    def plan(self) -> RetirePlan:
        """plan.json.

        :raises BadParam: there is nothing to judge.
        """
        if self.source_cluster == self.target_cluster:
            raise BadParam("target_conn_id", "leads to the source cluster", "a connection to another cluster")
        for param in ("left_behind", "left_groups"):
            for entry in getattr(self.spec, param):
                if problem := problem_of(entry):
                    raise BadParam(param, f"{entry!r}: {problem}", "a name, or a simpler expression")
        if not self.done.targets:
            known = ", ".join(f"{one.wave}: {one.state.value}" for one in self.waves[:10]) or "none"
            raise BadParam(
                "source_conn_id", f"leads to cluster {self.source_cluster}, of which no wave was handed over to "
                f"{self.target_cluster} (waves: {known})", "cut over first, with the same FERRY_ARTIFACTS",
            )  # fmt: skip
        if unknown := sorted(self.done.ends.keys() - self.done.target_ends.keys()):
            raise BadParam(
                "source_conn_id", f"its journals do not say where the target ended on {unknown[0][0]}-{unknown[0][1]}",
                "cut the wave over again",
            )  # fmt: skip
        sides = [
            Side(conn_id=cluster.conn_id, cluster_id=about.cluster_id, brokers=about.brokers)
            for cluster in (self.source, self.target)
            for about in [cluster.admin.describe_cluster()]
        ]
        return RetirePlan(
            planned=pendulum.now("UTC").isoformat(),
            spec=self.spec.model_dump(mode="json"),
            source=sides[0],
            target=sides[1],
            topics=[
                PlannedTopic(source=name, target=there, partitions=self.topics[name].partitions)
                for name, there in self.wave.targets.items()
            ],
            notes=[
                f"{number_of(len(self.targets), 'topic')} of {number_of(len(self.waves), 'wave')}, "
                f"{number_of(len(self.done.committed), 'group')}; the source has {number_of(len(self.topics), 'topic')}"
            ],
            waves=[f"{one.wave}: {one.state.value} {one.handed_over_at}".strip() for one in self.waves],
        )

    def freeze(self) -> Frozen:
        """What must be on the target: all below the fences."""
        ends, source, target = self.ends, self.source.admin, self.target.admin
        starts = source.offsets(ends, "earliest", self.spec.isolation_level)
        begins = {tp: min(starts[tp], end) for tp, end in ends.items()}
        sizes = self.wave.migration.record_bytes(begins, {tp: max(begins[tp], end) for tp, end in ends.items()})
        return Frozen(
            begins, ends, source.topic_ids(self.targets), target.topic_ids(self.targets.values()), record_bytes=sizes
        )

    def jobs(self, frozen: Frozen, partitions: list[Partition]) -> list[PartitionJob]:
        """What to compare, each side up to where the fence saw it end."""
        made = []
        for job in partition_jobs(self.wave.migration, frozen, partitions):
            tp = job.source_topic, job.partition
            fence, target_fence = frozen.ends[tp], self.done.target_ends[tp]
            begin = min(job.source_begin, fence)
            moved_on = job.mode == "last_value"
            made.append(
                replace(
                    job,
                    source_begin=begin,
                    frozen_end=fence,
                    source_end=max(begin, min(job.source_end, fence)),
                    target_begin=min(job.target_begin, target_fence) if not moved_on else job.target_begin,
                    target_end=job.target_end if moved_on else max(target_fence, min(job.target_begin, target_fence)),
                    target_fence=target_fence if moved_on else None,
                    marks=(),
                )
            )
        return made

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
            deleted=self.deleted,
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
            since = _ms(self.done.at[tp[0]])
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
        moved, strangers = list[Moved](), dict[str, list[str]]()
        for group, places in sorted(positions.items()):
            here = {tp: commit.offset for tp, commit in places.items() if tp[0] in self.targets}
            stood = self.done.committed.get(group)
            if here and stood is None:
                strangers[group] = sorted({topic for topic, _ in here})
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
            "strangers": strangers,
            "members": {group: sorted(who.get(group, ())) or [f"of type {kinds.get(group, 'consumer')}"]
                        for group in at_work},
            "left_groups": sorted(
                group for group in {*strangers, *at_work, *(one.group for one in moved)}
                if _matches(self.spec.left_groups, group)
            ),
        }  # fmt: skip

    def _replication(self) -> list[str] | None:
        if self.spec.connect_conn_id is None:
            return None
        ours = KafkaSurvey.of(self.source).brokers()[1] | addresses(str(self.source.extra.get("bootstrap.servers")))
        found = []
        worker = self.wave.migration.connect
        if worker is not None and worker.info().kafka_cluster_id == self.source_cluster:
            found.append(f"the workers of {self.spec.connect_conn_id} keep their own topics on the source")
        for other in OtherReplicators(self.wave.migration).connectors():
            reads, writes = bool(other.source_addresses & ours), bool(other.target_addresses & ours)
            if other.state not in IDLE and (reads or writes):
                does = "reads from the source" if reads else "writes to the source"
                told = f"connector {other.name} ({other.kind}) is {other.state}, and {does}. Fix: stop or delete it"
                found.append(told)
        return found

    def explained(self, results: list[PartitionResult]) -> list[PartitionResult]:
        """The results, with what the target's retention deleted since told as such."""
        lossy = [one for one in results if one.comparison.lost]
        if not lossy:
            return results
        limits = self._limits({(one.source_topic, one.partition) for one in lossy})
        starts = self.source.admin.offsets(limits, "earliest", self.spec.isolation_level)
        spans = [PartitionRange(*tp, starts[tp], max(starts[tp], self.done.ends[tp])) for tp in limits]
        with self.source.reader(self.spec.isolation_level, few=True) as reader:
            firsts = reader.probe(spans)
        made = []
        for one in results:
            tp = one.source_topic, one.partition
            compacted = self.topics[tp[0]].compacted
            made.append(without_expired(one, limits.get(tp), firsts.get(tp), compacted=compacted))
        return made

    def _limits(self, places: Iterable[Partition]) -> dict[Partition, Limit | None]:
        """Up to which source offset the target's retention may have deleted."""
        there = self.wave.migration.target_topics()
        now = round(time.time() * 1000)
        found: dict[Partition, Limit | None] = {}
        ask: dict[Partition, int] = {}
        for tp in places:
            state = there.get(self.targets[tp[0]])
            settings = state.effective if state else {}
            age, size = int(settings.get("retention.ms", -1)), int(settings.get("retention.bytes", -1))
            found[tp] = None
            if state is None or "delete" not in settings.get("cleanup.policy", "delete"):
                continue
            if size >= 0:
                found[tp] = Limit(None, f"retention.bytes={size}")
            elif age >= 0 and _ms(self.done.at[tp[0]]) + age < now:
                found[tp] = Limit(None, f"retention.ms={age}")
            elif age >= 0 and state.has_writers_time and self.topics[tp[0]].has_writers_time:
                ask[tp] = now - age + CLOCKS_MS
                found[tp] = Limit(0, f"retention.ms={age}")
        for tp, offset in KafkaSurvey.of(self.source).offsets_at(ask).items():
            limit = found[tp]
            if limit is not None:
                found[tp] = replace(limit, below=offset)
        return found

    def checks(self, facts: SourceFacts, results: list[PartitionResult]) -> dict[str, Any]:
        """The content of checks.json."""
        judged = self.explained(results)
        migration = self.wave.migration
        partitions = {name: sum(tp[0] == name for tp in self.ends) for name in self.targets}
        desired = [
            replace(one, partitions=partitions[one.source])
            for one in migration.desired_topics(migration.topics.topics.values())
        ]
        lines = topic_lines(desired, judged, counts_only=False)
        fences: list[Acl] = [acl for wave in self.waves for acl in wave.fence_acls]
        checks: list[Check] = [
            check_waves(self.waves, self.target_cluster),
            check_growth(facts),
            check_writers(facts),
            check_commits(facts),
            check_members(facts),
            check_other_topics(facts),
            check_topics(desired, migration.target_topics()),
            check_counts(lines),
            check_content(judged, lines, HASH_VERSION, self.spec.ignore_headers),
            check_replication(facts),
            rights_check(self.wave, fences, self.done.committed),
        ]
        return {
            "judged": results_digest(results),
            "checks": [check.model_dump(mode="json") for check in checks],
            "topics": [line.model_dump(mode="json") for line in lines],
        }


def _matches(entries: Iterable[str], name: str) -> bool:
    return any(entry == name or re.fullmatch(entry, name) for entry in entries)


def _ms(iso: str) -> int:
    return round(pendulum.parse(iso).timestamp() * 1000) if iso else 0  # type: ignore[union-attr]


def _iso(ms: int) -> str:
    return pendulum.from_timestamp(ms / 1000).isoformat(timespec="milliseconds") if ms >= 0 else "an unknown time"
