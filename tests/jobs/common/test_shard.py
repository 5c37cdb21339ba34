"""What a task notes for the mapped tasks below it, and what it forgets of tries before."""

from __future__ import annotations

from pathlib import Path

import pytest

from kafka_ferry.jobs.common.shard import write_shards
from kafka_ferry.report.artifacts import SHARDS, RunArtifacts


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunArtifacts:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    return RunArtifacts("d", "r")


def test_what_other_shards_left_of_these_tasks_goes_and_no_more(artifacts: RunArtifacts) -> None:
    gone = ["stages/export.0.json", "done/export/000.json", "damage/000.json"]
    kept = ["stages/export_more.0.json", "stages/plan.json", "done/verify/000.json"]
    for name in [*gone, *kept]:
        artifacts.write_json(name, {})
    numbers = write_shards(artifacts, [[["a", 0]], [["b", 1]]], "export", stale=artifacts.names("damage"))
    assert numbers == [0, 1]
    assert artifacts.read_json(SHARDS) == [[["a", 0]], [["b", 1]]]
    assert [name for name in gone if artifacts.read_json(name) is not None] == []
    assert [name for name in kept if artifacts.read_json(name) is not None] == kept


def test_without_work_there_is_one_shard_with_nothing_to_do(artifacts: RunArtifacts) -> None:
    assert write_shards(artifacts, [], "export") == [0]
    assert artifacts.read_json(SHARDS) == [[]]
