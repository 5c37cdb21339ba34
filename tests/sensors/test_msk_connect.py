from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred

import msk_lab
from kafka_ferry.exceptions import TransientError
from kafka_ferry.sensors.msk_connect import MskConnectConnectorOperationSensor, MskConnectConnectorStateSensor
from kafka_ferry.triggers.msk_connect import MskConnectWaiterTrigger
from msk_lab import request
from stack.msk.server import MskConnectDouble


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    with msk_lab.connected(monkeypatch) as running:
        yield running


@pytest.fixture
def arn(aws: MskConnectDouble) -> str:
    return str(msk_lab.client(aws).create_connector(**request(msk_lab.active_plugin(aws)))["connectorArn"])


def sensor(arn: str, state: str = "RUNNING", **changes: Any) -> MskConnectConnectorStateSensor:
    how = {"poke_interval": 0.01, "timeout": 30, "deferrable": False, **changes}
    return MskConnectConnectorStateSensor(task_id="s", connector_arn=arn, target_state=state, **how)


def event(one: TaskDeferred) -> dict[str, Any]:
    async def all_events() -> list[Any]:
        _, kwargs = one.trigger.serialize()
        return [found async for found in MskConnectWaiterTrigger(**json.loads(json.dumps(kwargs))).run()]

    (only,) = asyncio.run(all_events())
    return dict(only.payload)


def deferred(one: Any) -> None:
    with pytest.raises(TaskDeferred) as deferral:
        one.execute({})
    one.execute_complete({}, event(deferral.value))


def test_poke_until_running_then_deleted(aws: MskConnectDouble, arn: str) -> None:
    one = sensor(arn)
    assert [one.poke({}), one.poke({})] == [False, True]
    msk_lab.client(aws).delete_connector(connectorArn=arn)
    gone = sensor(arn, "DELETED")
    assert [gone.poke({}), gone.poke({})] == [False, True]


def test_deferred(arn: str) -> None:
    deferred(sensor(arn, deferrable=True))


def test_a_failed_connector_ends_the_wait_with_words_and_log(aws: MskConnectDouble, arn: str) -> None:
    aws.account.connectors[arn].fault = {"code": "Boom", "message": "planned"}
    one = sensor(arn)
    with pytest.raises(AirflowFailException, match="FAILED: Boom: planned") as failure:
        one.execute({})
    assert "[worker] start" in str(failure.value)
    with pytest.raises(AirflowFailException, match="Boom"):
        sensor(arn, deferrable=True).execute({})


def test_a_timeout_names_the_last_state(aws: MskConnectDouble, arn: str) -> None:
    aws.faults.plan({"never_runs": True})
    with pytest.raises(AirflowSensorTimeout, match="CREATING"):
        sensor(arn, timeout=0.05).execute({})
    with pytest.raises(AirflowSensorTimeout, match="CREATING"):
        deferred(sensor(arn, timeout=0.05, deferrable=True))


def test_an_operation_that_was_rolled_back(aws: MskConnectDouble, arn: str) -> None:
    assert sensor(arn).execute({}) is None
    aws.faults.plan({"operations": [{"state": "ROLLBACK_COMPLETE", "code": "Unhealthy", "message": "x"}]})
    kafkaconnect = msk_lab.client(aws)
    version = kafkaconnect.describe_connector(connectorArn=arn)["currentVersion"]
    config = {"connector.class": msk_lab.CLASS, "tasks.max": "2"}
    answer = kafkaconnect.update_connector(connectorArn=arn, currentVersion=version, connectorConfiguration=config)
    one = MskConnectConnectorOperationSensor(
        task_id="o", connector_operation_arn=answer["connectorOperationArn"], poke_interval=0.01, deferrable=True
    )
    with pytest.raises(AirflowFailException, match="ROLLBACK_COMPLETE: Unhealthy"):
        deferred(one)
    assert sensor(arn).poke({})  # the connector's state says nothing of it


def test_what_cannot_be_waited_for(arn: str) -> None:
    with pytest.raises(AirflowFailException, match="is not a state to wait for"):
        sensor(arn, "UPDATING").poke({})
    with pytest.raises(TransientError, match="no event"):
        sensor(arn).execute_complete({}, None)


def test_a_trigger_that_breaks_says_so(aws: MskConnectDouble) -> None:
    trigger = MskConnectWaiterTrigger(waiter_name="no_such", waiter_args={}, end_time=0, waiter_delay=0)

    async def all_events() -> list[Any]:
        return [found async for found in trigger.run()]

    (only,) = asyncio.run(all_events())
    assert only.payload["status"] == "broken"
