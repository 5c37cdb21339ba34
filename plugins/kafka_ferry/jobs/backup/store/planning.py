"""What a backup would cover, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import humanize

from kafka_ferry.core.plan import Archive, PlannedTopic, Side
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest, TopicBackup
from kafka_ferry.jobs.backup.rules.plan import BackupPlan, Covered
from kafka_ferry.jobs.backup.store.freeze import plan_backup
from kafka_ferry.jobs.backup.store.job import BackupJob, now
from kafka_ferry.records.content import PartitionRange

_SAMPLE = 100  # records of a topic's largest partition that tell its mean record size


def plan_of_backup(job: BackupJob) -> BackupPlan:
    """plan.json of ``backup_topics``; ``covered`` names the backup that covers this data interval already.

    :raises BadParam: nothing matches ``topics``, or the location is none.
    :raises DataLossError: a log ends before what the last backup has of it.
    """
    spec, admin = job.spec, job.source.admin
    cluster = admin.describe_cluster()
    job.look_at_copy()
    known = job.catalogue.read(job.backup_id)
    manifest = known or job.look_around().added_to(plan_backup(admin, job.catalogue, spec, job.backup_id, now()))
    covered = job.covered([topic.name for topic in manifest.topics], cluster.cluster_id)
    sizes = _sampled(job, manifest, job.record_bytes())
    lines = [_line(topic, sizes.get(topic.name)) for topic in manifest.topics]
    return BackupPlan(
        planned=now(),
        spec=spec.model_dump(mode="json"),
        source=Side(conn_id=spec.source_conn_id, cluster_id=cluster.cluster_id, brokers=cluster.brokers),
        target=Side(),
        archive=Archive(backup=spec.backup, backup_id=job.backup_id, location=spec.location),
        backup_id=job.backup_id,
        mode=manifest.mode,
        parent=manifest.parent,
        covered=Covered(backup_id=covered.backup_id, created=covered.created) if covered else None,
        topics=lines,
        groups=sorted(manifest.groups),
        skipped_groups=manifest.groups_left_out,
        records=sum(line.records or 0 for line in lines),
        bytes=sum(line.bytes or 0 for line in lines),
        notes=[*manifest.notes, *_around(manifest), *_begun(known), *job.catalogue.oddities(), *_pruning(job)],
    )


def _sampled(job: BackupJob, manifest: Manifest, known: Mapping[str, float]) -> dict[str, float]:
    """Mean bytes of a record by topic: as the last backups have them, else of a few records read now."""
    ranges = []
    for topic in manifest.topics:
        largest = max(topic.partitions, key=lambda one: one.end - one.begin, default=None)
        if topic.name not in known and largest and largest.end > largest.begin:
            end = min(largest.end, largest.begin + _SAMPLE)
            ranges.append(PartitionRange(topic.name, largest.partition, largest.begin, end))
    if not ranges:
        return dict(known)
    with job.source.reader(manifest.isolation_level, few=True) as reader:
        contents = reader.read(ranges)
    return {**known, **{name: one.bytes / len(one) for (name, _), one in contents.items() if len(one)}}


def _line(topic: TopicBackup, size: float | None) -> PlannedTopic:
    """:param size: bytes of a record; None: no record of the sample can be read, all may be markers or compacted."""
    records = sum(one.end - one.begin for one in topic.partitions)
    return PlannedTopic(
        source=topic.name,
        target=topic.name,
        partitions=len(topic.partitions),
        records=records,
        bytes=round(records * size) if size is not None else None if records else 0,
    )


def _around(manifest: Manifest) -> list[str]:
    """What has no lines of its own in a plan."""
    quotas, part = sum(len(one.values) for one in manifest.quotas), manifest.schemas
    told = [f"with {number_of(quotas, 'client quota')}"] if quotas else []
    if part:
        versions = f"{number_of(part.versions, 'version')} of {number_of(part.subjects, 'subject')}"
        told.append(f"with the schema registry: {versions}, {humanize.naturalsize(part.size)}")
    return told


def _begun(known: Manifest | None) -> list[str]:
    return [f"begun before ({known.state}): resumes where it was"] if known else []


def _pruning(job: BackupJob) -> list[str]:
    spec = job.spec
    if spec.keep_last is None and spec.keep_days is None:
        return []
    try:
        # One more than is kept: the backup to come is the newest then.
        last = None if spec.keep_last is None else max(1, spec.keep_last - 1)
        found = job.catalogue.pruning(last, spec.keep_days, datetime.now(UTC))
    except DamagedManifest as error:
        return [f"pruning: {error}"]
    told = [f"pruning keeps {backup_id}, which is locked: {why}" for backup_id, why in found.locked.items()]
    if found.delete:
        told.append(f"pruning {'would delete' if spec.prune_dry_run else 'deletes'} {', '.join(found.delete)}")
    return told
