"""What was promised is checked, or the check breaks: no topic drops out in silence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.validation import _promised
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.report.artifacts import FROZEN, RunArtifacts


def promised(tmp_path: Path, *on_source: str) -> list[Any]:
    artifacts = RunArtifacts("d", "r", str(tmp_path))
    frozen = Frozen({("a", 0): 0, ("b", 0): 0}, {("a", 0): 1, ("b", 0): 0}, {}, {})
    artifacts.write_json(FROZEN, frozen.to_json())
    states = {name: TopicState(name, "id", 1, 1) for name in on_source}
    migration = Migration("d", MigrationSpec(topics=[".*"]))
    migration.source = SimpleNamespace(admin=SimpleNamespace(topics=lambda names: states))  # type: ignore[assignment]
    return _promised(migration, artifacts)


def test_all_topics_that_were_waited_for(tmp_path: Path) -> None:
    assert [topic.source for topic in promised(tmp_path, "a", "b")] == ["a", "b"]


def test_a_topic_deleted_on_the_source_since_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataLossError, match="since they were copied: b"):
        promised(tmp_path, "a")
