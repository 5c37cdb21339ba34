"""What an export's manifest says of the work that made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, State, TopicBackup
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.store.export import Exported
from kafka_ferry.jobs.s3.export_run import ExportRun
from kafka_ferry.jobs.s3.s3_spec import ExportSpec


def export_run(folder: Path, end: int) -> ExportRun:
    """An export of one partition with ``end`` offsets, begun."""
    spec = ExportSpec(topics=["t"], export="e", location=f"file://{folder}")
    one = ExportRun(cast(Any, None), {}, FolderStore(folder), {}, spec, "e1")
    topic = TopicBackup(
        name="t", topic_id="i", replication_factor=1, partitions=[PartitionBackup(partition=0, begin=0, end=end)]
    )
    about: dict[str, Any] = {"backup": "e", "backup_id": "e1", "mode": "full", "cluster_id": "c"}
    one.catalogue.write(Manifest(**about, created="2026-11-21T00:00:00+00:00", topics=[topic]))
    return one


def test_the_requests_that_its_shards_wrote_are_in_the_manifest(tmp_path: Path) -> None:
    one = export_run(tmp_path, 0)
    done = one.finish([Exported(puts=3), Exported(puts=4)])
    assert (done.state, done.totals.puts) == (State.COMPLETE, 7)
    assert one.finish([Exported(puts=1)]) == done, "what is COMPLETE is left alone"


def test_a_range_that_no_object_covers_makes_no_export(tmp_path: Path) -> None:
    one = export_run(tmp_path, 5)
    with pytest.raises(IncompleteBackup):
        one.finish([Exported(puts=3)])
    assert one.manifest().state is State.IN_PROGRESS
