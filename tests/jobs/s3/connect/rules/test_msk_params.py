"""What MSK Connect cannot do, or lacks, is refused at once, with the param and the cure."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

PLUGIN = "arn:aws:kafkaconnect:eu-west-1:123456789012:custom-plugin/s3/1a2b3c4d-0000-0000-0000-000000000000-5"
BOTH: dict[str, Any] = {
    "transport": "msk_connect",
    "cluster_arn": "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/1a2b3c4d-0000-0000-0000-000000000000-5",
    "service_execution_role_arn": "arn:aws:iam::123456789012:role/msk-connect",
    "plugin_folder": "/opt/plugin",
    "plugin_bucket": "plugins",
}
EXPORT = {**BOTH, "topics": ["a"], "format": "avro"}
LISTENER = {"cluster_arn": None, "bootstrap": "b1:9092", "subnets": ["subnet-0a"]}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"service_execution_role_arn": None}, "'service_execution_role_arn' is missing.*On MSK Connect"),
        ({"service_execution_role_arn": "role"}, "'service_execution_role_arn'"),
        ({"plugin_folder": None}, "'plugin_folder' is missing.*kafka-ferry-s3-connectors.zip .make plugins.*custom_pl"),
        ({"plugin_bucket": None}, "'plugin_bucket' is missing"),
        ({"custom_plugin_arn": PLUGIN}, "'plugin_folder' is given beside custom_plugin_arn"),
        ({"custom_plugin_arn": "s3"}, "'custom_plugin_arn'"),
        ({"bootstrap": "b1:9092"}, "'bootstrap' is given beside cluster_arn"),
        ({"cluster_arn": None, "bootstrap": "b1:9092"}, "'subnets' is missing"),
        (
            {"tasks_max": 5},
            r"'tasks_max' is 5, and 1 worker\(s\) of 2 MCU\(s\) carry 4.*Fix: tasks_max: 4, or mo",
        ),
        ({"tasks_max": 3, "mcus": 1}, "'tasks_max' is 3, .*carry 2"),
        ({"mcus": 3}, "'mcus'"),
        ({"workers": 11}, "'workers'"),
        ({"location": "file:///x"}, "'location' is file:///x"),
        ({"signing_conn_id": "key"}, "'signing_conn_id'"),
    ],
)
def test_of_both(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadParam, match=words):
        ExportSpec.from_params({**EXPORT, **params})
    with pytest.raises(BadParam, match=words):
        ImportSpec.from_params({**BOTH, **params})


def test_the_cluster_is_the_one_that_the_connector_stands_beside() -> None:
    with pytest.raises(BadParam, match=r"'cluster_arn' is missing.*that source_conn_id leads to"):
        ExportSpec.from_params({**EXPORT, "cluster_arn": None})
    with pytest.raises(BadParam, match=r"'cluster_arn' is missing.*that target_conn_id leads to"):
        ImportSpec.from_params({**BOTH, "cluster_arn": ""})
    assert ExportSpec.from_params({**EXPORT, **LISTENER}).cluster_arn == ""


def test_a_plugin_that_is_there_needs_no_bucket() -> None:
    there = {"custom_plugin_arn": PLUGIN, "plugin_folder": None, "plugin_bucket": None}
    assert ImportSpec.from_params({**BOTH, **there}).plugin_bucket is None


def test_more_workers_carry_more_tasks() -> None:
    assert ExportSpec.from_params({**EXPORT, "tasks_max": 16, "workers": 2, "mcus": 4}).tasks_max == 16


def test_old_workers_cannot_leave_out_what_was_aborted() -> None:
    old = {**EXPORT, "kafka_connect_version": "2.7.1"}
    with pytest.raises(BadParam, match=r"'isolation_level' is read_committed, and Kafka Connect 2\.7\.1 .*3\.7\.x; or"):
        ExportSpec.from_params(old)
    assert ExportSpec.from_params({**old, "isolation_level": "read_uncommitted"}).kafka_connect_version == "2.7.1"


def test_a_producer_has_to_be_idempotent() -> None:
    with pytest.raises(BadParam, match=r"'worker_properties': has producer\.enable\.idempotence, .*twice"):
        ImportSpec.from_params({**BOTH, "worker_properties": {"producer.enable.idempotence": "false"}})
    fine = {"producer.enable.idempotence": "TRUE", "producer.linger.ms": "20"}
    assert ImportSpec.from_params({**BOTH, "worker_properties": fine}).worker_properties == fine


def test_the_engine_and_kafka_connect_are_asked_nothing_of_the_kind() -> None:
    """What an installation sets for all DAGs is no param of a run that does not use it."""
    given = {"topics": ["a"], "cluster_arn": BOTH["cluster_arn"], "plugin_bucket": "x", "tasks_max": 100}
    for transport in ("engine", "connect"):
        assert ExportSpec.from_params({**given, "transport": transport}).transport == transport


def test_msk_connect_is_asked_less_often() -> None:
    spec = ExportSpec.from_params({**EXPORT, "follow_interval": 15})
    assert (spec.poll_interval, ExportSpec.from_params({"topics": ["a"]}).poll_interval) == (10, 5)
    assert ExportSpec.from_params({**EXPORT, "follow_interval": 1}).poll_interval == 1
