"""A stream's service role, on the double of MSK Connect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import msk_lab
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.connector import Revision
from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.runtimes.msk_connect import MskConnectRuntime
from msk_lab import BUCKET, ROLE
from stack.msk import CLUSTER
from stack.msk.iam import Role, allow, trust_of
from stack.msk.server import MskConnectDouble

GIVEN = {
    "databases": ["shop"],
    "stream": "shop",
    "runtime": "msk_connect",
    "cluster_arn": CLUSTER,
    "service_execution_role_arn": ROLE,
    "plugin_bucket": BUCKET,
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    with msk_lab.connected(monkeypatch) as running:
        running.clusters.iam_servers[CLUSTER] = "b-1:9098"
        yield running


@pytest.fixture
def stream(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> CdcStream:
    """A stream whose database has one table, which is not asked for."""
    for name in ("DATABASE_SOURCE", "KAFKA_TARGET"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", '{"conn_type": "generic"}')
    made = CdcStream("stream_database_changes", StreamSpec.from_params(GIVEN))
    tables: dict[str, Any] = {"shop.shop.orders": None}
    monkeypatch.setattr(CdcStream, "topics", lambda self: tables)
    return made


def test_the_role_is_asked_for_all_topics_of_a_stream(stream: CdcStream) -> None:
    role = stream.service_role
    assert role is not None
    assert role.findings() == []
    asked = {resource.rpartition("/")[2] for one in role.needs.asked() for resource in one.resources}
    assert asked > {
        "shop.shop.orders", "shop", "shop.schema-history", "shop.connect-offsets", "__debezium-heartbeat.shop"
    }  # fmt: skip


def test_a_role_that_cannot_work_is_refused_before_anything_is_made(stream: CdcStream, aws: MskConnectDouble) -> None:
    aws.iam.roles["connect"] = Role("connect", trust=trust_of("ec2.amazonaws.com"), policies=[allow("s3:*")])
    with pytest.raises(
        BadParam, match=r"does not let kafkaconnect\.amazonaws\.com assume it.* it lacks kafka-cluster:"
    ):
        stream.deploy()
    assert not {"CreateConnector", "CreateCustomPlugin", "CreateWorkerConfiguration"} & set(aws.requests)


def test_workers_of_a_connect_cluster_have_no_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_SOURCE", "KAFKA_TARGET", "KAFKA_CONNECT"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", '{"conn_type": "generic"}')
    monkeypatch.setattr(CdcStream, "topics", dict[str, Any])
    assert CdcStream("dag", StreamSpec.from_params({"databases": ["shop"]})).service_role is None


def test_a_stream_into_a_cluster_that_is_not_msks(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_SOURCE", "KAFKA_TARGET"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", '{"conn_type": "generic"}')
    elsewhere = {"bootstrap": "b1.corp:9094", "subnets": ["subnet-0b"], "cluster_arn": ""}
    made = CdcStream("stream_database_changes", StreamSpec.from_params({**GIVEN, **elsewhere}))
    runtime = made.connector.runtime
    assert runtime.about()["region"] == "eu-west-1"
    # By these Debezium keeps its schema history.
    assert runtime.client_settings("kafka_target") == {
        "bootstrap.servers": "b1.corp:9094",
        "security.protocol": "SSL",
    }
    assert isinstance(runtime, MskConnectRuntime)
    request = runtime.request("shop", {"connector.class": "x"}, Revision("arn:plugin"), Revision("arn:workers"))
    cluster = request["kafkaCluster"]["apacheKafkaCluster"]
    assert cluster == {"bootstrapServers": "b1.corp:9094", "vpc": {"subnets": ["subnet-0b"]}}
    assert request["kafkaClusterClientAuthentication"] == {"authenticationType": "NONE"}
    assert aws.requests == []
