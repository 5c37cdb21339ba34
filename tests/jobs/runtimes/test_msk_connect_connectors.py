"""Connectors on MSK Connect as an engine wants them: what each state and fault becomes."""

from __future__ import annotations

from typing import Any

import pytest

import msk_lab
from kafka_ferry.core.changes import Action
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.capacity import Provisioned
from kafka_ferry.hooks.msk_connect.rules.errors import ConnectorFailed, OperationFailed, WaitTimedOut
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState
from kafka_ferry.jobs.runtimes.msk_connect_connectors import MskConnectors
from msk_lab import CLASS, request
from stack.msk.server import MskConnectDouble

NAME = "orders"
CONFIG = {"connector.class": CLASS, "tasks.max": "1", "topics": "a", "database.password": "hunter2"}


@pytest.fixture
def connectors(hook: MskConnectHook) -> MskConnectors:
    return MskConnectors(hook, 0, 10)


@pytest.fixture
def plugin(aws: MskConnectDouble) -> str:
    return msk_lab.active_plugin(aws)


def wanted(plugin: str, **changes: str) -> dict[str, Any]:
    return request(plugin, NAME, connectorConfiguration={**CONFIG, **changes})


def running(hook: MskConnectHook, plugin: str) -> str:
    arn = hook.create_connector(wanted(plugin))
    hook.wait("connector_running", 0, connectorArn=arn)
    return arn


def test_a_change_is_told_without_secrets(hook: MskConnectHook, connectors: MskConnectors, plugin: str) -> None:
    assert connectors.change(NAME, CONFIG, Provisioned()).action is Action.CREATE
    running(hook, plugin)
    assert connectors.change(NAME, CONFIG, Provisioned()).action is Action.NONE
    told = connectors.change(NAME, {**CONFIG, "topics": "a,b", "database.password": "hunter3"}, Provisioned(2))
    assert told.action is Action.UPDATE
    assert "topics" in told.detail
    assert "capacity" in told.detail
    assert "hunter" not in told.detail


def test_an_equal_connector_is_asked_for_nothing_also_while_it_is_made(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str
) -> None:
    aws.faults.plan({"never_runs": True})
    arn = hook.create_connector(wanted(plugin))
    connectors.update(arn, wanted(plugin))
    assert aws.account.connectors[arn].state == "CREATING"
    assert "UpdateConnector" not in aws.requests


def test_config_and_capacity_are_two_operations(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str
) -> None:
    arn = running(hook, plugin)
    more = wanted(plugin, topics="a,b") | {"capacity": Provisioned(2).to_request()}
    connectors.update(arn, more)
    assert hook.connector(arn).config["topics"] == "a,b"
    assert aws.requests.count("UpdateConnector") == 2


def test_one_that_was_paused_runs_again(hook: MskConnectHook, connectors: MskConnectors, plugin: str) -> None:
    arn = running(hook, plugin)
    hook.wait("operation_complete", 0, connectorOperationArn=str(hook.pause(arn)))
    connectors.update(arn, wanted(plugin))
    assert hook.connector(arn).state is ConnectorState.RUNNING


def test_an_operation_of_a_try_that_was_killed_is_awaited_first(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str
) -> None:
    arn = running(hook, plugin)
    assert hook.next_update(arn, wanted(plugin, topics="a,b"))
    connectors.update(arn, wanted(plugin, topics="a,b,c"))
    assert hook.connector(arn).config["topics"] == "a,b,c"


def test_how_it_ended_is_no_matter(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str
) -> None:
    arn = running(hook, plugin)
    aws.faults.plan({"operations": [{"state": "ROLLBACK_COMPLETE", "code": "Unhealthy", "message": "of before"}]})
    assert hook.next_update(arn, wanted(plugin, topics="a,b"))
    connectors.update(arn, wanted(plugin, topics="a,b"))
    assert hook.connector(arn).config["topics"] == "a,b"


@pytest.mark.parametrize("ended", ["ROLLBACK_COMPLETE", "UPDATE_FAILED"])
def test_an_update_that_did_not_last_is_a_failure(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str, ended: str
) -> None:
    arn = running(hook, plugin)
    aws.faults.plan({"operations": [{"state": ended, "code": "Unhealthy", "message": "2 tasks failed"}]})
    with pytest.raises(OperationFailed, match="2 tasks failed"):
        connectors.update(arn, wanted(plugin, topics="a,b"))


def test_one_that_failed_is_cleared_away_and_one_that_runs_is_not(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str
) -> None:
    connectors.clear_away(NAME)  # there is none
    aws.faults.plan({"connectors": [{"code": "X", "message": "no network"}]})
    arn = hook.create_connector(wanted(plugin))
    with pytest.raises(ConnectorFailed, match="no network"):
        hook.wait("connector_running", 0, connectorArn=arn)
    assert "FAILED" in connectors.change(NAME, CONFIG, Provisioned()).detail
    connectors.clear_away(NAME)
    assert hook.find_connector(NAME) is None
    arn = running(hook, plugin)
    connectors.clear_away(NAME)
    assert hook.connector(arn).state is ConnectorState.RUNNING


def test_one_that_never_runs_is_not_waited_for_for_ever(
    hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors, plugin: str
) -> None:
    aws.faults.plan({"never_runs": True})
    arn = hook.create_connector(wanted(plugin))
    with pytest.raises(WaitTimedOut, match="CREATING"):
        connectors.update(arn, wanted(plugin, topics="a,b"))


def test_a_pause_is_waited_for_and_may_be_repeated(
    hook: MskConnectHook, connectors: MskConnectors, plugin: str
) -> None:
    arn = running(hook, plugin)
    for act, state in ((connectors.pause, ConnectorState.PAUSED), (connectors.resume, ConnectorState.RUNNING)):
        act(arn)
        act(arn)
        assert hook.connector(arn).state is state


def test_all_are_deleted_and_awaited(hook: MskConnectHook, aws: MskConnectDouble, connectors: MskConnectors,
                                     plugin: str) -> None:  # fmt: skip
    found = hook.connector(running(hook, plugin))
    assert connectors.delete([found]) == [NAME]
    assert aws.account.connectors == {}
    assert connectors.delete([]) == []
