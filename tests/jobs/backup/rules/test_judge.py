"""What a backup's report says: losses are named, nothing is claimed that was not looked at."""

from __future__ import annotations

from kafka_ferry.core.checks import Check, Status, verdict
from kafka_ferry.jobs.backup.rules.archive import backup_lines
from kafka_ferry.jobs.backup.rules.judge import backup_checks, copy_check, covered_checks, topic_lines
from kafka_ferry.jobs.backup.rules.manifest import Gap, Manifest, PartitionBackup, Segment, State, TopicBackup, Totals


def backup(*segments: Segment, end: int = 10, gaps: tuple[Gap, ...] = (), **about) -> Manifest:
    begin = segments[0].begin if segments else 0
    part = PartitionBackup(partition=0, begin=begin, end=end, segments=list(segments), gaps=list(gaps))
    topic = TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=[part])
    return Manifest(
        **{
            "backup": "b", "backup_id": "1", "mode": "full", "state": State.COMPLETE, "cluster_id": "c",
            "created": "2026-11-21T02:00:00+00:00", "topics": [topic], **about,
        }
    )  # fmt: skip


def checks(manifest: Manifest, damage: tuple[str, ...] = (), pruning=None) -> dict[str, Check]:
    return {check.name: check for check in backup_checks(manifest, damage, 1, pruning or {})}


WHOLE = Segment(begin=0, end=10, key="k", records=10)


def test_a_whole_backup_passes():
    found = checks(backup(WHOLE))
    assert {check.status for check in found.values()} == {Status.PASS, Status.SKIPPED}
    assert [name for name, check in found.items() if check.status is Status.SKIPPED] == ["acls", "pruning"]
    assert verdict(list(found.values()), []) == "PASS"


def test_what_retention_took_is_named_by_offsets_and_explained():
    late = Segment(begin=5, end=7, missing=2, gaps=[Gap(begin=5, end=7, reason="retention")])
    rest = Segment(begin=7, end=10, key="k", records=3)
    found = backup(late, rest, gaps=(Gap(begin=2, end=5, reason="retention"),))
    gaps = checks(found)["gaps"]
    assert gaps.status is Status.EXPLAINED
    assert [text.split(" were")[0] for text in gaps.differences] == ["t-0: offsets 2 to 4", "t-0: offsets 5 to 6"]
    (line,) = topic_lines(found.topics)
    assert line.status is Status.EXPLAINED
    assert "5 offsets deleted" in line.detail


def test_markers_are_counted_not_lost():
    torn = Segment(begin=0, end=10, key="k", records=8, missing=2, gaps=[Gap(begin=3, end=5, reason="transaction")])
    found = checks(backup(torn))
    assert found["gaps"].status is Status.PASS
    assert "2 offsets without a record: transaction" in found["gaps"].detail
    assert found["counts"].actual == "8 records, 2 offsets without one"


def test_offsets_in_no_segment_and_damaged_objects_fail():
    found = checks(backup(WHOLE, end=12), damage=("t-0 offsets 0 to 9: gone",))
    assert found["counts"].status is Status.FAIL
    assert found["counts"].differences == ["2 offsets in no segment"]
    assert found["objects"].differences == ["t-0 offsets 0 to 9: gone"]
    assert verdict(list(found.values()), []) == "FAIL"


def test_what_the_store_keeps_is_explained_and_what_it_refuses_fails():
    pruning = {"deleted": ["1"], "kept": {"2": "locked: x", "3": "the newest"}, "bytes": 5, "dry_run": False}
    locked = {"2": "COMPLIANCE until 2026-12-30T02:00:00+00:00 (b/manifests/2.json)"}
    found = checks(backup(WHOLE), pruning=pruning | {"locked": locked, "not_deleted": {}})["pruning"]
    assert (found.status, found.detail) == (Status.EXPLAINED, "5 Bytes freed; 1 backup stays until the store lets go")
    assert found.differences[0] == f"kept 2, locked: {locked['2']}"
    refused = {"b/data/x": "AccessDenied, a legal hold"}
    found = checks(backup(WHOLE), pruning=pruning | {"locked": {}, "not_deleted": refused})["pruning"]
    assert (found.status, found.differences) == (Status.FAIL, ["b/data/x: AccessDenied, a legal hold"])
    assert "Fix: allow s3:DeleteObject" in found.detail


def test_a_dry_run_of_pruning_does_not_say_deleted():
    pruning = {"deleted": ["1"], "kept": {"2": "the newest"}, "bytes": 5, "dry_run": True}
    assert checks(backup(WHOLE), pruning=pruning)["pruning"].differences == ["would delete 1"]
    pruning["dry_run"] = False
    assert checks(backup(WHOLE), pruning=pruning)["pruning"].differences == ["deleted 1"]


def test_a_covered_night_passes_and_says_by_what():
    found = covered_checks("20261121T020000Z", "2026-11-21T02:00:03+00:00")
    assert verdict(found, []) == "PASS"
    assert "covered by backup 20261121T020000Z" in found[0].detail


def test_the_list_of_backups_tells_growth_and_what_cannot_be_restored():
    def one(number: int, size: int, parent: int | None = None, state: State = State.COMPLETE) -> Manifest:
        return backup(
            WHOLE, backup_id=str(number), parent=None if parent is None else str(parent), state=state,
            totals=Totals(bytes=size),
        )  # fmt: skip

    found = [one(1, 100), one(2, 10, 1), one(3, 95), one(4, 5, 9), one(5, 1, 3, State.IN_PROGRESS)]
    told = {"2": {"verdict": "FAIL", "kind": "content", "at": "2026-11-21T03:00:00+00:00"}}
    lines = {line.backup_id: line for line in backup_lines({one.backup_id: one for one in found}, told, "3")}
    assert list(lines) == ["5", "4", "3", "2", "1"], "the youngest first"
    assert [lines[key].growth for key in "123"] == [None, 10, -15]
    assert lines["3"].own
    assert (lines["4"].status, lines["5"].status) == (Status.FAIL, Status.SKIPPED)
    assert lines["2"].status is Status.FAIL
    assert lines["2"].detail == "content FAIL on 2026-11-21 03:00 UTC"
    assert lines["1"].detail == "never verified"


def test_a_copy_that_lacks_an_object_fails_and_none_is_claimed_without_one():
    assert copy_check(None, "", 0).status is Status.SKIPPED
    assert copy_check([], "s3://far", 3).status is Status.PASS
    broken = copy_check(["t-0 offsets 0 to 9: gone"], "s3://far", 3)
    assert (broken.status, broken.differences) == (Status.FAIL, ["t-0 offsets 0 to 9: gone"])
