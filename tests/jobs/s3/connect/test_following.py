"""Continuous copies by connectors: what is noted, how late it is, and what ends the watch."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, TopicBackup, Totals
from kafka_ferry.jobs.s3 import continuous
from kafka_ferry.jobs.s3.connect import following
from kafka_ferry.jobs.s3.connect.following import follow_sink, follow_source
from kafka_ferry.jobs.s3.connect.rules.reached import Look, uncovered
from kafka_ferry.jobs.s3.connect.sensors import ConnectorStopped


def manifest(backup_id: str, end: int, records: int = 0) -> Manifest:
    topic = TopicBackup(name="t", topic_id="i", replication_factor=1,
                        partitions=[PartitionBackup(partition=0, begin=0, end=end)])  # fmt: skip
    about: dict[str, Any] = {"backup": "e", "backup_id": backup_id, "mode": "full", "cluster_id": "c"}
    return Manifest(**about, created="2026-12-01T00:00:00+00:00", topics=[topic], totals=Totals(records=records))


class World:
    """A cluster, a bucket and a connector in which things happen as time passes by sleeping.

    :param does: told the time after each sleep.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, does: Callable[[World], None] = lambda _: None) -> None:
        self.now, self.end, self.failed = 1000.0, 10, ""
        self.written = {"sink-1": manifest("sink-1", 10)}
        self.does, self.noted, self.looks = does, list[dict[str, Any]](), list[tuple[float, ...]]()
        clock = SimpleNamespace(time=lambda: self.now, monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(following, "time", clock)
        monkeypatch.setattr(continuous, "time", clock)
        # Its default is taken when the function is made.
        monkeypatch.setattr(following, "until", lambda *args: continuous.until(*args, clock.time))
        catalogue = SimpleNamespace(complete=lambda: dict(self.written))
        monkeypatch.setattr(following, "KnownCatalogue", lambda *_: catalogue)
        self.catalogue: Any = catalogue
        self.carrier = SimpleNamespace(problem=lambda: self.failed, state=lambda: "connector x is RUNNING")
        self.spec = SimpleNamespace(export="e", follow_interval=5, no_progress_timeout=60, verify=False)

    def watch(self, *look: float) -> None:
        self.looks.append(look)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.does(self)

    def sink(self) -> Any:
        return SimpleNamespace(
            store=None, spec=self.spec, carrier=self.carrier, manifest=lambda: manifest("sink-1", 10),
            at_present=lambda _: manifest("asked", self.end), left_of=uncovered,
        )  # fmt: skip


def test_each_manifest_of_the_sink_is_noted_once_and_the_last_one_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def does(world: World) -> None:
        world.end = min(70, 10 + int(world.now - 1000))  # a record each second, for a minute
        if world.now >= 1020:
            world.written.setdefault("sink-2", manifest("sink-2", 20, 10))
        if world.now >= 1075:
            world.written.setdefault("sink-3", manifest("sink-3", 70, 50))

    world = World(monkeypatch, does)
    done = follow_sink(world.sink(), 1060, world.noted.append, world.watch)
    assert [(line["id"], line["records"]) for line in world.noted] == [("sink-2", 10), ("sink-3", 50)]
    assert (done.increments, done.records) == (2, 60)
    assert world.now >= 1075, "what was there at the deadline is waited for beyond it"
    assert 40 <= done.slowest <= 60, "of the ends that were asked at 1025 or so"
    assert world.looks[0] == (0, 0), "all was there"
    assert max(behind for behind, _ in world.looks) == 50
    assert max(seconds for _, seconds in world.looks) == done.slowest
    assert world.looks[-1][0] == 0


def test_a_sink_that_stands_still_ends_it_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, lambda world: setattr(world, "end", 99))
    with pytest.raises(ConnectorStopped, match=r"nothing was copied for no_progress_timeout, 60 s: .*is RUNNING"):
        follow_sink(world.sink(), 5000, world.noted.append, world.watch)
    assert world.now < 1100

    def fails(world: World) -> None:
        world.end, world.failed = 99, "task 0: 403"

    world = World(monkeypatch, fails)
    with pytest.raises(ConnectorStopped, match="task 0: 403"):
        follow_sink(world.sink(), 5000, world.noted.append, world.watch)
    assert world.now < 1020, "a failure needs no patience"


def test_records_after_a_long_rest_are_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    def does(world: World) -> None:
        if world.now >= 3000:
            world.end = 12
        if world.now >= 3030:
            world.written.setdefault("sink-2", manifest("sink-2", 12, 2))

    world = World(monkeypatch, does)
    assert follow_sink(world.sink(), 3100, world.noted.append, world.watch).records == 2


class Import:
    """An import of the latest export that is there."""

    def __init__(self, world: World, wrong: str = "") -> None:
        self.world, self.spec, self.carrier, self.marks = world, world.spec, world.carrier, list[Any]()
        self.deployed = 0
        part = SimpleNamespace(segments=("s",))
        self.run = SimpleNamespace(
            config={}, store=None, manifest=manifest("x", 10), prepare=lambda: [], ranges=lambda: [part],
            marks=lambda lines, ranges: lines, confirm=self.marks.append,
        )  # fmt: skip
        self.wrong = wrong

    def deploy(self) -> None:
        self.deployed += 1

    def wanted(self) -> dict[Any, int]:
        return {}

    def look(self, _: Any) -> Look:
        left = int(self.world.now < 1030)
        return Look(left, 0, "t-0 is at offset 3 of 9", 6 * left)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    details = [""]

    def compare(*_: Any, growing: bool) -> list[Any]:
        assert growing, "the connector may be ahead"
        line = {"topic": "t", "partition": 0, "expected": 10, "actual": 10, "detail": details[0], "behind": 0}
        return [SimpleNamespace(to_json=lambda: line)]

    monkeypatch.setattr(following, "compare_restored", compare)
    return details


def test_each_export_is_compared_once_the_connector_has_brought_it(
    monkeypatch: pytest.MonkeyPatch, compared: list[str]
) -> None:
    def does(world: World) -> None:
        if world.now >= 1050:
            world.written.setdefault("sink-2", manifest("sink-2", 20))

    world = World(monkeypatch, does)
    one = Import(world)
    done = follow_source(cast(Any, lambda _: one), world.catalogue, 1060, world.noted.append, world.watch)
    assert [line["id"] for line in world.noted] == ["sink-1", "sink-2"]
    assert (done.increments, done.records, one.deployed, len(one.marks)) == (2, 20, 2, 2)
    assert [behind for behind, _ in world.looks][:7] == [6, 6, 6, 6, 6, 6, 0]


def test_a_target_that_differs_ends_it_and_is_noted(monkeypatch: pytest.MonkeyPatch, compared: list[str]) -> None:
    compared[0] = "1 lost"
    world = World(monkeypatch)
    with pytest.raises(DataLossError, match=r"after sink-1 the target differs .*: t-0: 1 lost"):
        follow_source(cast(Any, lambda _: Import(world)), world.catalogue, 2000, world.noted.append, world.watch)
    assert world.noted[0]["lines"][0]["detail"] == "1 lost"


def test_a_source_that_failed_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    world.failed = "task 1 of connector x is FAILED"
    with pytest.raises(ConnectorStopped, match="is FAILED"):
        follow_source(cast(Any, lambda _: Import(world)), world.catalogue, 2000, world.noted.append, world.watch)
