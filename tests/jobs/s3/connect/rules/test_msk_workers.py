"""What workers on MSK Connect are told: only what MSK Connect takes, and what a refusal means."""

from __future__ import annotations

import pytest

from kafka_ferry.hooks.msk_connect.rules.worker_configuration import problems
from kafka_ferry.jobs.s3.connect.rules.intent import BYTES
from kafka_ferry.jobs.s3.connect.rules.msk_workers import worker_properties, worker_words
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Way


@pytest.mark.parametrize("way", ["sink", "source"])
def test_msk_connect_takes_all_of_it_and_nobody_changes_bytes(way: Way) -> None:
    given = {"key.converter": "x", "offset.storage.topic": "y", "producer.linger.ms": "20"}
    found = worker_properties(way, "kept", given)
    assert problems(found) == []
    assert {found[f"{part}.converter"] for part in ("key", "value", "header")} == {BYTES}
    assert (found["offset.storage.topic"], found["producer.linger.ms"]) == ("kept", "20")


def test_a_source_is_flushed_often_and_writes_no_batch_twice() -> None:
    found = worker_properties("source", "kept", {})
    assert found["producer.enable.idempotence"] == "true"
    assert int(found["producer.max.request.size"]) > 1024 * 1024
    assert int(found["offset.flush.interval.ms"]) < int(
        worker_properties("sink", "kept", {})["offset.flush.interval.ms"]
    )
    assert "producer.enable.idempotence" not in worker_properties("sink", "kept", {})


def test_a_refused_override_has_a_cure_and_other_failures_have_their_own() -> None:
    # In Kafka Connect's words, as its None policy writes them.
    said = "The 'None' policy does not allow 'isolation.level' to be overridden in the connector configuration."
    assert "Fix: isolation_level: read_uncommitted" in worker_words(f"InvalidConnectorConfiguration: {said}")
    assert worker_words("The connector configuration is invalid: 'topics' is missing") == ""
