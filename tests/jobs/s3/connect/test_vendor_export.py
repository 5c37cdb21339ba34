"""An export that another maker's sink writes: done when all is committed, proven by what its files hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from kafka_ferry.core.checks import Check
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, TopicBackup
from kafka_ferry.jobs.s3.connect import vendor_export
from kafka_ferry.jobs.s3.connect.export_by_connector import ConnectorExportRun, sink_name
from kafka_ferry.jobs.s3.connect.vendor_export import VendorExportRun
from kafka_ferry.jobs.s3.s3_spec import ExportSpec
from kafka_ferry.records.content import PartitionContent
from kafka_ferry.records.record_hash import record_hash
from kafka_ferry.report.artifacts import RunArtifacts
from others_files import AivenSink, ConfluentSink, Sent, hard

RECORDS = [hard(number) for number in range(10)]
FROZEN = 10


@dataclass
class Connector:
    """A runtime with one connector, of which the offsets are known."""

    committed: dict[int, int] = field(default_factory=dict)
    paused: int = 0
    name: str = "c"

    @property
    def runtime(self) -> Connector:
        return self

    def offsets(self, name: str) -> list[dict[str, Any]]:
        return [
            {"partition": {"kafka_topic": "t", "kafka_partition": number}, "offset": {"kafka_offset": offset}}
            for number, offset in self.committed.items()
        ]

    def pause(self) -> bool:
        self.paused += 1
        return True


def frozen() -> Manifest:
    parts = [PartitionBackup(partition=0, begin=0, end=FROZEN), PartitionBackup(partition=1, begin=0, end=0)]
    topic = TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=parts)
    return Manifest(backup="e", backup_id="run", mode="full", cluster_id="c", created="2026-12-01T00:00:00+00:00",
                    topics=[topic])  # fmt: skip


def run_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> VendorExportRun:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setattr("kafka_ferry.jobs.s3.export_run.plan_backup", lambda *_: frozen())
    monkeypatch.setattr("kafka_ferry.jobs.s3.connect.export_by_connector.check_topic_ids", lambda *_: None)
    params = {"topics": ["t"], "export": "e", "transport": "connect", "connector": "aiven", "format": "jsonl",
              "location": "s3://b/p", **more}  # fmt: skip
    store = FolderStore(tmp_path / "store")
    run = VendorExportRun(cast(Any, None), {}, store, {}, ExportSpec.from_params(params), "run", RunArtifacts("d", "r"))
    run.__dict__["carrier"] = Connector()

    def opened(location: str) -> FolderStore:
        assert location == "s3://b/p/e"
        return FolderStore(tmp_path / "store" / "e")

    monkeypatch.setattr(vendor_export, "open_store", opened)
    monkeypatch.setattr(VendorExportRun, "_source", lambda _, span: source())
    run.begin()
    return run


def source(records: list[Sent] = RECORDS) -> PartitionContent:
    hashes = [record_hash(one.timestamp, list(one.headers), one.key, one.value) for one in records]
    offsets = np.arange(len(records), dtype=np.int64)
    return PartitionContent(offsets, np.array(hashes, np.uint64), 0, 0, len(records))


def checks(run: VendorExportRun) -> dict[str, Check]:
    return {check.name: check for check in run.judged()["checks"]}


def aiven(tmp_path: Path, *files: tuple[int, list[Sent]]) -> None:
    """Under the names that our config of the sink makes."""
    store = FolderStore(tmp_path / "store" / "e")

    def put(key: str, data: bytes) -> None:
        store.put(key.removeprefix("backup/").replace("/2026/", "/"), data)

    for offset, records in files:
        AivenSink(put, "t", packed=True).write(0, offset, records)


def test_it_is_done_when_all_that_was_frozen_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch)
    monkeypatch.setattr(ConnectorExportRun, "without_records", lambda *_: set())
    connector = cast(Connector, run.carrier)
    assert run.watch().look().left == 1
    connector.committed = {0: 7, 1: 3}
    look = run.watch().look()
    assert (look.left, look.moved) == (1, -3)
    assert "t-0 from 7 on" in look.text
    with pytest.raises(FerryError, match=r"not committed all that was frozen: .*Fix: clear wait_until_copied"):
        run.finish()
    connector.committed = {0: 10}
    assert run.finish().backup_id == "run"
    assert connector.paused == 2


def test_one_that_shall_go_on_is_not_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch, connector_afterwards="run")
    cast(Connector, run.carrier).committed = {0: 12}
    run.finish()
    assert cast(Connector, run.carrier).paused == 0


def test_files_that_hold_the_same_records_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch)
    aiven(tmp_path, (0, RECORDS[:4]), (4, RECORDS[4:]))
    assert run.verify_shard([("t", 0)]) == []
    found = checks(run)
    assert {name: one.status.value for name, one in found.items()} == dict.fromkeys(found, "pass")
    assert found["content"].actual == "2 files with the source's records"
    assert found["partitions"].actual == "2"
    (line,) = run.judged()["topics"]
    assert (line.source_records, line.target_records, line.lost) == (10, 10, 0)


def test_a_file_that_is_missing_or_holds_another_record_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch)
    aiven(tmp_path, (0, RECORDS[:4]), (7, RECORDS[7:]))
    run.verify_shard([("t", 0)])
    found = checks(run)
    assert found["counts"].status.value == "fail"
    assert "has 4 of 7 records" in found["counts"].differences[0]
    aiven(tmp_path, (4, [RECORDS[5], RECORDS[5], RECORDS[6]]))
    run.verify_shard([("t", 0)])
    found = checks(run)
    assert found["counts"].status.value == "pass"
    assert "has other records than the source from offset 4 on" in found["content"].differences[0]


def test_a_damaged_file_fails_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch)
    FolderStore(tmp_path / "store" / "e").put("t/0000000000-00000000000000000000.jsonl.gz", b"\x1f\x8bcut")
    run.verify_shard([("t", 0)])
    (line,) = run.judged()["topics"]
    assert line.status.value == "fail"
    assert "t/0000000000-00000000000000000000.jsonl.gz" in line.detail


def test_where_files_do_not_keep_all_only_counts_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch, connector="confluent", accept_losses=["timestamps", "keys", "headers"])
    store = FolderStore(tmp_path / "store" / "e")
    ConfluentSink(store.put, "t", ".json", base64=True).write(0, 0, RECORDS)
    store.put("note.txt", b"mine")
    run.verify_shard([("t", 0)])
    found = checks(run)
    assert found["counts"].status.value == "pass"
    assert (found["content"].status.value, found["content"].detail) == (
        "skipped", "files do not keep keys, headers, timestamps",
    )  # fmt: skip
    assert found["losses"].status.value == "explained"
    assert found["others"].actual == "1 object left out"


def test_nothing_is_said_of_files_that_nobody_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch)
    with pytest.raises(FerryError, match=r"files of t-0 were not read. Fix: clear verify"):
        run.judged()
    off = run_of(tmp_path, monkeypatch, verify=False)
    assert {checks(off)[name].detail for name in ("counts", "content")} == {"param verify is off"}


def test_bytes_do_not_tell_which_records_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = ["keys", "headers", "timestamps", "partitions", "order"]
    run = run_of(tmp_path, monkeypatch, connector="camel", format="bytes", accept_losses=lost, location="s3://b")
    assert run.folder == "s3://b"
    assert run.verify_shard([("t", 0)]) == []
    assert checks(run)["counts"].status.value == "skipped"
    assert "do not tell which records" in checks(run)["counts"].detail


def test_exports_of_ours_are_not_mixed_with_anothers_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path, monkeypatch)
    monkeypatch.setattr(VendorExportRun, "catalogue", property(lambda _: _Ours()))
    with pytest.raises(
        BadParam, match=r"'export'.*exports of Kafka Ferry's own, such as 20261201.*another export name"
    ):
        run.plan()


class _Ours:
    def complete(self) -> dict[str, Any]:
        return {"20261201": None}


def test_its_connector_has_a_name_of_its_own() -> None:
    params = {"topics": ["t"], "export": "e", "transport": "connect", "format": "avro", "location": "s3://b/p"}
    names = {sink_name(ExportSpec.from_params({**params, **more})) for more in (
        {}, {"connector": "aiven"}, {"connector": "confluent"},
    )}  # fmt: skip
    assert len(names) == 3
    assert all(name.startswith("e.export-") for name in names)
