"""The size of a backup's dry run comes from records that were read, or is said to be not known."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kafka_ferry.jobs.backup.plan_text import backup_plan_text
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, TopicBackup
from kafka_ferry.jobs.backup.rules.plan import BackupPlan
from kafka_ferry.jobs.backup.store import planning
from kafka_ferry.jobs.backup.store.around import Around
from kafka_ferry.jobs.backup.store.planning import plan_of_backup
from kafka_ferry.records.content import PartitionRange


class Source:
    """Records of 250 bytes; ``gone``: topics of which no record can be read. Notes what it was asked for."""

    def __init__(self, gone: Sequence[str] = ()) -> None:
        self.gone, self.asked, self.opened = gone, [], []  # type: ignore[var-annotated]
        self.admin = SimpleNamespace(describe_cluster=lambda: SimpleNamespace(cluster_id="abc", brokers=3))

    def reader(self, isolation_level: str, few: bool = False) -> Source:
        self.opened.append((isolation_level, few))
        return self

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, ranges: Sequence[PartitionRange]) -> dict[tuple[str, int], Any]:
        self.asked += ranges
        return {
            (one.topic, one.partition): _Content(0 if one.topic in self.gone else one.end - one.begin) for one in ranges
        }


class _Content:
    def __init__(self, records: int) -> None:
        self.offsets, self.bytes = np.arange(records), 250 * records

    def __len__(self) -> int:
        return len(self.offsets)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``plan(source, known, name=[(begin, end), …])``: plan.json of topics with these partitions."""

    def of(source: Source, known: dict[str, float] | None = None, **topics: list[tuple[int, int]]) -> BackupPlan:
        manifest = Manifest(
            backup="nightly", backup_id="now", mode="full", created="2026-11-21T08:00:00+00:00", cluster_id="abc",
            isolation_level="read_uncommitted",
            topics=[
                TopicBackup(name=name, topic_id=name, replication_factor=1,
                            partitions=[PartitionBackup(partition=i, begin=begin, end=end)
                                        for i, (begin, end) in enumerate(parts)])
                for name, parts in topics.items()
            ],
        )  # fmt: skip
        monkeypatch.setattr(planning, "plan_backup", lambda *_: manifest)
        job = SimpleNamespace(
            spec=SimpleNamespace(backup="nightly", location="s3://b", source_conn_id="kafka_source", keep_last=None,
                                 keep_days=None, model_dump=lambda mode: {"dry_run": True}),
            source=source, backup_id="now", look_at_copy=lambda: None, covered=lambda *_: None, look_around=Around,
            catalogue=SimpleNamespace(read=lambda _: None, oddities=list), record_bytes=lambda: known or {},
        )  # fmt: skip
        return plan_of_backup(job)  # type: ignore[arg-type]

    return of


def sizes(found: BackupPlan) -> dict[str, int | None]:
    return {line.source: line.bytes for line in found.topics}


def test_a_few_records_of_the_largest_partition_tell_the_size(plan: Any) -> None:
    source = Source()
    found = plan(source, orders=[(0, 40), (1000, 9000)])
    assert source.asked == [PartitionRange("orders", 1, 1000, 1100)]
    assert source.opened == [("read_uncommitted", True)]
    assert sizes(found) == {"orders": 8040 * 250}
    assert found.bytes == 8040 * 250


def test_what_the_last_backups_know_is_not_read_again(plan: Any) -> None:
    source = Source()
    found = plan(source, {"orders": 99.5}, orders=[(0, 1000)], clicks=[(0, 10)])
    assert [one.topic for one in source.asked] == ["clicks"]
    assert sizes(found) == {"orders": 99_500, "clicks": 2500}


def test_nothing_is_read_of_what_is_empty_or_known(plan: Any) -> None:
    source = Source()
    assert sizes(plan(source, {"orders": 1}, orders=[(0, 10)], empty=[(7, 7)], none=[])) == {
        "orders": 10, "empty": 0, "none": 0
    }  # fmt: skip
    assert source.opened == []


def test_a_size_that_cannot_be_sampled_is_not_guessed(plan: Any) -> None:
    found = plan(Source(gone=["markers"]), markers=[(0, 10_000)], orders=[(0, 4)])
    assert sizes(found) == {"markers": None, "orders": 1000}
    assert found.bytes == 1000
    assert "not known" in backup_plan_text(found)
