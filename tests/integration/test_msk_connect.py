"""MSK Connect's API over the double, with a real Kafka Connect worker behind it, on the stack's target cluster."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

import msk_flow
import msk_lab
from kafka_ferry.core.msk_iam import java_settings
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.errors import ConnectorFailed
from kafka_ferry.operators.msk_connect import MskConnectCreateCustomPluginOperator
from stack import Stack
from stack.msk import CLUSTER
from stack.msk_double import BUCKET

DEADLINE = 300.0  # seconds; a worker is ready in 8 on a quiet machine

pytestmark = pytest.mark.timeout(1_500)


@pytest.fixture
def hook(stack: Stack, connections: dict[str, str], topic_prefix: str) -> Iterator[MskConnectHook]:
    """The connection ``aws_default`` leads to the stack's double, and to its S3. The connectors' topics are removed."""
    yield MskConnectHook()
    admin = AdminClient({"bootstrap.servers": stack.target_bootstrap})
    own = [name for name in admin.list_topics(timeout=30).topics if topic_prefix in name or name == "heartbeats"]
    for deleted in admin.delete_topics(own).values() if own else ():
        deleted.result(timeout=30)


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
    stack: Stack, hook: MskConnectHook, topic_prefix: str, tmp_path: Path
) -> None:
    def beats() -> None:
        before = heartbeats(stack.target_bootstrap)
        within(DEADLINE, lambda: heartbeats(stack.target_bootstrap) > before, "no heartbeat was written")

    name = f"{topic_prefix}life"
    msk_flow.whole_life(
        name=name,
        bucket=BUCKET,
        cluster_arn=CLUSTER,
        role=msk_lab.ROLE,
        config=target(topic_prefix, stack.target_bootstrap),
        folder=tmp_path,
        log_group="/ferry",
        proof=beats,
        delay=0.3,
        attempts=int(DEADLINE / 0.3),
    )
    assert name not in stack.msk.workers()
    for operation, members, key in (
        ("list_connectors", "connectors", "connectorName"),
        ("list_custom_plugins", "customPlugins", "name"),
        ("list_worker_configurations", "workerConfigurations", "name"),
    ):
        assert not [one[key] for one in hook.pages(operation, members) if one[key].startswith(name)]


@pytest.mark.integration
def test_failures_of_a_real_worker_become_failed_with_its_words_and_log(
    stack: Stack, hook: MskConnectHook, topic_prefix: str, tmp_path: Path
) -> None:
    attempts = int(DEADLINE / 0.3)
    (tmp_path / "orders.jar").write_bytes(msk_lab.jar(msk_lab.CLASS))
    plugin = MskConnectCreateCustomPluginOperator(
        task_id="plugin", name=f"{topic_prefix}orders", bucket=BUCKET, folder=str(tmp_path), waiter_delay=0.3
    ).execute({})
    request = msk_lab.request(plugin, f"{topic_prefix}wrong")
    request["kafkaCluster"]["apacheKafkaCluster"]["bootstrapServers"] = stack.target_bootstrap
    # The class is in the plugin, but it is no connector: a file of no bytes.
    wrong = hook.create_connector(request)
    # The worker of another one will be killed: nothing on AWS says so but the state.
    config = {"connector.class": msk_flow.HEARTBEAT, "tasks.max": "1", **target(topic_prefix, stack.target_bootstrap)}
    good = {**request, "connectorConfiguration": config, "connectorName": f"{topic_prefix}killed"}
    killed = hook.create_connector(good)
    try:
        with pytest.raises(ConnectorFailed, match=r"(?s)InvalidConnectorConfiguration.*Failed to find any class"):
            hook.wait("connector_running", 0.3, attempts, connectorArn=wrong)
        hook.wait("connector_running", 0.3, attempts, connectorArn=killed)
        os.kill(stack.msk.workers()[f"{topic_prefix}killed"]["pid"], signal.SIGKILL)
        within(DEADLINE, lambda: hook.connector(killed).state == "FAILED", "a dead worker was not seen")
        with pytest.raises(ConnectorFailed, match="WorkerEnded") as failure:
            hook.create_connector(good)
        assert "(org.apache.kafka." in str(failure.value)  # lines of the worker's log
    finally:
        for arn in (wrong, killed):
            hook.delete_connector(arn)
            hook.wait("connector_deleted", 0.3, attempts, connectorArn=arn)
        hook.delete_custom_plugin(plugin)


LIVE = ("CLUSTER", "ROLE", "BUCKET")


@pytest.mark.integration
@pytest.mark.live_aws
@pytest.mark.skipif(
    not all(os.environ.get(f"FERRY_LIVE_AWS_{part}") for part in LIVE),
    reason="runs on AWS: set FERRY_LIVE_AWS_CLUSTER (ARN, with IAM), FERRY_LIVE_AWS_ROLE (ARN), FERRY_LIVE_AWS_BUCKET "
    "and AWS credentials",
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
