"""Plugin and worker configuration of one migration: made once, found again, gone at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import msk_lab
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.errors import PluginFailed
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import BYTES_AS_THEY_ARE
from kafka_ferry.jobs.migration.engines.msk_connect_config import PLUGIN_CLASSES
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.runtimes.msk_connect_resources import MskResources
from msk_lab import BUCKET, ROLE
from stack.msk import CLUSTER
from stack.msk.server import MskConnectDouble

GIVEN = {
    "topics": ["orders"],
    "cluster_arn": CLUSTER,
    "service_execution_role_arn": ROLE,
    "plugin_bucket": BUCKET,
}


def resources(hook: MskConnectHook, base: str = "dag-m", **params: Any) -> MskResources:
    made = MskResources(MskConnectSpec.from_params({**GIVEN, **params}), base)
    made.hook, made.waits = hook, (0, 10)
    return made


def test_made_once_found_again_and_nothing_is_left(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    ours = resources(hook)
    assert not ours.plugin_is_there()
    assert not ours.configuration_is_there(BYTES_AS_THEY_ARE)
    first = ours.plugin(), ours.configuration(BYTES_AS_THEY_ARE)
    assert (ours.plugin(), ours.configuration(BYTES_AS_THEY_ARE)) == first
    assert ours.plugin_is_there()
    assert ours.configuration_is_there(BYTES_AS_THEY_ARE)
    assert len(aws.stored) == 1
    ours.configuration({**BYTES_AS_THEY_ARE, "producer.linger.ms": "5"})  # of before a change
    assert len(ours.delete()) == 3
    assert ours.existing() == []
    assert (aws.stored, aws.account.plugins, aws.account.worker_configurations) == ({}, {}, {})
    assert ours.delete() == []


def test_another_migrations_are_left_alone(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    ours, other = resources(hook, "dag-m"), resources(hook, "dag-m-2")
    for one in (ours, other):
        one.plugin()
        one.configuration(BYTES_AS_THEY_ARE)
    ours.delete()
    assert len(other.existing()) == 2
    assert other.plugin_is_there()
    assert len(aws.stored) == 1


def test_a_plugin_that_is_there_is_used_and_never_deleted(hook: MskConnectHook, aws: MskConnectDouble) -> None:
    arn = msk_lab.active_plugin(aws)
    ours = resources(hook, plugin_bucket=None, custom_plugin_arn=arn)
    ours.check(PLUGIN_CLASSES["source"], "a folder")
    assert ours.plugin().arn == arn
    assert ours.delete() == []
    assert list(aws.account.plugins) == [arn]


def test_a_plugin_that_cannot_be_made_says_why_and_is_recreation_later(
    hook: MskConnectHook, aws: MskConnectDouble
) -> None:
    aws.faults.plan({"plugins": [{"code": "InvalidInput", "message": "no ZIP"}]})
    with pytest.raises(PluginFailed, match="no ZIP"):
        resources(hook).plugin()
    assert resources(hook).plugin().revision == 1


def test_new_names_need_the_class_in_the_plugin(hook: MskConnectHook, tmp_path: Path) -> None:
    rename = {"naming": "rename", "topic_rename_format": "eu.${topic}", "plugin_folder": str(tmp_path)}
    (tmp_path / "x.jar").write_bytes(msk_lab.jar("x.Other"))
    with pytest.raises(BadParam, match="have no class") as refusal:
        resources(hook, **rename).check(PLUGIN_CLASSES["source"], "a folder")
    assert refusal.value.param == "plugin_folder"
    (tmp_path / "y.jar").write_bytes(msk_lab.jar(PLUGIN_CLASSES["source"]))
    resources(hook, **rename).check(PLUGIN_CLASSES["source"], "a folder")
