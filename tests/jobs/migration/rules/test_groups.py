"""Group offsets: commits never rewind, active groups are left alone, and a skipped record is a failure."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.checks import GroupLine, Status
from kafka_ferry.core.commits import Commit
from kafka_ferry.jobs.migration.rules.groups import commits_to_write, judge_groups, kinds_of
from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.fingerprint import Fingerprint
from kafka_ferry.records.job import PartitionResult
from kafka_ferry.records.translate import GroupLine as Translated


def translated(target: int | None, expected: int = 50, group: str = "g", **more: Any) -> Translated:
    fields = {"redelivered": 0, "skipped": 0, "source_lag": 0, "target_lag": None, "status": "exact"} | more
    return Translated(group, 70, target, expected, **fields)


def result(*lines: Translated, records: int = 100) -> PartitionResult:
    print_ = Fingerprint(records, 0, 0, 0, None, None)
    return PartitionResult("a", "x.a", 3, print_, print_, PartitionComparison("pass", records, records), lines)


def judged(line: Translated, now: int | None, refused: dict[str, str] | None = None, records: int = 100) -> GroupLine:
    committed = {} if now is None else {line.group: {("x.a", 3): Commit(now)}}
    (found,) = judge_groups([result(line, records=records)], committed, refused or {})
    return found


def test_writes_where_there_is_no_commit_or_one_behind_and_never_rewinds() -> None:
    lines = [
        translated(None, group="none"),
        translated(40, group="behind", redelivered=10, status="redelivered"),
        translated(50, group="exact"),
        translated(60, group="ahead", skipped=10, status="skipped"),
    ]
    assert commits_to_write([result(*lines)], set()) == {
        "none": {("x.a", 3): Commit(50)},
        "behind": {("x.a", 3): Commit(50)},
    }


def test_metadata_goes_along_and_is_added_where_it_is_missing_only() -> None:
    lines = [
        translated(None, group="none", metadata="AgAAAZ"),
        translated(40, group="behind", metadata="AgAAAZ", target_metadata="theirs"),
        translated(50, group="lacks it", metadata="AgAAAZ"),
        translated(50, group="has another", metadata="AgAAAZ", target_metadata="theirs"),
        translated(50, group="source has none", target_metadata="theirs"),
        translated(51, group="elsewhere", metadata="AgAAAZ"),
    ]
    exact = {("x.a", 3): Commit(50, "AgAAAZ")}
    assert commits_to_write([result(*lines)], set()) == dict.fromkeys(("none", "behind", "lacks it"), exact)


@pytest.mark.parametrize(
    ("source", "target", "status", "detail"),
    [
        ("AgAAAZ", "AgAAAZ", Status.PASS, ""),
        ("", "", Status.PASS, ""),
        ("AgAAAZ", "", Status.EXPLAINED, "commit metadata differs: 6 characters on the source, none on the target"),
        ("", "x", Status.EXPLAINED, "commit metadata differs: none on the source, 1 characters on the target"),
        ("secret", "other", Status.EXPLAINED, "commit metadata differs: 6 characters on the source, 5 characters on"),
    ],
)
def test_a_line_says_when_metadata_differs_and_never_what_it_is(
    source: str, target: str, status: Status, detail: str
) -> None:
    line = translated(50, metadata=source)
    (found,) = judge_groups([result(line)], {"g": {("x.a", 3): Commit(50, target)}}, {})
    assert (found.status, found.detail[: len(detail)]) == (status, detail)
    assert "secret" not in found.detail


def test_active_groups_are_left_alone() -> None:
    lines = [translated(None, group="busy"), translated(None, group="idle")]
    assert commits_to_write([result(*lines)], {"busy"}).keys() == {"idle"}


def test_a_commit_at_zero_is_a_commit() -> None:
    assert commits_to_write([result(translated(0, expected=0))], set()) == {}
    assert commits_to_write([result(translated(0, expected=1))], set()) == {"g": {("x.a", 3): Commit(1)}}


@pytest.mark.parametrize(
    ("line", "now", "status", "redelivered", "told"),
    [
        (translated(50), 50, Status.PASS, 0, ""),
        # The exact commit was written after the comparison.
        (translated(None, status="missing"), 50, Status.PASS, 0, ""),
        (translated(None, status="missing"), None, Status.FAIL, None, "no commit on the target"),
        # It was there when compared and is gone now.
        (translated(50), None, Status.FAIL, None, "no commit on the target"),
        (translated(40, redelivered=9, status="redelivered"), 40, Status.EXPLAINED, 9, "behind: 9 records"),
        (translated(60, skipped=8, status="skipped"), 60, Status.FAIL, 0, "ahead: 8 records would never"),
        (translated(999, status="beyond_end"), 999, Status.FAIL, None, "beyond end"),
        (translated(1, redelivered=49, status="before_start"), 1, Status.FAIL, None, "before start"),
        # Neither the commit compared nor the exact one: someone committed since.
        (translated(40, redelivered=9, status="redelivered"), 45, Status.EXPLAINED, 5, "at most 5 records"),
        (translated(40, redelivered=9, status="redelivered"), 55, Status.FAIL, 0, "5 offsets ahead"),
        (translated(None, status="missing"), 51, Status.FAIL, 0, "1 offset ahead"),
        # On a transaction marker or in a compacted hole: another number, the same next record.
        (translated(49, status="exact"), 49, Status.PASS, 0, ""),
        (translated(51, status="exact"), 51, Status.PASS, 0, ""),
    ],
)
def test_each_line_is_judged(
    line: Translated, now: int | None, status: Status, redelivered: int | None, told: str
) -> None:
    found = judged(line, now)
    assert (found.status, found.redelivered) == (status, redelivered)
    assert told in found.detail
    assert bool(found.detail) == bool(told)
    assert (found.group, found.topic, found.partition) == ("g", "a", 3)
    assert (found.source_offset, found.target_offset, found.expected_offset) == (70, now, 50)


def test_no_commit_on_an_empty_partition_loses_nothing() -> None:
    found = judged(translated(None, expected=0, status="missing"), None, records=0)
    assert (found.status, found.redelivered) == (Status.EXPLAINED, 0)


def test_why_a_commit_was_refused_stands_beside_what_it_means() -> None:
    found = judged(translated(None, status="missing"), None, {"g": "it has active members on the target"})
    assert found.status is Status.FAIL
    assert "not written: it has active members" in found.detail
    assert judged(translated(50), 50, {"g": "x"}).detail == ""


def test_a_commit_on_another_partition_is_not_this_ones() -> None:
    (found,) = judge_groups(
        [result(translated(None, status="missing"))], {"g": {("x.a", 0): Commit(50), ("a", 3): Commit(50)}}, {}
    )
    assert found.status is Status.FAIL


@pytest.mark.parametrize(
    ("source_now", "status"),
    [
        (None, Status.FAIL),  # nothing is known of the source
        (70, Status.FAIL),  # it stands where it was compared: who committed 60 ran ahead on the target
        (79, Status.FAIL),  # nine further, ten on the target
        (80, Status.EXPLAINED),
        (500, Status.EXPLAINED),
    ],
)
def test_a_group_at_work_on_the_source_is_no_loss(source_now: int | None, status: Status) -> None:
    """Its commits move on between comparison and judgement, and MirrorMaker 2 carries them over."""
    line = translated(45)
    assert (line.source_offset, line.expected_offset) == (70, 50), "the table is made for these"
    there = {} if source_now is None else {"g": {("a", 3): Commit(source_now)}}
    (found,) = judge_groups([result(line)], {"g": {("x.a", 3): Commit(60)}}, {}, there)
    assert found.status is status
    if status is Status.EXPLAINED:
        assert "active on the source" in found.detail
        assert found.redelivered is None


@pytest.mark.parametrize(
    ("line", "now", "status", "redelivered", "told"),
    [
        (translated(50, kind="share", acknowledged=0), 50, Status.PASS, 0, "share group"),
        (translated(50, kind="share", acknowledged=12), 50, Status.EXPLAINED, 12, "12 records behind it"),
        (translated(50, kind="share"), 50, Status.PASS, 0, "what it had in flight"),
        (translated(60, kind="share", skipped=8, status="skipped", acknowledged=0), 60, Status.FAIL, 0, "ahead: 8"),
        (translated(None, kind="share", status="missing"), None, Status.FAIL, None, "its share.auto.offset.reset"),
        (translated(50, kind="streams"), 50, Status.PASS, 0, "streams group"),
        (translated(None, kind="streams", status="missing"), None, Status.FAIL, None, "its auto.offset.reset"),
    ],
)
def test_a_line_says_of_what_type_its_group_is(
    line: Translated, now: int | None, status: Status, redelivered: int | None, told: str
) -> None:
    found = judged(line, now)
    assert (found.status, found.redelivered) == (status, redelivered)
    assert found.detail.startswith(f"{line.kind} group")
    assert told in found.detail


def test_types_are_known_from_what_was_compared() -> None:
    lines = [translated(1, group="a"), translated(1, group="s", kind="share"), translated(1, group="k", kind="streams")]
    assert kinds_of([result(*lines)]) == {"s": "share", "k": "streams"}
