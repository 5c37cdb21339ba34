"""Configs of our own connectors from what they shall do; each key is one that docs/s3_connectors.md names."""

from __future__ import annotations

import re
from pathlib import Path

from kafka_ferry.jobs.s3.connect.rules.intent import BYTES, Flush, Intent
from kafka_ferry.jobs.s3.connect.rules.own_connectors import own_config

DOCS = (Path(__file__).resolve().parents[5] / "docs" / "s3_connectors.md").read_text()
SINK = Intent(
    way="sink",
    topics=("a", "b"),
    bucket="ours",
    prefix="exports",
    export="orders",
    region="eu-west-1",
    endpoint="http://s3:9000",
    path_style=True,
    key_id="${file:/s3:id}",
    secret="${file:/s3:secret}",
    encryption="aws:kms",
    kms_key="k",
    tasks=3,
    flush=Flush(records=100, bytes=64_000_000, seconds=0.5),
    cluster={"bootstrap.servers": "b1:9092", "security.protocol": "SSL"},
    other_cluster=True,
)
SOURCE = Intent(way="source", topics=("a",), bucket="ours", prefix="", export="e", renames={"a": "b"}, poll_seconds=2)


def test_a_sink_of_another_cluster_than_the_workers() -> None:
    config = own_config(SINK)
    assert (config["topics"], config["format"]) == ("a,b", "avro")
    assert {config[f"{part}.converter"] for part in ("key", "value", "header")} == {BYTES}
    assert config["s3.path.style.access.enabled"] == "true"
    assert (config["aws.access.key.id"], config["aws.secret.access.key"]) == (SINK.key_id, SINK.secret)
    assert (config["rotate.schedule.interval.ms"], config["manifest.interval.ms"]) == ("500", "1000"), "its least"
    assert (config["flush.size"], config["flush.bytes"]) == ("100", "64000000")
    for prefix in ("kafka.", "consumer.override.", "admin.override."):
        assert config[f"{prefix}bootstrap.servers"] == "b1:9092"
        assert config[f"{prefix}security.protocol"] == "SSL"
    assert config["consumer.override.isolation.level"] == "read_committed"


def test_a_sink_of_the_workers_own_cluster_keeps_the_workers_login() -> None:
    own = Intent(way="sink", topics=("a",), bucket="b", prefix="", export="e", cluster={"bootstrap.servers": "x:1"})
    config = own_config(own)
    assert config["kafka.bootstrap.servers"] == "x:1"
    assert [key for key in config if ".override." in key] == ["consumer.override.isolation.level"]
    silent = {"s3.prefix", "s3.region", "store.url", "s3.path.style.access.enabled", "aws.access.key.id"}
    assert not silent & set(config), "what is not given is the worker's, or the connector's default"


def test_a_source_renames_each_topic_by_its_name() -> None:
    config = own_config(SOURCE)
    assert (config["topics.rename"], config["s3.poll.interval.ms"]) == ("a:b", "2000")
    assert int(config["producer.override.max.request.size"]) > 1024 * 1024, "the producer's default"
    assert "topics.rename" not in own_config(Intent(way="source", topics=("a",), bucket="b", prefix="", export="e"))


def test_where_clients_belong_to_the_worker_nothing_is_overridden() -> None:
    for way in ("sink", "source"):
        one = Intent(way=way, topics=("a",), bucket="b", prefix="", export="e", other_cluster=True, overrides=False,
                     cluster={"bootstrap.servers": "x:1"})  # type: ignore[arg-type]  # fmt: skip
        assert not [key for key in own_config(one) if ".override." in key]


def test_every_key_is_in_the_docs() -> None:
    named = set(re.findall(r"`([a-z0-9.]+)`", DOCS))
    for config in (own_config(SINK), own_config(SOURCE)):
        own = {key for key in config if not key.startswith(("kafka.", "consumer.", "admin.", "producer."))}
        assert own - named <= {"connector.class", "tasks.max"}
