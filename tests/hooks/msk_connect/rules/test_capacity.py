from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.capacity import AutoScaled, Capacity, Provisioned, capacity_from, check_fits

MODEL = botocore.session.get_session().get_service_model("kafkaconnect")


@pytest.mark.parametrize(
    "capacity", [Provisioned(), Provisioned(10, 8), AutoScaled(), AutoScaled(1, 10, 4, 5, 95, max_tasks=40)]
)
@pytest.mark.parametrize("shape", ["Capacity", "CapacityUpdate"])
def test_what_is_sent_fits_create_and_update_and_comes_back(capacity: Capacity, shape: str) -> None:
    request = capacity.to_request()
    assert not ParamValidator().validate(request, MODEL.shape_for(shape)).has_errors()
    assert capacity_from(request) == capacity


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"mcus": 3}, "mcuCount 3"),
        ({"max_workers": 11}, "maxWorkerCount 11"),
        ({"min_workers": 0}, "minWorkerCount 0"),
        ({"min_workers": 3}, "more than maxWorkerCount"),
        ({"scale_in_percent": 0}, "scaleInPolicy"),
        ({"scale_out_percent": 101}, "scaleOutPolicy"),
        ({"max_tasks": 1}, "maxAutoscalingTaskCount 1"),
    ],
)
def test_beyond_the_limits(arguments: dict[str, int], word: str) -> None:
    with pytest.raises(BadParam, match=word):
        AutoScaled(**arguments)


def test_too_many_workers() -> None:
    with pytest.raises(BadParam, match="workerCount 11"):
        Provisioned(workers=11)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}, "autoScaling": {}},
        {"provisionedCapacity": {"mcuCount": 1}},
    ],
)
def test_not_one_whole_kind(request_: dict[str, Any]) -> None:
    with pytest.raises(BadParam, match="capacity"):
        capacity_from(request_)


def test_one_task_for_ever_is_not_autoscaled() -> None:
    name = "io.debezium.connector.mysql.MySqlConnector"
    with pytest.raises(BadParam, match="always has one task"):
        check_fits(name, AutoScaled())
    check_fits(name, Provisioned())
    check_fits("org.apache.kafka.connect.mirror.MirrorSourceConnector", AutoScaled())
