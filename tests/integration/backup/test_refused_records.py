"""Records that a target refuses in the middle of a restore: no hole, the cause told at every try, and the right end."""

from __future__ import annotations

import os

import pytest

from backup_lab import Backups
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.senders import RecordRefused
from kafka_ferry.jobs.backup.store.verify import compare_restored

pytestmark = pytest.mark.integration

NOW = 1_790_000_000_000


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


def records(bad: int, odd: dict) -> list[dict]:
    """Enough to have several batches on their way behind the one that is refused."""
    plain = {"key": b"k", "value": os.urandom(900), "timestamp": NOW}
    return [{**plain, "key": b"%d" % n, **(odd if n == bad else {})} for n in range(3000)]


REFUSALS = {
    "too large": ({"value": os.urandom(300_000)}, {"max.message.bytes": "200000"}, r"300,00\d bytes uncompressed"),
    "too old": ({"timestamp": 1000}, {"message.timestamp.before.max.ms": str(10**11)}, "message.timestamp.before"),
    "no key": ({"key": None}, {"cleanup.policy": "compact"}, "cleanup.policy=delete"),
}


@pytest.mark.parametrize("way", ["never", "always"])
@pytest.mark.parametrize(("kind", "bad"), [("too large", 0), ("too old", 1), ("no key", 1500)])
def test_nothing_is_delivered_behind_a_refused_record(
    backups, stack, topic_prefix, make_topics, produce, monkeypatch, way, bad, kind
):
    monkeypatch.setenv("FERRY_NATIVE", way)
    odd, limit, told = REFUSALS[kind]
    (topic,) = make_topics(stack.source_bootstrap, f"{topic_prefix}t")
    produce(stack.source_bootstrap, topic, records(bad, odd))
    backups.export(backups.begin("b01"))
    restore_run, memory = backups.restore_run(), {}
    restore_run.provision(memory)
    survey = KafkaSurvey({"bootstrap.servers": stack.target_bootstrap}, "kafka_target")
    restore_run._alter({topic: limit})

    for _ in range(2):
        with pytest.raises(RecordRefused, match=told) as error:
            restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
        end = survey.offsets([(topic, 0)], "latest", "read_uncommitted")[topic, 0]
        assert end <= bad
        assert f"record {end + 1:,} of the partition's backup (offset {end} on the source," in str(error.value)

    restore_run._alter({topic: {key: memory[topic].get(key) for key in limit}})
    restore_shard(restore_run.config, restore_run.store, restore_run.ranges())
    lines = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
    assert [line.detail for line in lines if not line.same] == []
    assert survey.offsets([(topic, 0)], "latest", "read_uncommitted")[topic, 0] == 3000
