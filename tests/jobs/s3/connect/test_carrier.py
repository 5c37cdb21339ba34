"""What a connector is told of its bucket and its cluster, and that nobody else reads a secret of it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import PluginInfo, WorkerInfo
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime
from kafka_ferry.jobs.s3.connect.carrier import Carrier, bucket_notes, bucket_of, connector_name
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.own_connectors import CLASSES

KEYS = {"aws_access_key_id": "${file:/s3.properties:id}", "aws_secret_access_key": "${file:/s3.properties:secret}"}


class Connect:
    """A Connect cluster that tells what it is."""

    connect_conn_id = "kafka_connect"

    def __init__(self, version: str = "4.3.1", plugins: tuple[str, ...] = (), **references: str) -> None:
        self._version, self._plugins, self._references = version, plugins, references

    def config_provider(self, conn_id: str) -> dict[str, str]:
        return self._references

    def info(self) -> WorkerInfo:
        return WorkerInfo(self._version, "", "target")

    def plugins(self) -> list[PluginInfo]:
        return [PluginInfo(name, "sink", "1") for name in self._plugins]


def runtime(*args: Any, **references: str) -> KafkaConnectRuntime:
    return KafkaConnectRuntime(cast(Any, Connect(*args, **references)))


def aws(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    connection = {"conn_type": "aws", "login": "AKIAOURS", "password": "our-aws-secret", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))


def test_the_bucket_is_as_the_connection_says_and_its_keys_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch, region_name="eu-west-1", endpoint_url="http://s3:9000",
        config_kwargs={"s3": {"addressing_style": "path"}, "proxies": {"https": "http://p:1"}},
        service_config={"s3": {"extra_args": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}}})  # fmt: skip
    fields = bucket_of("s3://ours/a/b/", "aws_default", runtime(), "aws_conn_id")
    assert fields == {
        "bucket": "ours", "prefix": "a/b", "region": "eu-west-1", "endpoint": "http://s3:9000", "path_style": True,
        "encryption": "aws:kms", "kms_key": "k", "key_id": "", "secret": "",
    }  # fmt: skip
    one = Carrier("x", runtime(), Intent(way="sink", topics=("t",), export="e", **fields))
    assert not {"AKIAOURS", "our-aws-secret"} & set(one.config.values())
    own, proxies = bucket_notes("aws_default", one.intent)
    assert "the workers use their own AWS credentials, not those of the connection 'aws_default'" in own
    assert "proxies of the connection 'aws_default' do not reach the workers" in proxies


def test_keys_come_as_references_where_the_worker_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch, region_name="eu-west-1")
    fields = bucket_of("s3://ours", "aws_default", runtime(**KEYS), "aws_conn_id")
    assert (fields["prefix"], fields["path_style"]) == ("", None)
    one = Carrier("x", runtime(), Intent(way="source", topics=("t",), export="e", **fields))
    assert one.shown()["aws.secret.access.key"] == KEYS["aws_secret_access_key"], "a reference is no secret"
    assert bucket_notes("aws_default", one.intent) == []


def test_one_key_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch)
    with pytest.raises(BadParam, match=r"param 'connect_conn_id': its config_provider has one key of 'aws_default'"):
        bucket_of("s3://ours", "aws_default", runtime(aws_access_key_id="${file:/x:id}"), "aws_conn_id")


def test_what_uploads_are_asked_for_that_the_connectors_do_not_send(monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch, service_config={"s3": {"extra_args": {"RequestPayer": "requester"}}})
    with pytest.raises(BadParam, match=r"param 'aws_conn_id': asks for RequestPayer, .*transport: engine"):
        bucket_of("s3://ours", "aws_default", runtime(), "aws_conn_id")


def test_a_plan_shows_no_password() -> None:
    login = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="our-password";'
    intent = Intent(way="sink", topics=("t",), bucket="b", prefix="", export="e", other_cluster=True,
                    cluster={"bootstrap.servers": "x:1", "sasl.jaas.config": login})  # fmt: skip
    one = Carrier("x", runtime(), intent)
    assert "our-password" in str(one.config)
    shown = one.planned().to_json()
    assert "our-password" not in str(shown)
    assert (shown["version"], shown["connectors"]["x"]["topics"]) == ("4.3.1", "t")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), r"the workers do not have kafkaferry\S+SinkConnector. Fix: unpack kafka-ferry-s3-connectors.zip \(made by "
             r"`make plugins`; docs/s3_connectors.md, Install\) into their plugin.path and restart them"),
        (("3.6.1", (CLASSES["sink"],)), r"the workers are Kafka Connect 3.6.1, which .* Fix: workers of Kafka 3.7"),
    ],
)  # fmt: skip
def test_workers_that_cannot_run_it(args: tuple[Any, ...], words: str) -> None:
    one = Carrier("x", runtime(*args), Intent(way="sink", topics=("t",), bucket="b", prefix="", export="e"))
    with pytest.raises(BadParam, match=words):
        one.check(None)


def test_a_sink_may_run_anywhere_and_a_source_at_the_target_only() -> None:
    there = runtime("4.3.1", tuple(CLASSES.values()))
    Carrier("x", there, Intent(way="sink", topics=("t",), bucket="b", prefix="", export="e")).check(None)
    source = Carrier("x", there, Intent(way="source", topics=("t",), bucket="b", prefix="", export="e"))
    source.check("target")
    with pytest.raises(BadParam, match="the workers write into cluster target, not into other"):
        source.check("other")


def test_exports_of_one_name_in_two_places_have_connectors_of_their_own() -> None:
    names = {connector_name("orders", way, place) for way in ("sink", "source") for place in ("s3://a", "s3://b")}
    assert len(names) == 4
    assert connector_name("orders", "sink", "s3://a") == connector_name("orders", "sink", "s3://a")
    assert all(name.startswith("orders.") for name in names)
