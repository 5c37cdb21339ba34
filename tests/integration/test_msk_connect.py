"""MSK Connect's API over the double, with a real Kafka Connect worker behind it, on the stack's target cluster."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

import msk_flow
import msk_lab
from kafka_ferry.connectors.msk_iam import java_settings
from kafka_ferry.hooks.msk_connect import MskConnectHook
from kafka_ferry.msk_connect.errors import ConnectorFailed
from stack import Stack, jars
from stack.java import find_java
from stack.msk.cluster import ARN as CLUSTER
from stack.msk.server import MskConnectDouble
from stack.msk.worker_runtime import WorkerRuntime
from stack.stack import PROJECT

DEADLINE = 120.0  # seconds; a worker is ready in 8 on a quiet machine


@pytest.fixture(scope="module")
def double(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MskConnectDouble]:
    java = find_java(print)
    libraries = jars.resolve(jars.cache_folder(PROJECT), java, print)
    runtime = WorkerRuntime(tmp_path_factory.mktemp("msk"), java, libraries, stack.worker.state.mark())
    with MskConnectDouble(runtime, stack.target_bootstrap) as running:
        yield running


@pytest.fixture
def aws(double: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> MskConnectDouble:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", msk_lab.connection(double))
    return double


def target(alias: str, bootstrap: str) -> dict[str, str]:
    """What a MirrorHeartbeatConnector needs beside its interval."""
    return {
        "source.cluster.alias": alias,
        "target.cluster.alias": "target",
        "source.cluster.bootstrap.servers": bootstrap,
        "target.cluster.bootstrap.servers": bootstrap,
        "heartbeats.topic.replication.factor": "1",
    }


def heartbeats(bootstrap: str) -> int:
    """How many there are on the cluster."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition("heartbeats", 0), timeout=10)[1])
    except KafkaException:  # the connector has not yet made its topic
        return 0
    finally:
        consumer.close()


def within(seconds: float, condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.3)


@pytest.mark.integration
def test_a_connectors_whole_life_on_a_real_worker(
    aws: MskConnectDouble, target_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    def beats() -> None:
        before = heartbeats(target_bootstrap)
        within(DEADLINE, lambda: heartbeats(target_bootstrap) > before, "no heartbeat was written")

    msk_flow.whole_life(
        name=f"{topic_prefix}life",
        bucket=msk_lab.BUCKET,
        cluster_arn=CLUSTER,
        role=msk_lab.ROLE,
        config=target(topic_prefix, target_bootstrap),
        folder=tmp_path,
        log_group="/ferry",
        proof=beats,
        delay=0.3,
        attempts=int(DEADLINE / 0.3),
    )
    account = aws.account
    assert not account.connectors and not account.plugins and not account.worker_configurations


@pytest.mark.integration
def test_failures_of_a_real_worker_become_failed_with_its_words_and_log(
    aws: MskConnectDouble, target_bootstrap: str, topic_prefix: str
) -> None:
    hook, plugin = MskConnectHook(), msk_lab.active_plugin(aws, f"{topic_prefix}plugin")
    request = msk_lab.request(plugin, f"{topic_prefix}wrong")
    request["kafkaCluster"]["apacheKafkaCluster"]["bootstrapServers"] = target_bootstrap
    attempts = int(DEADLINE / 0.3)
    # The class is in the plugin, but it is no connector: a file of no bytes.
    arn = hook.create_connector(request)
    with pytest.raises(ConnectorFailed, match=r"(?s)InvalidConnectorConfiguration.*Failed to find any class"):
        hook.wait("connector_running", 0.3, attempts, connectorArn=arn)
    # The same worker, killed: nothing on AWS says so but the state.
    request["connectorConfiguration"] = {
        "connector.class": msk_flow.HEARTBEAT, "tasks.max": "1", **target(topic_prefix, target_bootstrap)
    }  # fmt: skip
    arn = hook.create_connector({**request, "connectorName": f"{topic_prefix}killed"})
    hook.wait("connector_running", 0.3, attempts, connectorArn=arn)
    runtime = aws.account.runtime
    assert isinstance(runtime, WorkerRuntime)
    os.kill(runtime.pid(arn), signal.SIGKILL)
    within(DEADLINE, lambda: hook.connector(arn).state == "FAILED", "a dead worker was not seen")
    with pytest.raises(ConnectorFailed, match="WorkerEnded") as failure:
        hook.create_connector({**request, "connectorName": f"{topic_prefix}killed"})
    assert "(org.apache.kafka." in str(failure.value)  # lines of the worker's log
    for connector in list(aws.account.connectors):
        hook.delete_connector(connector)


LIVE = ("CLUSTER", "ROLE", "BUCKET")


@pytest.mark.live_aws
@pytest.mark.skipif(
    not all(os.environ.get(f"FERRY_LIVE_AWS_{part}") for part in LIVE),
    reason="runs on AWS: set FERRY_LIVE_AWS_CLUSTER (ARN, with IAM), _ROLE (ARN), _BUCKET, and AWS credentials",
)
def test_the_same_on_aws(monkeypatch: pytest.MonkeyPatch, topic_prefix: str, tmp_path: Path) -> None:
    """Costs about an hour of one worker; the one test that shows what AWS itself does."""
    cluster, role, bucket = (os.environ[f"FERRY_LIVE_AWS_{part}"] for part in LIVE)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", os.environ.get("FERRY_LIVE_AWS_CONNECTION", "aws://"))
    hook = MskConnectHook(region_name=cluster.split(":")[3])
    bootstrap = hook.connector_cluster(cluster).bootstrap_servers
    iam = {"security.protocol": "SASL_SSL", **java_settings()}
    prefixed = {f"{side}.cluster.{key}": value for side in ("source", "target") for key, value in iam.items()}
    config = {**target(topic_prefix, bootstrap), **prefixed, "heartbeats.topic.replication.factor": "-1"}
    msk_flow.whole_life(
        name=f"ferry-{topic_prefix}live",
        bucket=bucket,
        cluster_arn=cluster,
        role=role,
        config=config,
        folder=tmp_path,
        log_group=os.environ.get("FERRY_LIVE_AWS_LOG_GROUP"),
        proof=lambda: None,  # the cluster is in a VPC that the test does not see; the log and the metrics tell
        delay=30,
        attempts=80,
    )
