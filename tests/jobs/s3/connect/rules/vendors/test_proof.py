"""What files of others' sinks hold, against what the source has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.s3.connect.rules.vendors.proof import Held, held, judge, without_tombstones
from kafka_ferry.records.content import KeyColumns, PartitionContent, PartitionRange
from kafka_ferry.records.fingerprint import Fingerprint

#: Offsets of the source: 4 and 9 are markers of transactions.
SOURCE = [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]


def content(offsets: Sequence[int], begin: int = 0, end: int = 12) -> PartitionContent:
    hashes = np.array([offset * 7 + 1 for offset in offsets], np.uint64)
    return PartitionContent(np.array(offsets, np.int64), hashes, 0, begin, end)


def file(begin: int, offsets: Sequence[int], end: int | None = None) -> Segment:
    made = content(offsets)
    return Segment(
        begin=begin, end=begin + len(offsets) if end is None else end, records=len(offsets), key=f"t+0+{begin}.json",
        fingerprint=Fingerprint.of(made).to_json(),
    )  # fmt: skip


def found(segments: Sequence[Segment], source: PartitionContent | None = None, whole: bool = True) -> Held:
    source = content(SOURCE) if source is None else source
    return held(PartitionRange("t", 0, 0, 12), segments, source, whole=whole)


def test_files_that_hold_every_record_hold_it_whatever_their_names_say_of_ends() -> None:
    one = found([file(0, [0, 1, 2, 3]), file(5, [5, 6, 7, 8]), file(10, [10, 11])])
    assert (one.source, one.held, one.missing, one.differing, one.compared) == (10, 10, (), (), 3)
    # A file that goes over a marker: its end is counted, and too small.
    assert found([file(0, SOURCE)]).missing == ()


def test_records_that_are_in_no_file_are_named_by_the_place() -> None:
    assert found([file(0, [0, 1, 2]), file(5, [5, 6, 7, 8, 10, 11])]).missing == ("t-0: t+0+0.json has 3 of 4 records",)
    lacking = found([file(5, [5, 6, 7, 8, 10, 11])])
    assert lacking.missing == ("t-0: 4 records from offset 0 on",)
    assert (lacking.source, lacking.held) == (10, 6)
    assert found([file(0, [0, 1, 2, 3]), file(5, [5, 6])]).missing == ("t-0: t+0+5.json has 2 of 6 records",)
    assert found([]).missing == ("t-0: 10 records from offset 0 on",)


def test_what_came_after_the_frozen_end_is_no_part_of_it() -> None:
    source = content([*SOURCE, 12, 13, 14], end=15)
    one = found([file(0, [0, 1, 2, 3]), file(5, [*SOURCE[4:], 12]), file(13, [13, 14])], source)
    assert (one.source, one.held, one.missing, one.files, one.compared) == (10, 10, (), 2, 2)


def test_another_record_in_a_file_is_found_only_where_files_keep_all_of_it() -> None:
    wrong = [file(0, [0, 1, 3, 2]), file(5, [5, 6, 7, 8, 10, 11])]
    assert found(wrong).differing == ("t-0: t+0+0.json has other records than the source from offset 0 on",)
    assert found(wrong, whole=False).differing == ()
    assert found(wrong, whole=False).compared == 0


def test_what_the_log_has_deleted_is_not_asked_for_and_what_it_compacted_is_explained() -> None:
    source = content([5, 6, 8, 10, 11], begin=5)
    one = held(PartitionRange("t", 0, 5, 12), [file(0, [0, 1, 2, 3]), file(5, [5, 6, 7, 8]), file(10, [10, 11])],
               source, whole=True)  # fmt: skip
    assert (one.missing, one.fewer, one.compared) == ((), 1, 1)
    # A file over the log's start says nothing of where it ends: what follows it counts.
    one = held(PartitionRange("t", 0, 7, 12), [file(5, [5, 6, 7, 8]), file(10, [10, 11])],
               content([7, 8, 10, 11], begin=7), whole=True)  # fmt: skip
    assert (one.source, one.held, one.missing) == (2, 2, ())
    one = held(PartitionRange("t", 0, 11, 12), [file(5, [5, 6, 7, 8])], content([11], begin=11), whole=True)
    assert one.missing == ("t-0: 1 record from offset 11 on",)


def checks(one: Held, **more: object) -> dict[str, Check]:
    lost, unread = more.get("lost", {}), more.get("unread", "")
    made = judge([one], lost, unread, "s3://b/p", more.get("others", (0, ())))  # type: ignore[arg-type]
    return {check.name: check for check in made["checks"]}


def test_every_record_in_files_passes_and_a_missing_one_fails() -> None:
    good = checks(found([file(0, SOURCE)]))
    assert {name: one.status.value for name, one in good.items()} == dict.fromkeys(good, "pass")
    bad = checks(found([file(0, [0, 1])]))
    assert bad["counts"].status is Status.FAIL
    assert bad["counts"].differences == ["t-0: t+0+0.json has 2 of 10 records"]
    assert (bad["counts"].expected, bad["counts"].actual) == ("10", "2")


def test_what_is_not_compared_is_skipped_with_the_reason() -> None:
    partly = checks(found([file(0, SOURCE)], whole=False), lost={"timestamps": "nothing stores them"})
    assert partly["counts"].status is Status.PASS
    assert (partly["content"].status, partly["content"].detail) == (Status.SKIPPED, "files do not keep timestamps")
    assert partly["losses"].status is Status.EXPLAINED
    assert "nothing stores them" in partly["losses"].differences[0]
    nothing = checks(Held("t", 0, 0, 0), unread="names do not say it")
    assert {nothing[name].status for name in ("counts", "content", "others")} == {Status.SKIPPED}
    assert nothing["counts"].detail == "names do not say it"


def test_other_objects_are_named() -> None:
    made = checks(found([file(0, SOURCE)]), others=(3, ["'x': no"]))
    assert made["others"].status is Status.EXPLAINED
    assert made["others"].differences == ["'x': no"]


def test_a_partition_survives_being_noted() -> None:
    one = found([file(0, [0, 1])])
    assert Held.from_json(one.to_json()) == one


def test_a_sink_that_leaves_tombstones_out_is_not_asked_for_them() -> None:
    keys = KeyColumns(np.zeros(10, np.uint64), np.array([offset in (1, 6) for offset in SOURCE]))
    source = without_tombstones(replace(content(SOURCE), keys=keys))
    one = found([file(0, [0, 2, 3]), file(5, [5, 7, 8, 10, 11])], source)
    assert (one.source, one.held, one.missing, one.compared) == (8, 8, (), 2)
    assert found([file(0, [0, 2]), file(5, [5, 7, 8, 10, 11])], source).missing == (
        "t-0: t+0+0.json has 2 of 3 records",
    )
