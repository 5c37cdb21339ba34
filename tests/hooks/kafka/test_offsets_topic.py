"""Keys of offsets as Connect's workers write them."""

from __future__ import annotations

from kafka_ferry.hooks.kafka.offsets_topic import java_place


def test_members_stand_as_a_hash_map_has_them() -> None:
    """Both orders are as a worker of Kafka 4.3.1 wrote them: MirrorMaker 2's, and of our S3 source."""
    assert sorted(("topic", "cluster", "partition"), key=java_place) == ["cluster", "partition", "topic"]
    ours = ["partition", "topic", "topic_id", "export"]
    assert sorted(("export", "topic", "topic_id", "partition"), key=java_place) == ours
