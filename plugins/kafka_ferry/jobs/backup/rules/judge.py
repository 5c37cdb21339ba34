"""What a finished backup proves, as lines of the report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import humanize

from kafka_ferry.core.checks import Check, Status, TopicLine
from kafka_ferry.core.group_types import is_other
from kafka_ferry.core.unnamed_groups import NO_COMMIT
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.backup.rules.manifest import Gap, Manifest, PartitionBackup, TopicBackup
from kafka_ferry.jobs.backup.rules.quotas import NOT_READ

NAMED = 200


def lost_to_retention(partition: PartitionBackup) -> list[Gap]:
    """Offsets that were deleted before they could be backed up."""
    return [gap for gap in partition.all_gaps() if gap.reason == "retention"]


def covered_checks(by: str, begun: str) -> list[Check]:
    """The checklist of a run that had nothing to do."""
    detail = (
        f"nothing to do: covered by backup {by}, begun {begun}. Kafka cannot show a past data interval: what "
        "existed then and was not yet deleted is in that backup"
    )
    return [
        Check(
            name="counts", status=Status.EXPLAINED, expected="a backup of this data interval", actual=by, detail=detail
        )
    ]


def backup_checks(manifest: Manifest, damage: Sequence[str], objects: int, pruning: Mapping[str, Any]) -> list[Check]:
    """The checklist of ``backup_topics``.

    :param damage: what is wrong with the objects of the backup and of those it builds on, of which there are
        ``objects``.
    :param pruning: ``{"deleted", "kept", "bytes", "dry_run", "locked", "not_deleted"}``; empty when nothing is ever
        pruned.
    """
    return [
        _topics(manifest),
        _counts(manifest),
        _gaps(manifest),
        objects_check(damage, objects, "presence and size checked only: verify_backup reads them"),
        _groups(manifest),
        _acls(manifest),
        _pruning(pruning),
    ]


def objects_check(damage: Sequence[str], objects: int, detail: str) -> Check:
    """Whether the objects are as they were written.

    :param damage: one line for each that is not, with its offsets.
    """
    return Check(
        name="objects",
        status=Status.FAIL if damage else Status.PASS,
        expected=f"{number_of(objects, 'object')} as they were written",
        actual=f"{len(damage):,} damaged" if damage else f"{objects:,}",
        detail=detail,
        differences=list(damage)[:NAMED],
    )


def clocks_check(futures: Sequence[str]) -> Check:
    """Whether all backups say they were made in the past.

    :param futures: those that do not, in words.
    """
    return Check(
        name="clocks",
        status=Status.EXPLAINED if futures else Status.PASS,
        expected="no date in the future",
        actual=number_of(len(futures), "backup") + " from the future" if futures else "none",
        detail="a clock was wrong: offsets decide which is newest and which covers an interval" if futures else "",
        differences=list(futures)[:NAMED],
    )


def copy_check(lacking: Sequence[str] | None, place: str, objects: int) -> Check:
    """Whether the backup can be restored from ``copy_to`` as well.

    :param lacking: what is not there; None: no copy was asked for.
    :param objects: that a restore needs.
    """
    if lacking is None:
        return Check(name="copy", status=Status.SKIPPED, detail="param copy_to is empty")
    return Check(
        name="copy",
        status=Status.FAIL if lacking else Status.PASS,
        expected=f"{number_of(objects, 'object')} at {place}",
        actual=f"{len(lacking):,} missing or cut short" if lacking else f"{objects:,}",
        detail="each was checked against its SHA-256 while copied, and its size at the destination",
        differences=list(lacking)[:NAMED],
    )


def _topics(manifest: Manifest) -> Check:
    recreated = [f"{topic.name}: recreated since the last backup, taken from its beginning" for topic in manifest.topics
            if topic.recreated]  # fmt: skip
    return Check(
        name="topics",
        status=Status.EXPLAINED if recreated else Status.PASS,
        expected=f"{number_of(len(manifest.topics), 'topic')} selected",
        actual=f"{len(manifest.topics):,} in the manifest",
        detail=f"{manifest.mode}" + (f", continues {manifest.parent}" if manifest.parent else ""),
        differences=recreated[:NAMED],
    )


def _counts(manifest: Manifest) -> Check:
    offsets = sum(one.end - one.begin for _, one in manifest.partitions())
    records = sum(one.records for _, one in manifest.partitions())
    without = sum(segment.missing for _, _, segment in manifest.segments())
    uncovered = offsets - records - without
    return Check(
        name="counts",
        status=Status.FAIL if uncovered else Status.PASS,
        expected=f"{number_of(offsets, 'offset')} frozen",
        actual=number_of(records, "record") + (f", {number_of(without, 'offset')} without one" if without else ""),
        detail="each record was counted as it was written; offsets without a record: see gaps" if without else "",
        differences=[f"{number_of(uncovered, 'offset')} in no segment"] if uncovered else [],
    )


def _gaps(manifest: Manifest) -> Check:
    lost = [
        f"{topic.name}-{one.partition}: offsets {gap.begin} to {gap.end - 1} were deleted before their backup"
        for topic, one in manifest.partitions()
        for gap in lost_to_retention(one)
    ]
    others = {
        reason: sum(
            segment.missing
            for _, _, segment in manifest.segments()
            if segment.gaps and all(gap.reason == reason for gap in segment.gaps)
        )
        for reason in ("transaction", "compaction")
    }
    return Check(
        name="gaps",
        status=Status.EXPLAINED if lost else Status.PASS,
        expected="no record lost to retention",
        actual=number_of(len(lost), "gap") if lost else "none",
        detail=", ".join(
            f"{number_of(count, 'offset')} without a record: {why}" for why, count in others.items() if count
        ),
        differences=lost[:NAMED],
    )


def _groups(manifest: Manifest) -> Check:
    offsets = sum(map(len, manifest.groups.values()))
    # What cannot be in a backup first; groups without a commit, of which there may be many, last.
    left = sorted(manifest.groups_left_out.items(), key=lambda item: (item[1] == NO_COMMIT, not is_other(item[1])))
    return Check(
        name="groups",
        status=Status.EXPLAINED if any(is_other(why) for _, why in left) else Status.PASS,
        expected="the groups selected",
        actual=f"{number_of(len(manifest.groups), 'group')}, {number_of(offsets, 'committed offset')}",
        detail=f"{number_of(len(left), 'group')} left out, each listed with the reason" if left else "",
        differences=[f"{shown(group)}: {why}" for group, why in left][:NAMED],
    )


def _acls(manifest: Manifest) -> Check:
    if manifest.acls is None:
        why = next((note for note in manifest.notes if "ACLs" in note or "authorizer" in note), "not asked for")
        return Check(name="acls", status=Status.SKIPPED, detail=why)
    return Check(name="acls", status=Status.PASS, expected="the cluster's ACLs", actual=f"{len(manifest.acls):,}")


def quotas_check(manifest: Manifest, *, asked: bool) -> Check:
    """The client quotas in the manifest; skipped where they may not be read, as ACLs are.

    :param asked: whether they are to be there.
    """
    why = next((note for note in manifest.notes if note.startswith(NOT_READ)), "" if asked else "param quotas is off")
    if why and not manifest.quotas:
        return Check(name="quotas", status=Status.SKIPPED, detail=why)
    quotas = sum(len(one.values) for one in manifest.quotas)
    told = f"{quotas:,}" if quotas else "there are none"
    return Check(name="quotas", status=Status.PASS, expected="the cluster's client quotas", actual=told)


def _pruning(pruning: Mapping[str, Any]) -> Check:
    if not pruning:
        return Check(
            name="pruning", status=Status.SKIPPED, detail="neither keep_last nor keep_days is set: all are kept"
        )
    if pruning.get("refused"):
        return Check(name="pruning", status=Status.SKIPPED, detail=f"nothing was deleted: {pruning['refused']}")
    deleted, dry, locked = pruning["deleted"], pruning["dry_run"], pruning.get("locked", {})
    if refused := pruning.get("not_deleted", {}):
        return Check(
            name="pruning",
            status=Status.FAIL,
            expected=f"{number_of(len(deleted), 'backup')} deleted",
            actual=f"{number_of(len(refused), 'object')} could not be deleted",
            detail="no backup points to what is gone. Fix: allow s3:DeleteObject to the connection's user; a lock or a "
            "legal hold ends by its date, or by whoever set it",
            differences=[f"{key}: {why}" for key, why in refused.items()][:NAMED],
        )
    freed = f"{humanize.naturalsize(pruning['bytes'])} {'would be ' * dry}freed" if deleted else ""
    held = (
        f"{number_of(len(locked), 'backup')} stay{'s' * (len(locked) == 1)} until the store lets go" if locked else ""
    )
    return Check(
        name="pruning",
        status=Status.EXPLAINED if locked else Status.PASS,
        expected=f"{number_of(len(pruning['kept']), 'backup')} kept",
        actual=f"{len(deleted):,} {'would be ' if dry else ''}deleted",
        detail="; ".join(part for part in (freed, held) if part),
        differences=[
            *(f"kept {backup_id}, locked: {why}" for backup_id, why in locked.items()),
            *(f"{'would delete' if dry else 'deleted'} {backup_id}" for backup_id in deleted),
        ][:NAMED],
    )


def topic_lines(topics: Sequence[TopicBackup]) -> list[TopicLine]:
    """One line a topic of a backup."""
    return [_line(topic) for topic in topics]


def _line(topic: TopicBackup) -> TopicLine:
    records = sum(one.records for one in topic.partitions)
    segments = [segment for one in topic.partitions for segment in one.segments if segment.key]
    lost = [gap for one in topic.partitions for gap in lost_to_retention(one)]
    size = humanize.naturalsize(sum(segment.size for segment in segments))
    detail = f"{size} in {number_of(len(segments), 'object')}" if segments else "nothing new"
    if lost:
        gone = number_of(sum(gap.end - gap.begin for gap in lost), "offset")
        detail += f"; {gone} deleted before they could be backed up"
    if topic.recreated:
        detail += "; recreated since the last backup"
    return TopicLine(
        source=topic.name,
        target=topic.name,
        partitions=len(topic.partitions),
        source_records=records,
        target_records=records,
        status=Status.EXPLAINED if lost or topic.recreated else Status.PASS,
        detail=detail,
    )
