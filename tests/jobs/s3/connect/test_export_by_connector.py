"""A run whose objects a sink makes: frozen once, done when manifests cover it, its own manifests and no others'."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.jobs.backup.rules.manifest import Gap, Manifest, PartitionBackup, Segment, State, TopicBackup
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.s3.connect import export_by_connector
from kafka_ferry.jobs.s3.connect.export_by_connector import EXPORTED, ConnectorExportRun, ExportWatch, sink_name
from kafka_ferry.jobs.s3.s3_spec import ExportSpec
from kafka_ferry.report.artifacts import RunArtifacts


@dataclass
class Sink:
    """A connector that notes what it is told."""

    there: bool = True
    told: list[str] = field(default_factory=list)

    def pause(self) -> bool:
        self.told.append("pause")
        return self.there


class Admin:
    def topic_ids(self, names: list[str]) -> dict[str, str]:
        return dict.fromkeys(names, "i")


def manifest(backup_id: str, begin: int, end: int, parent: str | None = None, objects: bool = True) -> Manifest:
    gaps = [Gap(begin=begin, end=end, reason="compaction")]
    own = [Segment(begin=begin, end=end, missing=end - begin, gaps=gaps)] if end > begin and objects else []
    topic = TopicBackup(name="t", topic_id="i", replication_factor=1,
                        partitions=[PartitionBackup(partition=0, begin=begin, end=end, segments=own)])  # fmt: skip
    about: dict[str, Any] = {"backup": "e", "backup_id": backup_id, "mode": "incremental" if parent else "full"}
    state = State.COMPLETE if backup_id.startswith("sink-") else State.IN_PROGRESS
    return Manifest(**about, parent=parent, cluster_id="c", created="2026-12-01T00:00:00+00:00",
                    completed="2026-12-01T00:00:01+00:00", topics=[topic], state=state)  # fmt: skip


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Manifest]:
    """What would be frozen, one after the other."""
    made: list[Manifest] = []
    monkeypatch.setattr("kafka_ferry.jobs.s3.export_run.plan_backup", lambda *_: made.pop(0))
    monkeypatch.setattr(export_by_connector, "_SETTLING", 0.0)
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: list[Manifest]) -> ConnectorExportRun:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    params = {"topics": ["t"], "export": "e", "transport": "connect", "format": "avro", "follow_interval": 1}
    spec = ExportSpec.from_params({**params, "location": "s3://b/p"})
    store = FolderStore(tmp_path / "store")
    one = ConnectorExportRun(cast(Any, Admin()), {}, store, {}, spec, "run", RunArtifacts("d", "r"))
    one.__dict__["carrier"] = Sink()
    return one


def sink_wrote(run: ConnectorExportRun, *manifests: Manifest) -> None:
    for one in manifests:
        Catalogue(run.store, "e").write(one)


def test_a_retry_keeps_the_ends_that_were_frozen(run: ConnectorExportRun, planned: list[Manifest]) -> None:
    planned += [manifest("run", 0, 10, objects=False), manifest("run", 0, 99, objects=False)]
    assert run.begin() == run.begin() == run.frozen
    assert run.frozen.topics[0].partitions[0].end == 10
    assert run.run_shard([("t", 0)]) == {}, "the connector copies"


def test_nothing_is_finished_that_manifests_do_not_cover(
    run: ConnectorExportRun, planned: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ConnectorExportRun, "without_records", lambda *_: set())
    planned.append(manifest("run", 0, 10, objects=False))
    run.begin()
    sink_wrote(run, manifest("sink-1", 0, 7))
    with pytest.raises(FerryError, match=r"not all that was frozen is in manifests: .*Fix: clear wait_until_copied"):
        run.finish()
    sink_wrote(run, manifest("sink-2", 7, 12, "sink-1"))
    done = run.finish()
    assert (done.backup_id, done.topics[0].partitions[0].end) == ("sink-2", 12)
    assert run.carrier.told == ["pause", "pause"]  # type: ignore[attr-defined]
    sink_wrote(run, manifest("sink-3", 12, 20, "sink-2"))
    assert run.finish().backup_id == "sink-2", "what comes later is of a later run"
    assert run.carrier.told == ["pause", "pause"], "done is done"  # type: ignore[attr-defined]


def test_markers_behind_the_last_record_are_waited_for_by_nobody(
    run: ConnectorExportRun, planned: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[dict[Any, range]] = []
    monkeypatch.setattr(ConnectorExportRun, "without_records", lambda _, spans: probed.append(spans) or set(spans))
    planned.append(manifest("run", 0, 10, objects=False))
    run.begin()
    sink_wrote(run, manifest("sink-1", 0, 9))
    watch = ExportWatch(run)
    assert watch.look().left == 1
    assert probed == [], "only what stands still is probed"
    assert watch.look().left == 0
    assert probed == [{("t", 0): range(9, 10)}]


def test_a_second_run_is_of_what_came_since(run: ConnectorExportRun, planned: list[Manifest]) -> None:
    sink_wrote(run, manifest("sink-1", 0, 10), manifest("sink-2", 10, 15, "sink-1"))
    planned.append(manifest("run", 10, 15, "sink-1", objects=False))
    run.begin()
    made = run.finish()
    assert [one.begin for one in made.topics[0].partitions[0].segments] == [10]
    assert run.artifacts.read_json(EXPORTED) == {"export_id": "sink-2"}


def test_an_export_that_goes_on_is_not_paused(run: ConnectorExportRun, planned: list[Manifest]) -> None:
    for changes in ({"follow_for": 60.0}, {"connector_afterwards": "run"}):
        planned.append(manifest("run", 0, 0))
        going = ConnectorExportRun(run.admin, {}, run.store, {}, run.spec.model_copy(update=changes), "run",
                                   RunArtifacts("d", str(changes)))  # fmt: skip
        going.__dict__["carrier"] = sink = Sink()
        going.begin()
        going.finish()
        assert sink.told == []


def test_what_was_not_frozen_says_what_to_clear(run: ConnectorExportRun) -> None:
    with pytest.raises(FerryError, match="Fix: clear freeze with its downstream tasks"):
        run.manifest()


def test_a_cluster_that_cannot_be_asked_decides_nothing(
    run: ConnectorExportRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hook:
        def __init__(self, _: str) -> None: ...

        def reader(self, *_: Any, **__: Any) -> Any:
            raise TransientError("away")

    monkeypatch.setattr(export_by_connector, "KafkaClusterHook", Hook)
    assert run.without_records({("t", 0): range(1)}) == set()


def test_its_connector_is_the_same_in_every_run() -> None:
    params = {"topics": ["t"], "export": "e", "transport": "connect", "format": "avro", "location": "s3://b/p"}
    one = ExportSpec.from_params(params)
    other = ExportSpec.from_params({**params, "topics": ["u"], "location": "s3://b/p/", "tasks_max": 9})
    assert sink_name(one) == sink_name(other)
    assert sink_name(one) != sink_name(ExportSpec.from_params({**params, "location": "s3://b/q"}))
