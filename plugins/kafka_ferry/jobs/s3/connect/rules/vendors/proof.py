"""What the files of another maker's sink hold, against what the source cluster has; and what that proves. Pure.

There is no manifest that says which offsets are in which file. A file's name has its first offset, so the source's
records from there to the next file's first offset are those that it must have: as many, and where files keep all of a
record, the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from kafka_ferry.core.checks import Check, Status, TopicLine
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import PARTS, Lost
from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.fingerprint import Fingerprint

NAMED: Final = 100


@dataclass(frozen=True)
class Held:
    """One partition.

    :param source: records that the source has of the frozen range. ``held``: of these, how many are in files.
    :param missing: what is not, with its place. ``differing``: files whose records are others.
    :param fewer: records that the source has no more, of those in files: compaction or retention, meanwhile.
    :param compared: files whose records were compared, one by one, with the source's.
    """

    topic: str
    partition: int
    source: int
    held: int
    missing: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    fewer: int = 0
    repeated: int = 0
    files: int = 0
    compared: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Held:
        named = {name: tuple(data[name]) for name in ("missing", "differing")}
        return cls(**{**data, **named})


def held(
    frozen: PartitionRange, segments: Sequence[Segment], content: PartitionContent, *, whole: bool, repeated: int = 0
) -> Held:
    """:param segments: of all files, in order. ``content``: of the source, from its log start to behind ``frozen``.
    :param whole: files keep all of a record, so that contents can be compared.
    """
    where = f"{frozen.topic}-{frozen.partition}"
    offsets = content.offsets
    # What begins before the log does was compared by an earlier run, or by nobody.
    known = [one for one in segments if one.begin >= content.begin]
    begin = frozen.begin
    if len(known) < len(segments):
        begin = known[0].begin if known else max(begin, segments[-1].end)
    end = int(np.searchsorted(offsets, frozen.end))
    start = int(np.searchsorted(offsets, begin))
    missing, differing, found, fewer, compared = list[str](), list[str](), 0, 0, 0
    mine = [one for one in known if one.begin < frozen.end]
    first = int(np.searchsorted(offsets, mine[0].begin)) if mine else end
    if first > start:
        missing.append(f"{where}: {number_of(first - start, 'record')} from offset {int(offsets[start])} on")
    for one, following in zip(mine, [*known[1:], None], strict=False):
        at = int(np.searchsorted(offsets, one.begin))
        wanted = end - at if following is None else int(np.searchsorted(offsets, following.begin)) - at
        if one.records < wanted:
            missing.append(f"{where}: {one.key} has {one.records:,} of {number_of(wanted, 'record')}")
        elif following is not None and one.records > wanted:
            fewer += one.records - wanted
        elif whole and at + one.records <= len(content):
            compared += 1
            there = slice(at, at + one.records)
            if not _same(one, PartitionContent(offsets[there], content.hashes[there], 0, one.begin, one.end)):
                differing.append(f"{where}: {one.key} has other records than the source from offset {one.begin} on")
        found += min(one.records, wanted)
    return Held(
        frozen.topic, frozen.partition, max(0, end - start), min(found, max(0, end - start)),
        tuple(missing), tuple(differing), fewer, repeated, len(mine), compared,
    )  # fmt: skip


def without_tombstones(content: PartitionContent) -> PartitionContent:
    """:param content: read with its key columns."""
    assert content.keys is not None  # noqa: S101
    kept = ~content.keys.tombstones
    return replace(content, offsets=content.offsets[kept], hashes=content.hashes[kept], keys=None)


def _same(segment: Segment, own: PartitionContent) -> bool:
    said = Fingerprint.from_json(segment.fingerprint or {})
    return (said.ordered, said.count) == ((made := Fingerprint.of(own)).ordered, made.count)


def judge(
    found: Sequence[Held], lost: Lost, unread: str, location: str, others: tuple[int, Sequence[str]] = (0, ())
) -> dict[str, Any]:
    """Checks and topic lines of an export that another maker's sink wrote.

    :param lost: what the connector loses. ``unread``: why files were not read; empty: they were.
    :param others: objects that are no files of it: how many, and the first of them.
    """
    topics = sorted({one.topic for one in found})
    count, of = len(found), len(topics)
    checks = [
        Check(name="topics", status=Status.PASS, expected=str(of), actual=str(of)),
        Check(name="partitions", status=Status.PASS, expected=str(count), actual=str(count)),
        _counts(found, unread),
        _content(found, lost, unread),
        Check(
            name="losses",
            status=Status.EXPLAINED if lost else Status.PASS,
            expected="key, value, headers and timestamp of every record",
            actual="not all of it" if lost else "all of it",
            detail="param accept_losses accepts them" if lost else "",
            differences=[f"{part}: {PARTS[part]}: {why}" for part, why in lost.items()],
        ),
        Check(
            name="others",
            status=Status.EXPLAINED if others[0] else Status.SKIPPED if unread else Status.PASS,
            expected="only files of the connector",
            actual=f"{number_of(others[0], 'object')} left out" if others[0] else "" if unread else "only such files",
            detail=unread,
            differences=list(others[1])[:NAMED],
        ),
    ]
    return {"checks": checks, "topics": [_line(name, found, location, unread) for name in topics]}


def _counts(found: Sequence[Held], unread: str) -> Check:
    if unread:
        return Check(name="counts", status=Status.SKIPPED, detail=unread)
    missing = [text for one in found for text in one.missing]
    fewer, repeated = (sum(getattr(one, what) for one in found) for what in ("fewer", "repeated"))
    told = [f"{number_of(repeated, 'record')} that two files have were taken once"] if repeated else []
    if fewer:
        told.append(f"the source has {number_of(fewer, 'record')} fewer by now than files have (compaction, retention)")
    status = Status.FAIL if missing else Status.EXPLAINED if fewer else Status.PASS
    return Check(
        name="counts",
        status=status,
        expected=f"{sum(one.source for one in found):,}",
        actual=f"{sum(one.held for one in found):,}",
        detail="; ".join(["records of the source up to the frozen ends, counted in the files that were read", *told]),
        differences=missing[:NAMED],
    )


def _content(found: Sequence[Held], lost: Lost, unread: str) -> Check:
    compared = sum(one.compared for one in found)
    if unread or not compared:
        kept = f"files do not keep {', '.join(lost)}" if lost else "there was no file to compare"
        return Check(name="content", status=Status.SKIPPED, detail=unread or kept)
    differing = [text for one in found for text in one.differing]
    return Check(
        name="content",
        status=Status.FAIL if differing else Status.PASS,
        expected=number_of(compared, "file"),
        actual=f"{number_of(compared - len(differing), 'file')} with the source's records",
        detail="each was read, and its records compared with the source's",
        differences=differing[:NAMED],
    )


def _line(topic: str, found: Sequence[Held], location: str, unread: str) -> TopicLine:
    mine = [one for one in found if one.topic == topic]
    wrong = [text for one in mine for text in (*one.missing, *one.differing)]
    counted = None if unread else (sum(one.source for one in mine), sum(one.held for one in mine))
    return TopicLine(
        source=topic,
        target=f"{location.rstrip('/')}/…",
        partitions=len(mine),
        source_records=counted and counted[0],
        target_records=counted and counted[1],
        lost=counted[0] - counted[1] if counted else 0,
        status=Status.FAIL if wrong else Status.SKIPPED if unread else Status.PASS,
        detail=wrong[0] if wrong else unread,
    )


def sentence_of(checks: Sequence[Check]) -> str:
    """What a PASS says."""
    said = {check.name: check for check in checks}
    if said["counts"].status is Status.SKIPPED:
        return ""
    more = "; they hold the same records" if said["content"].status is Status.PASS else ""
    return f"{said['counts'].actual} records of the source were counted in the connector's files{more}."
