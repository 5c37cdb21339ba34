"""What the source's brokers accepted is carried, with default settings on both sides, whatever it is packed with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import large_records
from backup_lab import Backups
from kafka_ferry.core.retention import HELD_AS
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.verify import compare_restored
from run_by_hand import Run

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def artifacts(connections: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))


def test_by_mirror_maker2_on_connect(
    source_bootstrap: str, target_bootstrap: str, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topics = large_records.make(source_bootstrap, topic_prefix, make_topics, produce)
    target = KafkaAdmin({"bootstrap.servers": target_bootstrap}, "target")
    held = {}

    def meanwhile() -> None:
        held.update({name: dict(state.configs) for name, state in target.topics(topics).items()})

    run = Run("large", topics=topics, groups=[], migration=f"{topic_prefix}m", acls="skip")
    _, report = run.whole(meanwhile)

    assert report["verdict"] == "PASS"
    assert {configs["max.message.bytes"] for configs in held.values()} == {HELD_AS["max.message.bytes"]}
    assert held[topics[3]]["segment.bytes"] == HELD_AS["segment.bytes"]
    own = {name: dict(state.configs) for name, state in target.topics(topics).items()}
    theirs = KafkaAdmin({"bootstrap.servers": source_bootstrap}, "source").topics(topics)
    assert own == {name: dict(state.configs) for name, state in theirs.items()}, "what was lifted is put back"


@pytest.mark.parametrize("way", ["never", "always"])
def test_by_backup_and_restore(
    way: str,
    target_bootstrap: str,
    source_bootstrap: str,
    topic_prefix: str,
    make_topics: Any,
    produce: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FERRY_NATIVE", way)
    backups = Backups(topic_prefix)
    topics = large_records.make(source_bootstrap, topic_prefix, make_topics, produce)
    backups.export(backups.begin("b01"))
    restore_run, memory = backups.restore_run(), {}
    # One of them is there already, with a limit that its records do not fit in.
    make_topics(target_bootstrap, topics[0], config={"max.message.bytes": "100000"})
    restore_run.provision(memory)
    restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
    lines = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
    assert [line.detail for line in lines if not line.same] == []
    restore_run.release(memory)
    after = restore_run.admin.topics(topics)
    assert after[topics[0]].configs["max.message.bytes"] == "100000"
    assert not [value for state in after.values() for value in state.configs.values() if value in HELD_AS.values()]
