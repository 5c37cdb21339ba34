"""May the source be switched off? Look at it, and at what was handed over. Changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

import pendulum

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.expression import problem_of
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.plan import PlannedTopic, Side
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.wave_journal import Journal
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.common.wave_journals import Journals
from kafka_ferry.jobs.cutover.live.baseline import rights_check
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.plan import RetirePlan
from kafka_ferry.jobs.cutover.rules.retire_spec import RetireSpec
from kafka_ferry.jobs.cutover.rules.retirement import (
    CLOCKS_MS,
    HandedOver,
    Limit,
    SourceFacts,
    check_commits,
    check_growth,
    check_members,
    check_other_topics,
    check_replication,
    check_waves,
    check_writers,
    handed_over,
    only_reasons,
    without_expired,
)
from kafka_ferry.jobs.migration.live.jobs import partition_jobs
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.jobs.migration.rules.judge import check_content, check_counts, check_topics, topic_lines
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.records.job import PartitionJob, PartitionResult, results_digest
from kafka_ferry.records.record_hash import HASH_VERSION

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
                    target_end=job.target_end if moved_on else min(job.target_end, target_fence),
                    target_fence=target_fence if moved_on else None,
                    marks=(),
                )
            )
        return made

    def explained(self, results: list[PartitionResult]) -> list[PartitionResult]:
        """The results, with what the target's retention deleted since told as such. What is explained is told in few
        words: among the differences are reasons alone."""
        made = self._without_expired(results)
        return [
            one if one.comparison.status == "fail" else replace(one, comparison=replace(one.comparison, differences=()))
            for one in made
        ]

    def _without_expired(self, results: list[PartitionResult]) -> list[PartitionResult]:
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
            elif age >= 0 and ms_of(self.done.at[tp[0]]) + age < now:
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
        wrong = [line for line in lines if line.status is Status.FAIL]
        fences: list[Acl] = [acl for wave in self.waves for acl in wave.fence_acls]
        checks: list[Check] = [
            check_waves(self.waves, self.target_cluster),
            check_growth(facts),
            check_writers(facts),
            check_commits(facts),
            check_members(facts),
            check_other_topics(facts),
            check_topics(desired, migration.target_topics()),
            only_reasons(check_counts(lines), check_counts(wrong)),
            check_content(judged, lines, HASH_VERSION, self.spec.ignore_headers),
            check_replication(facts),
            rights_check(self.wave, fences, self.done.committed),
        ]
        return {
            "judged": results_digest(results),
            "checks": [check.model_dump(mode="json") for check in checks],
            "topics": [line.model_dump(mode="json") for line in lines],
        }


def ms_of(iso: str) -> int:
    """ms since 1970."""
    return round(datetime.fromisoformat(iso).timestamp() * 1000) if iso else 0
