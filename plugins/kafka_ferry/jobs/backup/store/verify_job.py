"""One run of ``verify_backup``: which objects are read, and what that says of each backup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from kafka_ferry.core.checks import Check, Status, TopicLine
from kafka_ferry.core.plan import Archive, PlannedTopic, Side
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.backup.rules.archive import backup_lines
from kafka_ferry.jobs.backup.rules.judge import clocks_check, objects_check
from kafka_ferry.jobs.backup.rules.manifest import Manifest, Segment, State
from kafka_ferry.jobs.backup.rules.order import futures
from kafka_ferry.jobs.backup.rules.plan import VerifyPlan
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup, assemble, lineage
from kafka_ferry.jobs.backup.rules.spec import VerifySpec
from kafka_ferry.jobs.backup.store.job import StoreJob, now
from kafka_ferry.jobs.backup.store.schemas import check_schemas
from kafka_ferry.jobs.backup.store.verify import Damage, structure_damage

_NAMED = 200


class VerifyJob(StoreJob):
    """The backups of a name, or one of them with all it builds on."""

    def __init__(self, spec: VerifySpec) -> None:
        super().__init__(spec)
        self.spec = spec

    @cached_property
    def found(self) -> tuple[dict[str, Manifest], list[str]]:
        """All manifests, and what is wrong with those that cannot be read."""
        return self.catalogue.manifests()

    def futures(self) -> list[str]:
        """Backups whose dates have not come yet, in words."""
        return futures(self.found[0], datetime.now(UTC))

    @cached_property
    def backups(self) -> list[Manifest]:
        """Those to verify: COMPLETE ones, oldest first.

        :raises BadParam: there is none.
        """
        complete = {key: one for key, one in self.found[0].items() if one.state is State.COMPLETE}
        if self.spec.backup_id is None:
            if not complete and not self.found[1]:
                raise self.catalogue.absent(None, self.found[0])
            return list(complete.values())
        if self.spec.backup_id not in complete:
            error = self.catalogue.absent(self.spec.backup_id, self.found[0])
            refused = f" ({'; '.join(self.found[1][:5])})" if self.found[1] else ""
            raise BadParam(error.param, f"{error.problem}{refused}", error.fix)
        return lineage(complete, self.spec.backup_id)

    def segments(self) -> list[tuple[str, int, Segment]]:
        """Every object once, with its topic and partition."""
        by_key = {
            segment.key: (topic.name, partition.partition, segment)
            for manifest in self.backups
            for topic, partition, segment in manifest.segments()
            if segment.key
        }
        return list(by_key.values())


def verify_job(context: Mapping[str, Any]) -> VerifyJob:
    """:raises BadParam: the run's params cannot work."""
    return VerifyJob(VerifySpec.from_params(context["params"]))


def plan_of_verification(job: VerifyJob) -> VerifyPlan:
    """plan.json of ``verify_backup``."""
    spec, segments = job.spec, job.segments()
    topics: dict[str, list[Segment]] = {}
    for topic, _, segment in segments:
        topics.setdefault(topic, []).append(segment)
    lines = [
        PlannedTopic(
            source=topic,
            target=topic,
            partitions=len({partition for name, partition, _ in segments if name == topic}),
            records=sum(one.records for one in own),
            bytes=sum(one.size for one in own),
        )
        for topic, own in sorted(topics.items())
    ]
    return VerifyPlan(
        planned=now(),
        spec=spec.model_dump(mode="json"),
        source=Side(),
        target=Side(),
        archive=Archive(backup=spec.backup, backup_id=spec.backup_id, location=spec.location),
        backup_id=spec.backup_id or f"all of {spec.backup!r}",
        backups=len(job.backups),
        topics=lines,
        groups=[],
        records=sum(line.records or 0 for line in lines),
        bytes=sum(line.bytes or 0 for line in lines),
        notes=[*job.found[1], *job.futures()],
    )


def judge(job: VerifyJob, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """checks.json; notes each backup's verdict in the store.

    :param found: what the shards found: ``{"objects", "records", "bytes", "damage"}``.
    """
    damage = [Damage(**one) for shard in found for one in shard["damage"]]
    holes = [one for manifest in job.backups for one in structure_damage(manifest)]
    chains = _chains(job)
    registry, bad_schemas = check_schemas(job.store, job.backups, why_none="no backup has schemas of a registry")
    bad_keys = {one.key for one in damage} | bad_schemas
    complete = {one.backup_id: one for one in job.backups}
    for manifest in job.backups:
        broken = manifest.backup_id in chains or bool(structure_damage(manifest))
        if not broken:
            broken = any(bad_keys & one.keys() for one in lineage(complete, manifest.backup_id))
        job.catalogue.note_verdict(manifest.backup_id, "content", "FAIL" if broken else "PASS", now())
    objects, records, read = (sum(int(shard[key]) for shard in found) for key in ("objects", "records", "bytes"))
    wanted = len(job.segments())
    checks = [
        _manifests(job, [*chains.values(), *map(str, holes)]),
        objects_check([str(one) for one in damage], objects, "each was read: SHA-256, offsets, counts, fingerprint"),
        _counts(wanted, objects, records),
        _orphans(job),
        clocks_check(job.futures()),
        registry,
    ]
    return {
        "checks": [check.model_dump(mode="json") for check in checks],
        "topics": [line.model_dump(mode="json") for line in _topics(job, [*damage, *holes])],
        "backups": [line.model_dump(mode="json") for line in backup_lines(job.found[0], job.catalogue.verdicts())],
        "sentence": f"{number_of(records, 'record')} in {number_of(objects, 'object')} of "
        f"{number_of(len(job.backups), 'backup')} were read and are as they were written.",
        "throughput": {"records": records, "bytes": read, "seconds": 0},
    }


def _chains(job: VerifyJob) -> dict[str, str]:
    """Backup id to why it cannot be restored."""
    complete = {one.backup_id: one for one in job.backups}
    broken = {}
    for backup_id in complete:
        try:
            assemble(lineage(complete, backup_id))
        except IncompleteBackup as error:
            broken[backup_id] = f"{backup_id} cannot be restored: {error}"
    return broken


def _manifests(job: VerifyJob, problems: Sequence[str]) -> Check:
    manifests, damaged = job.found
    wrong = [*damaged, *problems]
    open_ones = [one.backup_id for one in manifests.values() if one.state is not State.COMPLETE]
    return Check(
        name="manifests",
        status=Status.FAIL if wrong else Status.PASS,
        expected=f"{number_of(len(job.backups), 'backup')} that can be restored",
        actual=number_of(len(wrong), "problem") if wrong else f"{len(job.backups):,}",
        detail=f"not finished, so no backups: {', '.join(open_ones[-5:])}" if open_ones else "",
        differences=wrong[:_NAMED],
    )


def _counts(wanted: int, objects: int, records: int) -> Check:
    return Check(
        name="counts",
        status=Status.PASS if wanted == objects else Status.FAIL,
        expected=number_of(wanted, "object"),
        actual=f"{number_of(objects, 'object')} read, {number_of(records, 'record')} in them by the manifests",
    )


def _orphans(job: VerifyJob) -> Check:
    if job.found[1]:
        return Check(
            name="orphans", status=Status.SKIPPED, detail="a manifest cannot be read, so what it needs is unknown"
        )
    left = job.catalogue.orphans()
    return Check(
        name="orphans",
        status=Status.EXPLAINED if left else Status.PASS,
        expected="no object without a backup",
        actual=f"{number_of(len(left), 'object')}, {number_of(sum(left.values()), 'byte')}" if left else "none",
        detail="left by killed exports; may be deleted while no backup is running" if left else "",
        differences=sorted(left)[:_NAMED],
    )


def _topics(job: VerifyJob, damage: Sequence[Damage]) -> list[TopicLine]:
    topics: dict[str, list[tuple[int, Segment]]] = {}
    for topic, partition, segment in job.segments():
        topics.setdefault(topic, []).append((partition, segment))
    lines = []
    for topic, own in sorted(topics.items()):
        wrong = [one for one in damage if one.topic == topic]
        lost = sum(segment.records for _, segment in own if segment.key in {one.key for one in wrong})
        records = sum(segment.records for _, segment in own)
        lines.append(
            TopicLine(
                source=topic,
                target=topic,
                partitions=len({partition for partition, _ in own}),
                source_records=records,
                target_records=records - lost,
                lost=lost,
                status=Status.FAIL if wrong else Status.PASS,
                detail="; ".join(str(one) for one in wrong[:5]),
            )
        )
    return lines
