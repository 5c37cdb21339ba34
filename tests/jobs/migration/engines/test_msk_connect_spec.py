"""Params of ``mirror_maker2_on_msk_connect``: what is refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec

ARN = "arn:aws:kafka:eu-west-1:123456789012:cluster/events/1a2b3c4d-0000-0000-0000-000000000000-5"
ROLE = "arn:aws:iam::123456789012:role/msk-connect"
PLUGIN = "arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/mm2/1a2b3c4d-5"
GIVEN = {"topics": ["orders"], "cluster_arn": ARN, "service_execution_role_arn": ROLE, "plugin_bucket": "plugins"}


def test_what_a_user_must_give_is_enough() -> None:
    spec = MskConnectSpec.from_params(GIVEN)
    assert (spec.workers, spec.mcus, spec.kafka_connect_version) == (1, 1, "3.7.x")
    assert spec.running_timeout >= 1800, "a connector that cannot reach its cluster needs 20 minutes to say so"
    assert MskConnectSpec.from_params({**GIVEN, "plugin_bucket": None, "custom_plugin_arn": PLUGIN})


@pytest.mark.parametrize("name", ["cluster_arn", "service_execution_role_arn", "plugin_bucket"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(BadParam, match="is missing") as refusal:
        MskConnectSpec.from_params({key: value for key, value in GIVEN.items() if key != name})
    assert refusal.value.param == name
    assert "topic" not in refusal.value.fix


BOOTSTRAP = {"bootstrap": "b1.corp:9092,[fd00::1]:9092", "subnets": ["subnet-0a"], "cluster_arn": None}


def test_a_cluster_that_is_not_msks_is_told_by_brokers_and_a_vpc() -> None:
    spec = MskConnectSpec.from_params({**GIVEN, **BOOTSTRAP, "security_groups": ["sg-0"], "encryption": "PLAINTEXT"})
    assert (spec.cluster_arn, spec.subnets, spec.encryption) == ("", ["subnet-0a"], "PLAINTEXT")
    assert MskConnectSpec.from_params({**GIVEN, **BOOTSTRAP, "cluster_arn": ""}).security_groups == []


RENAME = {"naming": "rename", "topic_rename_format": "eu.${topic}"}


@pytest.mark.parametrize(
    ("param", "changes"),
    [
        ("cluster_arn", {"cluster_arn": "arn:aws:kafka:eu-west-1:1:cluster/x"}),
        ("service_execution_role_arn", {"service_execution_role_arn": "msk-connect"}),
        ("custom_plugin_arn", {"custom_plugin_arn": ARN}),
        ("plugin_folder", {"custom_plugin_arn": PLUGIN, "plugin_folder": "/plugin"}),
        ("plugin_folder", RENAME),
        ("heartbeats", {**RENAME, "plugin_folder": "/plugin", "heartbeats": True}),
        ("migration", {"migration": "wave_1"}),  # MSK Connect's names have no underscore
        ("bootstrap", {"bootstrap": "b1:9092"}),  # beside the ARN
        ("bootstrap", {**BOOTSTRAP, "bootstrap": "b1"}),
        ("bootstrap", {**BOOTSTRAP, "bootstrap": "b1:9092 b2:9092"}),
        ("bootstrap", {**BOOTSTRAP, "bootstrap": "https://b1:9092"}),
        ("subnets", {**BOOTSTRAP, "subnets": []}),
        ("subnets", {**BOOTSTRAP, "subnets": ["vpc-0a"]}),
        ("subnets", {"subnets": ["subnet-0a"]}),  # those of the ARN's cluster are taken
        ("security_groups", {"security_groups": ["sg-0"]}),
        ("security_groups", {**BOOTSTRAP, "security_groups": ["default"]}),
        ("encryption", {**BOOTSTRAP, "encryption": "SASL_SSL"}),
        ("cluster_arn", {"provision_through": "msk_api", **BOOTSTRAP, "bootstrap": None, "subnets": []}),
        ("mcus", {"mcus": 3}),
        ("workers", {"workers": 11}),
        ("cluster_arm", {"cluster_arm": ARN}),
    ],
)
def test_what_cannot_work_is_refused_by_name(param: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadParam) as refusal:
        MskConnectSpec.from_params({**GIVEN, **changes})
    assert refusal.value.param == param


@pytest.mark.parametrize("version, refused", [("2.7.1", True), ("3.7.x", False), ("4.1.x", False)])
def test_a_mirror_maker_2_that_cannot_keep_names_is_refused(version: str, refused: bool) -> None:
    params = {**GIVEN, "kafka_connect_version": version}
    if not refused:
        assert MskConnectSpec.from_params(params).kafka_connect_version == version
        return
    with pytest.raises(BadParam, match="KAFKA-9726") as refusal:
        MskConnectSpec.from_params(params)
    assert (refusal.value.param, refusal.value.fix) == ("kafka_connect_version", "3.7.x")


def test_new_names_with_a_plugin() -> None:
    spec = MskConnectSpec.from_params({**GIVEN, **RENAME, "plugin_folder": "/plugin"})
    assert spec.target_topic("orders") == "eu.orders"
