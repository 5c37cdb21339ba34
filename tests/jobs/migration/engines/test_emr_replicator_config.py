"""EMR's replicator, by its published keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.jobs.migration.engines.emr_replicator_config import EmrReplicatorIntent, config

INTENT = EmrReplicatorIntent(
    source={"bootstrap.servers": "a:9092,b:9092"},
    source_zookeeper="a:2181/kafka",
    target_zookeeper="c:2181",
    topics=["connect", "orders"],
)


def test_the_published_keys() -> None:
    assert config(INTENT) == {
        "connector.class": "EMRReplicatorSourceConnector",
        "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "header.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "src.kafka.bootstrap.servers": "a:9092,b:9092",
        "src.zookeeper.connect": "a:2181/kafka",
        "dest.zookeeper.connect": "c:2181",
        "topic.whitelist": "connect,orders",
        "topic.rename.format": "${topic}.replica",
        "src.kafka.max.poll.records": "300",
    }


def test_what_the_user_chooses() -> None:
    made = config(replace(INTENT, rename_format="eu.${topic}", max_poll_records=500))
    assert made["topic.rename.format"] == "eu.${topic}"
    assert made["src.kafka.max.poll.records"] == "500"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"topics": []}, "no topic"),
        ({"rename_format": "replica"}, "exactly once"),
        ({"source_zookeeper": ""}, "source_zookeeper"),
        ({"target_zookeeper": ""}, "target_zookeeper"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        config(replace(INTENT, **changes))  # type: ignore[arg-type]


def test_a_secured_source_is_refused_without_its_secret() -> None:
    secured = {"bootstrap.servers": "a:1", "security.protocol": "SASL_SSL", "sasl.jaas.config": "planted-secret"}
    with pytest.raises(ValueError, match=r"sasl\.jaas\.config, security\.protocol") as caught:
        config(replace(INTENT, source=secured))
    assert "planted-secret" not in str(caught.value)
    config(replace(INTENT, source={"bootstrap.servers": "a:1", "security.protocol": "PLAINTEXT"}))
