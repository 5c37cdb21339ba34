"""What an export or an import proved, as checks and lines of the report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka_ferry.core.checks import Check, Status, TopicLine
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.backup.rules.judge_restore import retimed_text
from kafka_ferry.jobs.backup.rules.layout import data_prefix
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, TopicBackup
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic

NAMED: Final = 100  # differences in the report; plan.json and the manifests have all

Increment = Mapping[str, Any]
"""A line of followed.jsonl, as ``jobs.backup.s3.continuous`` notes it."""


def _lost(partition: PartitionBackup) -> int:
    return sum(gap.end - gap.begin for gap in partition.all_gaps() if gap.reason == "retention")


def judge_export(
    manifest: Manifest, location: str, damage: Sequence[str] | None, followed: Sequence[Increment] = ()
) -> dict[str, Any]:
    """Checks and topic lines of an export.

    :param damage: what was wrong with objects that were read back, by topic, partition and offsets; None: nobody
        looked.
    """
    wrong = [*(damage or ()), *(text for one in followed for text in one["damage"])]
    gone = [
        f"{topic.name}-{one.partition}: offsets {gap.begin} to {gap.end - 1} were deleted before they could be read"
        for topic, one in manifest.partitions()
        for gap in one.all_gaps()
        if gap.reason == "retention"
    ]
    gone += [f"{text} were deleted before they could be read" for one in followed for text in one["gaps"]]
    records = manifest.totals.records + sum(one["records"] for one in followed)
    objects = manifest.totals.objects + sum(one["objects"] for one in followed)
    partitions = sum(1 for _ in manifest.partitions())
    looked = damage is not None
    checks = [
        Check(name="topics", status=Status.PASS, expected=str(len(manifest.topics)), actual=str(len(manifest.topics))),
        Check(name="partitions", status=Status.PASS, expected=str(partitions), actual=str(partitions)),
        Check(
            name="counts",
            status=Status.EXPLAINED if gone else Status.PASS,
            expected=f"{records:,}",
            actual=f"{records:,}",
            detail="every offset of the frozen ranges is in an object, or its absence has a reason"
            + ("; some were deleted before the export" if gone else ""),
            differences=gone[:NAMED],
        ),
        Check(
            name="content",
            status=(Status.FAIL if wrong else Status.PASS) if looked else Status.SKIPPED,
            expected=number_of(objects, "object"),
            actual=f"{number_of(objects - len(wrong), 'object')} as they were written" if looked else "",
            detail="each was read back and compared with the fingerprint taken from the source"
            if looked
            else "param verify is off",
            differences=wrong[:NAMED],
        ),
    ]
    lines = [_export_line(topic, manifest, location, wrong, followed) for topic in manifest.topics]
    return {"checks": checks, "topics": lines}


def _export_line(
    topic: TopicBackup, manifest: Manifest, location: str, wrong: Sequence[str], followed: Sequence[Increment]
) -> TopicLine:
    records = sum(one.records for one in topic.partitions) + sum(one["topics"].get(topic.name, 0) for one in followed)
    lost = sum(map(_lost, topic.partitions))
    broken = [
        text for text in wrong if text.startswith(tuple(f"{topic.name}-{p.partition} " for p in topic.partitions))
    ]
    status = Status.FAIL if broken else Status.EXPLAINED if lost else Status.PASS
    detail = broken[0] if broken else f"{number_of(lost, 'offset')} had been deleted by retention" if lost else ""
    return TopicLine(
        source=topic.name,
        target=f"{location.rstrip('/')}/{data_prefix(manifest.backup)}{topic.name}/",
        partitions=len(topic.partitions),
        source_records=records,
        target_records=records,
        status=status,
        detail=detail,
    )


def judge_import(
    topics: Sequence[RestoreTopic],
    there: Mapping[str, int],
    configs: Mapping[str, Mapping[str, str]],
    lines: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Checks and topic lines of an import.

    :param there: target topic to its number of partitions. ``configs``: to what it is set to once the hold is over.
    :param lines: what comparing found, as ``RestoredPartition`` tells it: all of the run, increments too.
    """
    lacking = [topic.name for topic in topics if topic.name not in there]
    wanted = {topic.name: len(topic.source.partitions) for topic in topics}
    other = [f"{name}: {there[name]} instead of {count}" for name, count in wanted.items() if there.get(name) != count]
    differing = [
        f"{topic.name}: {key} is {configs[topic.name].get(key, 'the default')}, on the source {value}"
        for topic in topics
        if topic.name in configs
        for key, value in sorted(topic.source.configs.items())
        if configs[topic.name].get(key) != value
    ]
    wrong = [f"{line['topic']}-{line['partition']}: {line['detail']}" for line in lines if line["detail"]]
    expected, actual = (sum(line[side] for line in lines) for side in ("expected", "actual"))

    def check(name: str, differences: list[str], left: Any, right: Any, detail: str = "") -> Check:
        status = Status.FAIL if differences else Status.PASS
        return Check(name=name, status=status, expected=str(left), actual=str(right), detail=detail,
                     differences=differences[:NAMED])  # fmt: skip

    retimed = {topic.name: _retimed(topic, lines) for topic in topics}
    moved = [f"{name}: {retimed_text(count)}" for name, count in retimed.items() if count]
    counted = [f"{line['topic']}-{line['partition']}: {line['actual']:,} instead of {line['expected']:,}"
               for line in lines if line["actual"] != line["expected"]]  # fmt: skip
    checks = [
        check("topics", lacking, len(topics), len(topics) - len(lacking)),
        check("partitions", other, sum(wanted.values()), sum(there.values())),
        Check(
            name="configs",
            status=Status.EXPLAINED if differing else Status.PASS,
            detail="existing target topics keep theirs" if differing else "",
            differences=differing[:NAMED],
        ),
        check("counts", counted, f"{expected:,}", f"{actual:,}"),
        check("content", wrong, number_of(expected, 'record'), number_of(actual, 'record'),
              "read from the target and compared with the manifest's fingerprints; what earlier runs verified is "
              "not read again"),
    ]  # fmt: skip
    if moved and not wrong:
        checks[-1] = checks[-1].model_copy(update={"status": Status.EXPLAINED, "differences": moved[:NAMED]})
    return {"checks": checks, "topics": [_import_line(topic, lines) for topic in topics]}


def _retimed(topic: RestoreTopic, lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(line.get("retimed", 0) for line in lines if line["topic"] == topic.name)


def _import_line(topic: RestoreTopic, lines: Sequence[Mapping[str, Any]]) -> TopicLine:
    mine = [line for line in lines if line["topic"] == topic.name]
    details = [line["detail"] for line in mine if line["detail"]]
    retimed = _retimed(topic, lines)
    sums = {key: sum(line[key] for line in mine) for key in ("lost", "duplicated", "reordered")}
    return TopicLine(
        source=topic.source.name,
        target=topic.name,
        partitions=len(topic.source.partitions),
        source_records=sum(line["expected"] for line in mine),
        target_records=sum(line["actual"] for line in mine),
        **sums,
        status=Status.FAIL if details else Status.EXPLAINED if retimed else Status.PASS,
        detail=details[0] if details else retimed_text(retimed) if retimed else "",
    )
