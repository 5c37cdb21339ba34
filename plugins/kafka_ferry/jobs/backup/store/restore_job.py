"""One run of ``restore_topics``: what its tasks derive their truth from, and its plan."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.changes import Change
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding, refuse, worst_first
from kafka_ferry.core.plan import Archive, PlannedTopic, Side
from kafka_ferry.core.quotas import QuotaDiff, check_quotas, compare_quotas
from kafka_ferry.core.streams_application import application_findings, applications
from kafka_ferry.core.topic_rename import name_problem
from kafka_ferry.core.words import shown
from kafka_ferry.exceptions import BadParam, FerryError, NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.hooks.registry.hook import RegistryHook
from kafka_ferry.jobs.backup.rules.acls import RestoredAcls, restored_acls
from kafka_ferry.jobs.backup.rules.groups_plan import KEPT, restored_groups_in_plan
from kafka_ferry.jobs.backup.rules.largest import Largest
from kafka_ferry.jobs.backup.rules.plan import RestorePlan
from kafka_ferry.jobs.backup.rules.quotas import quotas_of
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic, takes_part
from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
from kafka_ferry.jobs.backup.store.job import StoreJob, now
from kafka_ferry.jobs.backup.store.restore_changes import restore_changes
from kafka_ferry.jobs.backup.store.restore_groups import planned_lines
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun
from kafka_ferry.jobs.backup.store.restore_sizes import largest_line, restore_findings
from kafka_ferry.jobs.backup.store.schemas import read_schemas
from kafka_ferry.jobs.common.quotas import quotas_to_set, set_quotas
from kafka_ferry.jobs.registry.live.carrier import SchemasCarrier
from kafka_ferry.jobs.registry.rules.changes import changes_of, note_of
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.report.artifacts import GROUPS_PLAN

log = logging.getLogger(__name__)

_NO_LIMIT = -1
_ACLS_SECONDS = 30.0


class RestoreJob(StoreJob):
    """A restore to a live cluster."""

    def __init__(self, spec: RestoreSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.target = KafkaClusterHook(spec.target_conn_id)

    @cached_property
    def restore_run(self) -> RestoreRun:
        return RestoreRun(self.target.extra, self.store, self.spec)

    @property
    def names(self) -> dict[str, str]:
        """Topic of the backup to its name on the target."""
        return {topic.source.name: topic.name for topic in self.restore_run.topics}

    def acls(self) -> RestoredAcls:
        """The manifest's ACLs of these topics, and of the groups that come with them, against the target's.

        :raises BadParam: the backup has none, or the target takes none. ``NotAuthorized``: they may not be read there.
        """
        acls, there = self.restore_run.manifest.acls, self.target.admin.acls()
        if acls is None:
            raise BadParam("acls", "is copy, but the backup holds no ACLs", "acls: none")
        if there is None:
            raise BadParam("acls", "is copy, but the target has no authorizer", "acls: none")
        groups = self.restore_run.chosen_groups() if self.spec.restore_groups else {}
        return restored_acls([Acl(**acl) for acl in acls], there, self.names, groups)

    @cached_property
    def carrier(self) -> SchemasCarrier | None:
        """Who carries the backup's schemas to the target registry; None: nobody is to."""
        if self.spec.target_registry_conn_id is None:
            return None
        return SchemasCarrier(
            self.spec.asked_of_registry, self._schemas, RegistryHook(self.spec.target_registry_conn_id)
        )

    def _schemas(self) -> RegistryState:
        """:raises BadParam: the backup has none. ``DamagedSegment``: they are not what was written."""
        part = self.restore_run.manifest.schemas
        if part is None:
            raise BadParam(
                "target_registry_conn_id", "is given, but the backup holds no schemas",
                "leave it out; backups made with registry_conn_id hold them",
            )  # fmt: skip
        return read_schemas(self.store, part)[0].only(self.spec.asked_of_registry.wants)

    def quotas(self) -> QuotaDiff:
        """The manifest's client quotas against the target's.

        :raises NotSupported: it tells none. ``NotAuthorized``: they may not be read there.
        """
        return compare_quotas(quotas_of(self.restore_run.manifest.quotas), KafkaQuotas.of(self.target).quotas())

    def quotas_to_set(self) -> QuotaDiff:
        """:raises BadParam: the backup has none, or the target takes none, or not these."""
        if not self.restore_run.manifest.quotas:
            raise BadParam("quotas", "is copy, but the backup holds no client quotas", "quotas: none")
        return quotas_to_set(self.target, self.quotas, "none")

    def set_quotas(self) -> Check:
        """Set what differs, and compare; safe to repeat."""
        try:
            diff, refused = set_quotas(self.target, self.quotas)
        except (NotAuthorized, NotSupported) as error:  # the plan asked: this is new
            return Check(name="quotas", status=Status.FAIL, detail=str(error))
        return check_quotas(diff, copied=True, refused=refused, side="in the backup")

    def make_acls(self) -> tuple[RestoredAcls, list[str]]:
        """Make the missing ones; safe to repeat. What is there now, and why the target did not take some.

        :raises FerryError: the user may not make any.
        """
        refused: list[str] = []
        for acl in self.acls().missing:
            try:
                self.target.admin.create_acls([acl])
                log.info("made %s", acl)
            except NotAuthorized as error:
                raise FerryError(f"{error}. Fix: that right, or acls: none") from error
            except FerryError as error:
                if error.retriable:
                    raise
                refused.append(f"{acl}: {error}")
        # What the controller took, a broker knows a moment later (measured).
        deadline = time.monotonic() + _ACLS_SECONDS
        while len((found := self.acls()).missing) > len(refused) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found, refused


def restore_job(context: Mapping[str, Any]) -> RestoreJob:
    """:raises BadParam: the run's params cannot work."""
    return RestoreJob(RestoreSpec.from_params(context["params"]))


def plan_of_restore(job: RestoreJob, keep: Callable[[str, str], Any] | None = None) -> RestorePlan:
    """plan.json of ``restore_topics``.

    :param keep: writes an artifact beside it, name and text: what is too large for plan.json.
    :raises BadParam: it cannot work, or would mix records with others; nothing was changed.
    :raises IncompleteBackup: the backup, or one that it builds on, is not there.
    """
    spec, restore_run = job.spec, job.restore_run
    cluster = job.target.admin.describe_cluster()
    topics = restore_run.topics
    _refuse(spec, topics)
    restore_run.check()
    findings, largest = restore_findings(restore_run)
    schemas, carried = _schemas(job)
    findings = worst_first([*findings, *_applications(job), *carried])
    refuse(findings)
    acls = job.acls().missing if spec.acls == "copy" else []
    quotas = job.quotas_to_set().changes() if spec.quotas == "copy" else []
    lines = [_line(topic, restore_run.point_in_time, largest[topic.name]) for topic in topics]
    manifest = restore_run.manifest
    commits = planned_lines(restore_run) if spec.restore_groups else []
    if keep and len(commits) > KEPT:
        keep(GROUPS_PLAN, "\n".join(map(str, (f"{shown(line.group)}: {line}" for line in commits))) + "\n")
    return RestorePlan(
        planned=now(),
        spec=spec.model_dump(mode="json"),
        source=Side(),
        target=Side(conn_id=spec.target_conn_id, cluster_id=cluster.cluster_id, brokers=cluster.brokers),
        archive=Archive(backup=spec.backup, backup_id=manifest.backup_id, location=spec.location),
        backup_id=manifest.backup_id,
        chain=[one.backup_id for one in restore_run.chain],
        topics=lines,
        groups=sorted(restore_run.chosen_groups()) if spec.restore_groups else [],
        skipped_groups=restore_run.groups_left_out() if spec.restore_groups else {},
        group_offsets=restored_groups_in_plan(commits, GROUPS_PLAN if keep and len(commits) > KEPT else None),
        changes=[*restore_changes(restore_run, [str(acl) for acl in acls], commits), *schemas, *quotas],
        acls=[str(acl) for acl in acls],
        records=sum(line.records or 0 for line in lines),
        bytes=sum(line.bytes or 0 for line in lines),
        findings=findings,
        notes=[
            *restore_run.catalogue.oddities(),
            *(job.target.admin.metadata_note() if commits else []),
            *_time_notes(restore_run),
            *_retention_notes(topics, restore_run.point_in_time),
        ],
    )


def _schemas(job: RestoreJob) -> tuple[list[Change], list[Finding]]:
    """What would be done at the target registry, and what stands against it."""
    if job.carrier is None:
        return [], []
    decision, findings = job.carrier.planned()
    log.info("schemas: %s", note_of(job.carrier.asked, job.carrier.source, decision))
    return changes_of(job.carrier.asked, decision), findings


def _applications(job: RestoreJob) -> list[Finding]:
    """Kafka Streams applications of the backup that would come back in whole or by half."""
    restore_run, manifest = job.restore_run, job.restore_run.manifest
    states = dict.fromkeys([*manifest.groups, *manifest.groups_left_out], "")
    reads = {group: {one.topic for one in own} for group, own in manifest.groups.items()}
    topics, names = [topic.name for topic in manifest.topics], job.names
    compacted = [topic.name for topic in manifest.topics if "compact" in topic.configs.get("cleanup.policy", "")]
    carried = restore_run.chosen_groups() if job.spec.restore_groups else {}
    found = applications(topics, states, {}, reads, compacted)
    return application_findings(found, names, carried, lambda name: names.get(name, name))


def _refuse(spec: RestoreSpec, topics: list[RestoreTopic]) -> None:
    if not topics:
        raise BadParam("topics", "no topic of the backup is selected", "names or regexes of topics in it")
    for topic in topics:
        problem = "is an internal topic of Kafka" if topic.name.startswith("__") else name_problem(topic.name)
        if problem:
            raise BadParam("rename", f"{topic.name!r} {problem}", "another name on the target")
    there = {topic.source.name: {one.partition for one in topic.source.partitions} for topic in topics}
    for name, wanted in spec.partitions.items():
        if name not in there:
            raise BadParam(
                "partitions", f"{name!r} is not among the topics to restore", "a name as it is in the backup"
            )
        if absent := sorted(set(wanted) - there[name]):
            raise BadParam("partitions", f"{name!r} has no partition {absent[0]}", f"one of {sorted(there[name])}")


def _line(topic: RestoreTopic, point_in_time: int | None, largest: Largest) -> PlannedTopic:
    parts = [one for own in topic.partitions for one in own.segments if takes_part(one, point_in_time)]
    return PlannedTopic(
        source=topic.source.name,
        target=topic.name,
        partitions=len(topic.partitions),
        records=sum(one.records for one in parts),
        bytes=sum(one.bytes for one in parts),
        **largest_line(largest),
    )


def _time_notes(restore_run: RestoreRun) -> list[str]:
    at = restore_run.point_in_time
    if at is None:
        return []
    notes = ["point_in_time cuts each partition by its records' own timestamps: not one moment across partitions"]
    if restore_run.manifest.created_at.timestamp() * 1000 < at:
        notes.append(f"the backup was begun {restore_run.manifest.created}, before the point in time: later records "
                     "are not in it")  # fmt: skip
    return notes


def _retention_notes(topics: list[RestoreTopic], point_in_time: int | None) -> list[str]:
    today, notes = datetime.now(UTC).timestamp() * 1000, []
    for topic in topics:
        limit = int(topic.source.configs.get("retention.ms", _NO_LIMIT))
        times = [
            one.min_timestamp
            for own in topic.partitions
            for one in own.segments
            if takes_part(one, point_in_time) and one.min_timestamp is not None
        ]
        if limit >= 0 and times and today - min(times) > limit:
            notes.append(
                f"topic {topic.name}: has records older than its retention.ms={limit}; once the restore has ended "
                "and that is restored, Kafka deletes them"
            )
    return notes
