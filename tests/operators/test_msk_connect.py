"""The operators against the double: what they return, what they retry, what they fail with, and what a clear does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from airflow.sdk.exceptions import AirflowFailException

import msk_lab
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.errors import MskConnectUnavailable, StaleVersion, WaitTimedOut
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import BYTES_AS_THEY_ARE
from kafka_ferry.operators.msk_connect import (
    MskConnectCreateConnectorOperator,
    MskConnectCreateCustomPluginOperator,
    MskConnectCreateWorkerConfigurationOperator,
    MskConnectDeleteConnectorOperator,
    MskConnectDeleteCustomPluginOperator,
    MskConnectDeleteWorkerConfigurationOperator,
    MskConnectPauseConnectorOperator,
    MskConnectRestartConnectorOperator,
    MskConnectResumeConnectorOperator,
    MskConnectUpdateConnectorOperator,
)
from msk_lab import BUCKET, CLASS, ROLE, run_deferred
from stack.msk.cluster import ARN as CLUSTER
from stack.msk.server import MskConnectDouble

FAST = {"waiter_delay": 0.0, "waiter_max_attempts": 10}
ONE = {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}}
CONFIG = {"connector.class": CLASS, "tasks.max": 1, "database.password": "hunter2"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    monkeypatch.setattr(MskConnectHook, "deletion_delay", 0.0)
    with msk_lab.connected(monkeypatch) as running:
        yield running


@pytest.fixture
def plugin(aws: MskConnectDouble) -> str:
    return msk_lab.active_plugin(aws)


def create(plugin: str, **changes: Any) -> MskConnectCreateConnectorOperator:
    arguments: dict[str, Any] = {
        "connector_name": "orders",
        "connector_configuration": CONFIG,
        "capacity": ONE,
        "custom_plugin_arn": plugin,
        "service_execution_role_arn": ROLE,
        "cluster_arn": CLUSTER,
        "log_group": "/ferry",
        **FAST,
    }
    return MskConnectCreateConnectorOperator(task_id="connector", **{**arguments, **changes})


def update(arn: str, **changes: Any) -> MskConnectUpdateConnectorOperator:
    return MskConnectUpdateConnectorOperator(task_id="update", connector_arn=arn, **{**FAST, **changes})


def state(aws: MskConnectDouble, arn: str) -> str:
    return aws.account.connectors[arn].state


def run(operator: Any) -> Any:
    return operator.execute({})


HERE_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True])


# -- creating ----------------------------------------------------------------------------------------------------------


@HERE_AND_DEFERRED
def test_a_whole_life_twice_leaves_nothing(aws: MskConnectDouble, tmp_path: Path, deferrable: bool) -> None:
    (tmp_path / "orders.jar").write_bytes(msk_lab.jar(CLASS))
    how = {**FAST, "deferrable": deferrable}
    for _ in range(2):
        plugin = run_deferred(
            MskConnectCreateCustomPluginOperator(
                task_id="plugin", name="orders", bucket=BUCKET, key="plugins", folder=str(tmp_path), **how
            )
        )
        workers = run(
            MskConnectCreateWorkerConfigurationOperator(task_id="workers", name="bytes", properties=BYTES_AS_THEY_ARE)
        )
        for _ in range(2):  # a clear of the task alone
            arn = run_deferred(create(plugin, worker_configuration=workers, deferrable=deferrable))
        assert state(aws, arn) == "RUNNING"
        for _ in range(2):
            run_deferred(MskConnectDeleteConnectorOperator(task_id="delete", connector_arn=arn, **how))
            run_deferred(
                MskConnectDeleteWorkerConfigurationOperator(
                    task_id="d", worker_configuration_arn=workers["workerConfigurationArn"], **how
                )
            )
            run_deferred(MskConnectDeleteCustomPluginOperator(task_id="e", custom_plugin_arn=plugin, **how))
    account = aws.account
    assert not account.connectors and not account.plugins and not account.worker_configurations
    assert aws.requests.count("CreateConnector") == 2
    assert list(aws.stored) == [f"{BUCKET}/plugins/{plugin.split('/')[1]}.zip"]  # named by content: uploaded once


@HERE_AND_DEFERRED
def test_a_plugin_that_cannot_be_made(aws: MskConnectDouble, deferrable: bool) -> None:
    aws.faults.plan({"plugins": [{"code": "InvalidInput.Bad", "message": "planned"}]})
    msk_lab.store(aws)
    operator = MskConnectCreateCustomPluginOperator(
        task_id="plugin", name="orders", bucket=BUCKET, key="orders.zip", deferrable=deferrable, **FAST
    )
    with pytest.raises(AirflowFailException, match=r"CREATE_FAILED: InvalidInput\.Bad: planned"):
        run_deferred(operator)
    run_deferred(operator)  # cleared: recreated


@HERE_AND_DEFERRED
def test_a_connector_that_fails(aws: MskConnectDouble, plugin: str, deferrable: bool) -> None:
    operator = create(plugin, connector_configuration={"connector.class": "no.Such"}, deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="InvalidConnectorConfiguration") as failure:
        run_deferred(operator)
    assert "[worker] start" in str(failure.value)
    with pytest.raises(AirflowFailException, match="set replace_failed"):
        run_deferred(create(plugin, deferrable=deferrable))
    arn = run_deferred(create(plugin, replace_failed=True, deferrable=deferrable))
    assert state(aws, arn) == "RUNNING"


@HERE_AND_DEFERRED
def test_a_worker_that_never_runs(aws: MskConnectDouble, plugin: str, deferrable: bool) -> None:
    aws.faults.plan({"never_runs": True})
    with pytest.raises(WaitTimedOut, match="orders is CREATING"):
        run_deferred(create(plugin, waiter_delay=0.01, waiter_max_attempts=3, deferrable=deferrable))
    aws.faults.plan({"never_runs": False})
    arn = run_deferred(create(plugin, deferrable=deferrable))  # the retry finds it
    assert (state(aws, arn), aws.requests.count("CreateConnector")) == ("RUNNING", 1)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ServiceUnavailableException"])
def test_a_call_that_may_succeed_later_is_left_to_airflows_retries(
    aws: MskConnectDouble, plugin: str, code: str
) -> None:
    aws.faults.plan({"errors": [{"operation": "CreateConnector", "code": code}]})
    with pytest.raises(MskConnectUnavailable):
        run(create(plugin))
    run(create(plugin))


def test_a_call_that_cannot_succeed_is_not_tried_again(aws: MskConnectDouble, plugin: str) -> None:
    aws.faults.plan({"errors": [{"operation": "CreateConnector", "code": "ForbiddenException", "message": "no"}]})
    with pytest.raises(AirflowFailException, match="ForbiddenException"):
        run(create(plugin))


def test_409_on_create_is_looked_into(aws: MskConnectDouble, plugin: str) -> None:
    """The connector was made, its answer was lost, and the list did not show it yet."""
    arn = run(create(plugin, wait_for_completion=False))
    operator = create(plugin)
    real, blind = operator.hook.find_connector, [True]
    operator.hook.find_connector = lambda name: None if blind and blind.pop() else real(name)
    assert run(operator) == arn


def test_limits_are_found_out_before_any_call(aws: MskConnectDouble) -> None:
    debezium = {"connector.class": "io.debezium.connector.mysql.MySqlConnector"}
    scaled = {"autoScaling": {"mcuCount": 1, "minWorkerCount": 1, "maxWorkerCount": 2}}
    for changes in ({"capacity": {"provisionedCapacity": {"mcuCount": 3, "workerCount": 1}}},
                    {"capacity": scaled, "connector_configuration": debezium}):  # fmt: skip
        with pytest.raises(AirflowFailException, match="param 'capacity'"):
            run(create("arn:plugin", **changes))
    assert aws.requests == []


@HERE_AND_DEFERRED
def test_one_that_is_there_and_differs_is_updated(aws: MskConnectDouble, plugin: str, deferrable: bool) -> None:
    arn = run(create(plugin))
    wanted = {**CONFIG, "tasks.max": 7}
    two = {"provisionedCapacity": {"mcuCount": 1, "workerCount": 2}}
    changed = {"connector_configuration": wanted, "capacity": two, "deferrable": deferrable}
    assert run_deferred(create(plugin, **changed)) == arn
    assert aws.account.connectors[arn].request["connectorConfiguration"]["tasks.max"] == "7"
    assert aws.account.connectors[arn].request["capacity"] == two
    assert aws.requests.count("UpdateConnector") == 2
    with pytest.raises(AirflowFailException, match=r"tasks\.max: 7 -> 1"):
        run(create(plugin, update_existing=False))
    with pytest.raises(AirflowFailException, match="kafkaConnectVersion"):
        run(create(plugin, kafka_connect_version="2.7.1"))


# -- updating ----------------------------------------------------------------------------------------------------------


@HERE_AND_DEFERRED
@pytest.mark.parametrize("ended", ["ROLLBACK_COMPLETE", "UPDATE_FAILED"])
def test_an_update_that_did_not_last(aws: MskConnectDouble, plugin: str, ended: str, deferrable: bool) -> None:
    arn = run(create(plugin))
    aws.faults.plan({"operations": [{"state": ended, "code": "Unhealthy", "message": "tasks failed"}]})
    operator = update(arn, connector_configuration={**CONFIG, "tasks.max": 7}, deferrable=deferrable)
    with pytest.raises(AirflowFailException, match=f"{ended}: Unhealthy: tasks failed"):
        run_deferred(operator)
    assert state(aws, arn) == "RUNNING"  # what would have been taken for success
    run_deferred(operator)


def test_an_equal_update_sends_nothing(aws: MskConnectDouble, plugin: str) -> None:
    arn = run(create(plugin))
    run(update(arn, connector_configuration=CONFIG, capacity=ONE, custom_plugin_arn=plugin))
    assert "UpdateConnector" not in aws.requests


def test_a_version_that_somebody_else_changed(aws: MskConnectDouble, plugin: str) -> None:
    arn = run(create(plugin))
    stale = {"operation": "UpdateConnector", "code": "BadRequestException", "message": "currentVersion mismatch"}
    aws.faults.plan({"errors": [stale]})
    run(update(arn, connector_configuration={**CONFIG, "tasks.max": 7}))
    aws.faults.plan({"errors": [{**stale, "times": 9}]})
    with pytest.raises(StaleVersion):  # retried by Airflow
        run(update(arn, connector_configuration={**CONFIG, "tasks.max": 8}))


@HERE_AND_DEFERRED
def test_an_update_that_is_complete_and_is_not(
    aws: MskConnectDouble, plugin: str, monkeypatch: pytest.MonkeyPatch, deferrable: bool
) -> None:
    arn = run(create(plugin))
    stored = dict(aws.account.connectors[arn].request["connectorConfiguration"])
    real = MskConnectHook.call

    def call(self: MskConnectHook, operation: str, **params: Any) -> dict[str, Any]:
        answer = real(self, operation, **params)
        return {**answer, "connectorConfiguration": stored} if operation == "describe_connector" else answer

    monkeypatch.setattr(MskConnectHook, "call", call)
    with pytest.raises(AirflowFailException, match="COMPLETE, but the connector differs"):
        run_deferred(update(arn, connector_configuration={**CONFIG, "a": "b"}, deferrable=deferrable))


@HERE_AND_DEFERRED
def test_pause_resume_restart(aws: MskConnectDouble, plugin: str, deferrable: bool) -> None:
    arn = run(create(plugin))
    how = {"connector_arn": arn, "deferrable": deferrable, **FAST}
    for operator, expected in (
        (MskConnectPauseConnectorOperator(task_id="p", **how), "PAUSED"),
        (MskConnectPauseConnectorOperator(task_id="p2", **how), "PAUSED"),
        (MskConnectResumeConnectorOperator(task_id="r", **how), "RUNNING"),
        (MskConnectRestartConnectorOperator(task_id="s", only_failed_tasks=True, **how), "RUNNING"),
    ):
        assert run_deferred(operator) == arn
        assert state(aws, arn) == expected
    aws.faults.plan({"operations": [{"state": "PAUSE_FAILED", "message": "no"}]})
    with pytest.raises(AirflowFailException, match="PAUSE_FAILED"):
        run_deferred(MskConnectPauseConnectorOperator(task_id="p3", **how))


# -- the provider's conventions, and secrets ---------------------------------------------------------------------------


def test_secrets_are_masked_in_what_airflow_shows(aws: MskConnectDouble, plugin: str) -> None:
    operator = create(plugin, connector_configuration={**CONFIG, "tasks.max": "{{ n }}"})
    for _ in range(2):
        operator.render_template_fields({"n": 5}, jinja2.Environment(autoescape=True))
        assert operator.connector_configuration == {**CONFIG, "tasks.max": "5", "database.password": "***"}
    arn = run(operator)
    config = aws.account.connectors[arn].request["connectorConfiguration"]
    assert (config["database.password"], config["tasks.max"]) == ("hunter2", "5")


@pytest.mark.parametrize("name", ["aws_conn_id", "region_name", "verify"])
def test_conventions_of_the_provider(name: str) -> None:
    operator = create("arn", **{name: "x"}, botocore_config={"read_timeout": 7})
    assert getattr(operator, name) == "x"
    assert name in operator.template_fields
    assert operator.hook._config.read_timeout == 7
