"""For tests of MSK Connect: the double with no workers behind it, a plugin in its S3, and what a connector needs."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest
from airflow.sdk.exceptions import TaskDeferred

from kafka_ferry.triggers.msk_connect import MskConnectWaiterTrigger
from stack.msk import REGION
from stack.msk.runtime import MemoryRuntime
from stack.msk.server import CREDENTIALS, MskConnectDouble

CLASS = "shop.OrdersSourceConnector"
ROLE = "arn:aws:iam::123456789012:role/connect"
BUCKET = "ferry-plugins"
SESSION = boto3.session.Session()  # one, so that the service models are read once


_LOADER = cache(botocore.session.create_loader)


def jar(*classes: str) -> bytes:
    """A JAR with these classes, which are empty."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name in classes:
            opened.writestr(f"{name.replace('.', '/')}.class", b"")
    return content.getvalue()


def archive(*classes: str) -> bytes:
    """A ZIP with a JAR with these classes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("shop/orders.jar", jar(*classes))
    return whole.getvalue()


def double(**arguments: Any) -> MskConnectDouble:
    """To be used in a ``with``; each thing goes on at the second look, so that the time in between is seen."""
    return MskConnectDouble(MemoryRuntime(), "b-1:9092,b-2:9092", **arguments)


@contextmanager
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    """The double, and the connection ``aws_default`` that leads to it.

    boto3 sessions share their loader: each hook makes a session, and reading the model of ``kafka`` takes 0.5 s.
    """
    monkeypatch.setattr(botocore.session, "create_loader", _LOADER)
    with double() as running:
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", connection(running))
        yield running


def client(aws: MskConnectDouble, service: str = "kafkaconnect", **config: Any) -> Any:
    """boto3's own client, which tries nothing twice."""
    settings = boto3.session.Config(retries={"total_max_attempts": 1}, **config)
    return SESSION.client(service, region_name=REGION, endpoint_url=aws.url, config=settings, **CREDENTIALS)


def connection(aws: MskConnectDouble) -> str:
    """The value of AIRFLOW_CONN_AWS_DEFAULT."""
    retries = {"retries": {"total_max_attempts": 1}}
    extra = {"region_name": REGION, "endpoint_url": aws.url, "config_kwargs": retries}
    keys = {"login": CREDENTIALS["aws_access_key_id"], "password": CREDENTIALS["aws_secret_access_key"]}
    return json.dumps({"conn_type": "aws", **keys, "extra": extra})


def store(aws: MskConnectDouble, *classes: str, key: str = "orders.zip") -> dict[str, Any]:
    """Put a plugin into the emulated S3; its ``location``."""
    aws.stored[f"{BUCKET}/{key}"] = archive(*(classes or (CLASS,)))
    return {"s3Location": {"bucketArn": f"arn:aws:s3:::{BUCKET}", "fileKey": key}}


def active_plugin(aws: MskConnectDouble, name: str = "orders-plugin", *classes: str) -> str:
    """ARN of a plugin that is ACTIVE."""
    kafkaconnect, location = client(aws), store(aws, *classes, key=f"{name}.zip")
    arn: str = kafkaconnect.create_custom_plugin(name=name, contentType="ZIP", location=location)["customPluginArn"]
    while kafkaconnect.describe_custom_plugin(customPluginArn=arn)["customPluginState"] == "CREATING":
        pass
    return arn


def request(plugin: str, name: str = "orders", **changes: Any) -> dict[str, Any]:
    """Arguments of ``create_connector``."""
    vpc = {"subnets": ["subnet-0a"], "securityGroups": ["sg-0"]}
    logs = {"cloudWatchLogs": {"enabled": True, "logGroup": "/ferry"}}
    return {
        "connectorName": name,
        "connectorConfiguration": {"connector.class": CLASS, "tasks.max": "1", "database.password": "hunter2"},
        "capacity": {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
        "plugins": [{"customPlugin": {"customPluginArn": plugin, "revision": 1}}],
        "serviceExecutionRoleArn": ROLE,
        "kafkaConnectVersion": "3.7.x",
        "kafkaCluster": {"apacheKafkaCluster": {"bootstrapServers": "b-1:9092,b-2:9092", "vpc": vpc}},
        "kafkaClusterClientAuthentication": {"authenticationType": "NONE"},
        "kafkaClusterEncryptionInTransit": {"encryptionType": "PLAINTEXT"},
        "logDelivery": {"workerLogDelivery": logs},
        **changes,
    }


def first_event(trigger: MskConnectWaiterTrigger) -> dict[str, Any]:
    """The one event of a trigger."""

    async def all_events() -> list[Any]:
        return [found async for found in trigger.run()]

    (only,) = asyncio.run(all_events())
    return dict(only.payload)


def run_deferred(operator: Any) -> Any:
    """As Airflow does: run, wait in the trigger, resume in another process."""
    try:
        return operator.execute({})
    except TaskDeferred as deferral:
        while True:
            path, kwargs = deferral.trigger.serialize()
            assert path == "kafka_ferry.triggers.msk_connect.MskConnectWaiterTrigger"
            event = first_event(MskConnectWaiterTrigger(**json.loads(json.dumps(kwargs))))
            assert deferral.timeout is not None
            try:
                return getattr(operator, deferral.method_name)({}, event)
            except TaskDeferred as again:
                deferral = again
