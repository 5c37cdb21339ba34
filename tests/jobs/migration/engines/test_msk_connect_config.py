"""MirrorMaker 2 on MSK Connect: what stands in a connector, and what in the worker configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_ferry.hooks.msk_connect.rules.cluster import ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import problems
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent
from kafka_ferry.jobs.migration.engines.msk_connect_config import connector_configs, worker_properties

TARGET = ConnectorCluster("b-1.x.kafka.eu-west-1.amazonaws.com:9098", ()).client_settings()
SOURCE = {
    "bootstrap.servers": "source:9096",
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.jaas.config": 'ScramLoginModule required username="u" password="p";',
}
INTENT = MirrorIntent(
    name="dag.wave-1",
    source_alias="wave-1",
    target_alias="target",
    source=SOURCE,
    target=TARGET,
    topics=["orders"],
    topics_exclude=[],
    groups=[".*"],
    groups_exclude=[],
    tasks_max=4,
    throughput="lan",
    isolation_level="read_committed",
    heartbeats=True,
)
BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


def test_the_target_is_reached_by_iam_and_the_source_as_its_connection_says() -> None:
    for config in connector_configs(INTENT).values():
        assert config["target.cluster.sasl.mechanism"] == "AWS_MSK_IAM"
        assert config["target.cluster.security.protocol"] == "SASL_SSL"
        assert config["target.cluster.sasl.client.callback.handler.class"].endswith("IAMClientCallbackHandler")
        assert {key: config[f"source.cluster.{key}"] for key in SOURCE} == SOURCE


def test_nothing_in_a_connector_overrides_the_workers_clients() -> None:
    for config in connector_configs(INTENT).values():
        assert not [key for key in config if ".override." in key]


def test_what_tunes_the_producer_stands_in_the_worker_configuration_and_no_login_does() -> None:
    made = worker_properties(replace(INTENT, max_record_bytes=5_000_000), "offsets", {})
    assert made["producer.max.request.size"] == "2147483647"
    assert made["producer.buffer.memory"] == str(96 * 1024 * 1024)
    assert (made["producer.batch.size"], made["producer.compression.type"]) == ("524288", "lz4")
    assert not [key for key in made if "sasl" in key or "bootstrap" in key or "security" in key]


@pytest.mark.parametrize("profile", ["lan", "wan", "gentle"])
def test_msk_connect_would_take_all_of_it(profile: str) -> None:
    assert problems(worker_properties(replace(INTENT, throughput=profile), "offsets", {})) == []


def test_bytes_stay_bytes_and_the_offsets_topic_is_ours_whatever_the_user_adds() -> None:
    converters = ("key.converter", "value.converter", "header.converter")
    more = {**dict.fromkeys(converters, "x.Other"), "offset.storage.topic": "other", "producer.linger.ms": "20"}
    made = worker_properties(INTENT, "offsets", more)
    assert {made[key] for key in converters} == {BYTES}
    assert (made["offset.storage.topic"], made["producer.linger.ms"]) == ("offsets", "20")
    for config in connector_configs(INTENT).values():
        assert {config[key] for key in converters} == {BYTES}


def test_connectors_are_those_of_the_intent() -> None:
    assert list(connector_configs(INTENT)) == ["source", "checkpoint", "heartbeat"]
    assert list(connector_configs(replace(INTENT, groups=[], heartbeats=False))) == ["source"]


def test_new_names_by_format_take_the_classes_of_the_plugin() -> None:
    made = connector_configs(replace(INTENT, rename_format="eu.${topic}", heartbeats=False))
    assert made["source"]["connector.class"] == "kafkaferry.connect.PluginMirrorSourceConnector"
    assert made["checkpoint"]["connector.class"] == "kafkaferry.connect.PluginMirrorCheckpointConnector"
    kept = connector_configs(INTENT)["source"]["connector.class"]
    assert kept == "org.apache.kafka.connect.mirror.MirrorSourceConnector"


@pytest.mark.parametrize(
    ("authentication", "encryption", "protocol"),
    [("IAM", "TLS", "SASL_SSL"), ("NONE", "TLS", "SSL"), ("NONE", "PLAINTEXT", "PLAINTEXT")],
)
def test_doors_of_the_target(authentication: str, encryption: str, protocol: str) -> None:
    made = ConnectorCluster("b:1", (), (), authentication, encryption).client_settings()
    assert made["security.protocol"] == protocol
    assert ("sasl.jaas.config" in made) == (authentication == "IAM")
