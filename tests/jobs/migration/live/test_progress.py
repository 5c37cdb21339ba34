"""Progress of MirrorMaker 2 from the offsets Kafka Connect keeps."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.jobs.migration.live.progress import ConnectorProgress, ReplicationFailed


class FakeRuntime:
    def __init__(self, offsets: list[dict[str, Any]], failed: str = "") -> None:
        self._offsets, self._failed = offsets, {failed}

    def offsets(self, name: str) -> list[dict[str, Any]]:
        assert name == "m.source"
        return self._offsets

    def problem(self, names: list[str]) -> str:
        return next((f"{name}: stack trace" for name in names if name in self._failed), "")


def progress(offsets: list[dict[str, Any]], failed: str = "") -> ConnectorProgress:
    return ConnectorProgress(FakeRuntime(offsets, failed), "m.source", "old", ["m.source", "m.checkpoint"])  # type: ignore[arg-type]


def entry(topic: str, partition: int, offset: int | None, cluster: str = "old") -> dict[str, Any]:
    place = {"cluster": cluster, "topic": topic, "partition": partition}
    return {"partition": place, "offset": None if offset is None else {"offset": offset}}


def test_the_next_offset_is_one_more_than_the_last_replicated() -> None:
    found = progress([entry("a.b", 0, 41), entry("a.b", 1, 0)]).next_offsets()
    assert found == {("a.b", 0): 42, ("a.b", 1): 1}


def test_other_clusters_reset_offsets_and_heartbeats_are_not_ours() -> None:
    heartbeat = {"partition": {"sourceClusterAlias": "old", "targetClusterAlias": "target"}, "offset": {"offset": 0}}
    listed = [entry("a", 0, 5, cluster="other"), entry("b", 0, None), heartbeat]
    assert progress(listed).next_offsets() == {}
    assert progress([]).next_offsets() == {}


@pytest.mark.parametrize("name", ["m.source", "m.checkpoint"])
def test_a_failed_connector_of_the_migration_is_told_with_its_trace(name: str) -> None:
    with pytest.raises(ReplicationFailed, match=f"{name}: stack trace") as caught:
        progress([], name).check()
    assert not caught.value.retriable


def test_no_problem_is_no_failure() -> None:
    progress([]).check()
