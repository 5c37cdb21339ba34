"""Where a source connector begins: behind what is proven, and never over records that nobody knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.jobs.backup.rules.manifest import Gap, PartitionBackup, Segment, TopicBackup
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic
from kafka_ferry.jobs.s3.bookmark import Bookmark, Mark
from kafka_ferry.jobs.s3.connect import import_by_connector
from kafka_ferry.jobs.s3.connect.carrier import Carrier
from kafka_ferry.jobs.s3.connect.import_by_connector import ConnectorImport, keep_wanted, kept_wanted, source_name
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.reached import source_partition
from kafka_ferry.jobs.s3.s3_spec import ImportSpec
from kafka_ferry.report.artifacts import RunArtifacts

EXPORT = "s3://b/p/e"


def segment(begin: int, end: int, **more: Any) -> Segment:
    return Segment(**{"begin": begin, "end": end, "records": end - begin, "key": f"{begin}.avro", **more})


class Target:
    """A target topic ``t2`` of two partitions; ``first``: of records behind what is proven, by partition."""

    def __init__(self) -> None:
        self.ends = {0: 0, 1: 0}
        self.first: dict[int, int | None] = {}

    def topic_ids(self, names: list[str]) -> dict[str, str]:
        return dict.fromkeys(names, "target-id")

    def offsets(self, places: list[tuple[str, int]], which: str, _: str) -> dict[tuple[str, int], int]:
        return {at: self.ends[at[1]] if which == "latest" else 0 for at in places}


class Reader:
    target: Target

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None: ...

    def probe(self, ranges: list[Any]) -> dict[Any, int | None]:
        return {one.key: self.target.first.get(one.key[1]) for one in ranges}


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Target:
    made = Target()
    monkeypatch.setattr(Reader, "target", made, raising=False)
    monkeypatch.setattr(import_by_connector, "LibrdkafkaReader", Reader)
    return made


def one(target: Target, marks: dict[int, Mark] | None = None, **parts: list[Segment]) -> ConnectorImport:
    """:param parts: segments of partition 0 as ``p0``, of 1 as ``p1``."""
    own = [
        PartitionBackup(partition=number, begin=0, end=99, segments=parts.get(f"p{number}", [segment(0, 10)]))
        for number in (0, 1)
    ]
    source = TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=own)
    topic = RestoreTopic(source, "t2", tuple(own))
    run = SimpleNamespace(
        topics=[topic], admin=target, config={}, store=None,
        book=lambda *_: Bookmark("target-id", "i", None, marks or {}),
    )  # fmt: skip
    spec = ImportSpec.from_params({"transport": "connect", "export": "e", "location": "s3://b/p/"})
    return ConnectorImport(cast(Any, run), spec, "c")


def kept(**offsets: int) -> list[dict[str, Any]]:
    return [
        {"partition": source_partition(EXPORT, ("t", "i", int(name[1:]))), "offset": {"object": "x", "offset": at}}
        for name, at in offsets.items()
    ]


def set_to(changes: Any) -> dict[str, int]:
    return {entry["partition"]["partition"]: entry["offset"]["offset"] for entry in changes}


def test_an_empty_target_is_begun_from_the_exports_begin(target: Target) -> None:
    assert one(target).begin([]) == []


def test_it_goes_on_behind_what_an_earlier_import_has_proven(target: Target) -> None:
    target.ends = {0: 12, 1: 3}
    marks = {0: Mark(10, 12), 1: Mark(3, 3)}
    made = one(target, marks, p1=[segment(0, 3), segment(3, 10)])
    assert set_to(made.begin([])) == {"0": 9, "1": 2}
    assert set_to(made.begin(kept(p0=9, p1=7))) == {}, "one that kept its position knows better"
    assert set_to(made.begin(kept(p0=4, p1=7))) == {"0": 9}, "but not behind what is proven"
    assert made.is_behind(kept(p0=4))
    assert not made.is_behind(kept(p0=9))
    assert not made.is_behind([]), "one that has just begun has committed nothing"


@pytest.mark.parametrize("marks", [{}, {0: Mark(10, 5)}], ids=["never-imported", "behind-a-bookmark"])
def test_records_that_nobody_has_proven_are_not_written_over(target: Target, marks: dict[int, Mark]) -> None:
    target.ends, target.first = {0: 9, 1: 0}, {0: 7}
    words = r"param 'rename': t2-0 holds records from offset 7 on that no import has proven.*Fix: another"
    with pytest.raises(BadParam, match=words):
        one(target, marks).begin([])
    assert one(target).begin(kept(p0=5)) == [], "those of a connector that kept its position are its own"
    target.first = {}
    assert one(target).begin([]) == [], "markers of transactions are no records"


def test_it_has_to_come_to_the_last_record_of_each_partition(target: Target) -> None:
    tail = segment(10, 20, records=8, missing=2, gaps=[Gap(begin=18, end=20, reason="transaction")])
    empty = Segment(begin=20, end=25, missing=5, gaps=[Gap(begin=20, end=25, reason="transaction")])
    made = one(target, {1: Mark(10, 10)}, p0=[segment(0, 10), tail, empty], p1=[segment(0, 10)])
    assert made.wanted() == {("t", "i", 0): 17}, "of the other one all is proven"
    assert one(target, p0=[empty], p1=[]).wanted() == {}


def test_how_far_it_is_says_the_runtime(target: Target) -> None:
    made = one(target)
    runtime = SimpleNamespace(offsets=lambda name: kept(p0=9, p1=4))
    made.__dict__["carrier"] = Carrier("x", cast(Any, runtime), Intent("source", ("t",), "b", "", "e"))
    assert made.look(made.wanted()).left == 1


def test_what_is_wanted_outlives_a_task(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    artifacts = RunArtifacts("d", "r")
    with pytest.raises(FerryError, match="Fix: clear deploy with its downstream tasks"):
        kept_wanted(artifacts)
    keep_wanted(artifacts, {("t", "i", 3): 41})
    assert kept_wanted(artifacts) == {("t", "i", 3): 41}


def test_one_export_into_two_clusters_has_two_connectors() -> None:
    spec = ImportSpec.from_params({"transport": "connect"})
    assert source_name(spec, "one") != source_name(spec, "two")
