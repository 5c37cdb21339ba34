from __future__ import annotations

import pytest

import msk_lab
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.errors import DifferentResource, PluginFailed
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import BYTES_AS_THEY_ARE
from msk_lab import BUCKET, request
from stack.msk.server import MskConnectDouble


def made(hook: MskConnectHook, key: str = "orders.zip", **other: bool) -> str:
    arn = hook.create_custom_plugin("orders-plugin", BUCKET, key, **other)
    hook.wait("custom_plugin_active", 0, customPluginArn=arn)
    return arn


def test_a_plugin_is_created_once_then_adopted_also_while_creating(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    msk_lab.store(aws)
    first = hook.create_custom_plugin("orders-plugin", BUCKET, "orders.zip")
    assert hook.create_custom_plugin("orders-plugin", BUCKET, "orders.zip") == first
    assert made(hook) == first
    assert aws.requests.count("CreateCustomPlugin") == 1
    assert hook.custom_plugin_revision(first).revision == 1


def test_a_plugin_from_another_object_is_not_adopted(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    msk_lab.store(aws)
    made(hook)
    with pytest.raises(DifferentResource, match=r"made from orders\.zip, not from other\.zip"):
        made(hook, "other.zip")


def test_a_plugin_that_failed_is_recreation(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    with pytest.raises(PluginFailed, match=r"CREATE_FAILED: InvalidInput\.InvalidS3Location"):
        made(hook)
    msk_lab.store(aws)
    with pytest.raises(PluginFailed, match="Fix: delete it"):
        made(hook, replace_failed=False)
    made(hook)


def test_run_clear_run_leaves_no_orphan(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    msk_lab.store(aws)
    for _ in range(2):
        plugin = made(hook)
        workers = hook.create_worker_configuration("bytes", BYTES_AS_THEY_ARE)
        used = {"workerConfigurationArn": workers.arn, "revision": workers.revision}
        arn = hook.create_connector(request(plugin, workerConfiguration=used))
        hook.wait("connector_running", 0, connectorArn=arn)
        hook.delete_connector(arn)
        hook.wait("connector_deleted", 0, connectorArn=arn)
        assert hook.delete_worker_configuration(workers.arn)
        assert hook.delete_custom_plugin(plugin)
    hook.wait("custom_plugin_deleted", 0, customPluginArn=plugin)
    hook.wait("worker_configuration_deleted", 0, workerConfigurationArn=workers.arn)
    assert not hook.delete_custom_plugin(plugin)
    assert not hook.delete_worker_configuration(workers.arn)
    account = aws.account
    assert not account.connectors and not account.plugins and not account.worker_configurations


def test_a_worker_configuration_is_adopted_when_it_says_the_same(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    revision = hook.create_worker_configuration("bytes", BYTES_AS_THEY_ARE)
    assert hook.create_worker_configuration("bytes", dict(reversed(BYTES_AS_THEY_ARE.items()))) == revision
    assert aws.requests.count("CreateWorkerConfiguration") == 1
    with pytest.raises(DifferentResource, match=r"differs in offset\.storage\.topic"):
        hook.create_worker_configuration("bytes", {**BYTES_AS_THEY_ARE, "offset.storage.topic": "hunter2"})


def test_a_worker_configuration_is_linted_before_the_call(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    with pytest.raises(BadParam, match=r"group\.id is set by MSK Connect itself"):
        hook.create_worker_configuration("bytes", {**BYTES_AS_THEY_ARE, "group.id": "mine"})
    assert aws.requests == []
