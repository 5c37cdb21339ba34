from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.capacity import AutoScaled, Provisioned
from kafka_ferry.hooks.msk_connect.rules.cluster import ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.connector import (
    IMMUTABLE,
    Connector,
    ConnectorIntent,
    Revision,
    config_changes,
    immutable_differences,
    worker_setting_changes,
)

MODEL = botocore.session.get_session().get_service_model("kafkaconnect")
ARN = "arn:aws:kafkaconnect:eu-west-1:123456789012:connector/orders/1-2"


def intent(**changes: Any) -> ConnectorIntent:
    arguments: dict[str, Any] = {
        "name": "orders",
        "config": {"connector.class": "a.B", "tasks.max": 2, "database.password": "hunter2"},
        "capacity": Provisioned(),
        "cluster": ConnectorCluster("b:9098", ("subnet-a", "subnet-b"), ("sg-1",)),
        "plugin": Revision("arn:plugin"),
        "role_arn": "arn:role",
        "worker_configuration": Revision("arn:wc", 2),
        "log_group": "/ferry",
    }
    return ConnectorIntent(**{**arguments, **changes})


def described(**changes: Any) -> Connector:
    request = {**intent().to_request(), "connectorArn": ARN, "connectorState": "RUNNING", "currentVersion": "K1"}
    return Connector.from_description({**request, **changes})


def test_the_request_fits_the_service_model() -> None:
    request = intent(description="ours", other={"networkType": "IPV4"}).to_request()
    report = ParamValidator().validate(request, MODEL.operation_model("CreateConnector").input_shape)
    assert not report.has_errors(), report.generate_report()
    assert request["connectorConfiguration"]["tasks.max"] == "2"


def test_what_cannot_be_changed_is_what_update_does_not_have() -> None:
    create = MODEL.operation_model("CreateConnector").input_shape.members
    update = MODEL.operation_model("UpdateConnector").input_shape.members
    assert set(create) - set(update) - {"connectorName", "tags"} == set(IMMUTABLE)


def test_no_difference() -> None:
    found, request = described(), intent().to_request()
    assert immutable_differences(request, found) == []
    assert config_changes(request["connectorConfiguration"], found) == []
    assert worker_setting_changes(request, found) == {}


def test_the_order_of_subnets_and_what_the_service_adds_make_no_difference() -> None:
    vpc = {"subnets": ["subnet-b", "subnet-a"], "securityGroups": ["sg-1"]}
    cluster = {"apacheKafkaCluster": {"bootstrapServers": "b:9098", "vpc": vpc}}
    logs = {"workerLogDelivery": {"cloudWatchLogs": {"enabled": True, "logGroup": "/ferry"}, "s3": {"enabled": False}}}
    found = described(kafkaCluster=cluster, logDelivery=logs)
    assert immutable_differences(intent().to_request(), found) == []


def test_what_only_a_new_connector_could_have() -> None:
    (line,) = immutable_differences(intent(kafka_connect_version="2.7.1").to_request(), described())
    assert line == "kafkaConnectVersion is 3.7.x, not 2.7.1"


def test_changes_of_the_workers() -> None:
    changed = intent(capacity=AutoScaled(), plugin=Revision("arn:plugin", 2)).to_request()
    assert worker_setting_changes(changed, described()) == {
        "capacity": AutoScaled().to_request(),
        "plugins": [{"customPlugin": {"customPluginArn": "arn:plugin", "revision": 2}}],
    }


def test_changes_of_the_config_without_secrets() -> None:
    desired = {"connector.class": "a.B", "tasks.max": 3, "database.password": "other"}
    assert config_changes(desired, described()) == ["~ database.password: *** -> ***", "~ tasks.max: 2 -> 3"]


def test_no_secret_in_a_repr() -> None:
    assert "hunter2" not in repr(intent())
    assert "hunter2" not in repr(described())


def test_what_a_description_tells() -> None:
    found = described(connectorState="FAILED", stateDescription={"code": "Invalid", "message": "no such class"})
    assert (found.state.is_failure, found.reason, found.log_group) == (True, "Invalid: no such class", "/ferry")
    assert (found.arn, found.version, found.name) == (ARN, "K1", "orders")
    off = {"workerLogDelivery": {"cloudWatchLogs": {"enabled": False, "logGroup": "/ferry"}}}
    assert described(logDelivery=off).log_group is None


def test_debezium_for_mysql_is_not_autoscaled() -> None:
    with pytest.raises(BadParam, match="always has one task"):
        intent(config={"connector.class": "io.debezium.connector.mysql.MySqlConnector"}, capacity=AutoScaled())
