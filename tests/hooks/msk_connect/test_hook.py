"""The hook against the double: create or adopt, compare, update, and what each failure becomes."""

from __future__ import annotations

from typing import Any

import pytest

import msk_lab
from kafka_ferry.exceptions import BadParam, NotAuthorized
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.cluster import ConnectorCluster
from kafka_ferry.hooks.msk_connect.rules.connector import Update
from kafka_ferry.hooks.msk_connect.rules.errors import (
    ConnectorFailed,
    DifferentResource,
    MskConnectUnavailable,
    NameTaken,
    NotSupported,
    OperationFailed,
    ResourceNotFound,
    StaleVersion,
    WaitTimedOut,
)
from msk_lab import CLASS, request
from stack.msk.cluster import ARN as CLUSTER
from stack.msk.server import MskConnectDouble


@pytest.fixture
def plugin(aws: MskConnectDouble) -> str:
    return msk_lab.active_plugin(aws)


def running(hook: MskConnectHook, plugin: str, **changes: Any) -> str:
    arn = hook.create_connector(request(plugin, **changes))
    hook.wait("connector_running", 0, connectorArn=arn)
    return arn


def update(hook: MskConnectHook, arn: str, wanted: dict[str, Any]) -> list[Update]:
    """All updates, each awaited."""
    kinds = []
    while step := hook.next_update(arn, wanted):
        kinds.append(step[0])
        hook.wait("operation_complete", 0, connectorOperationArn=step[1])
    return kinds


def test_create_then_adopt_then_delete_twice(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    arn = running(hook, plugin)
    assert hook.create_connector(request(plugin)) == arn
    assert aws.requests.count("CreateConnector") == 1
    assert hook.delete_connector(arn) is True
    assert hook.delete_connector(arn) is True  # DELETING
    hook.wait("connector_deleted", 0, connectorArn=arn)
    assert hook.delete_connector(arn) is False
    assert aws.requests.count("DeleteConnector") == 1


def test_a_connector_being_deleted_is_awaited_before_its_name_is_used_again(hook: MskConnectHook, plugin: str) -> None:
    arn = running(hook, plugin)
    hook.delete_connector(arn)
    assert running(hook, plugin) != arn


def test_a_name_that_only_begins_alike_is_another(hook: MskConnectHook, plugin: str) -> None:
    running(hook, plugin, connectorName="orders-2")
    assert hook.find_connector("orders") is None
    assert hook.find_connector("orders-2") is not None


def test_create_that_was_made_although_its_answer_was_lost(hook: MskConnectHook, plugin: str) -> None:
    """409: found by name, compared, adopted."""
    arn = hook.create_connector(request(plugin))
    blind = MskConnectHook()
    looks = iter([None, hook.connector(arn)])
    blind.find_connector = lambda name: next(looks)  # type: ignore[method-assign]
    assert blind.create_connector(request(plugin)) == arn


def test_a_name_that_is_taken_by_what_cannot_be_seen(
    hook: MskConnectHook, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.create_connector(request(plugin))
    monkeypatch.setattr(hook, "find_connector", lambda name: None)
    with pytest.raises(NameTaken, match="already exists"):
        hook.create_connector(request(plugin))


def test_what_cannot_be_changed_is_not_adopted(hook: MskConnectHook, plugin: str) -> None:
    arn = running(hook, plugin)
    for call in (
        lambda: hook.create_connector(request(plugin, kafkaConnectVersion="2.7.1")),
        lambda: hook.next_update(arn, request(plugin, kafkaConnectVersion="2.7.1")),
    ):
        with pytest.raises(DifferentResource, match=r"kafkaConnectVersion is 3\.7\.x, not 2\.7\.1"):
            call()


def test_a_failed_connector_shows_the_services_words_and_the_log(
    hook: MskConnectHook, aws: MskConnectDouble, plugin: str
) -> None:
    arn = hook.create_connector(request(plugin, connectorConfiguration={"connector.class": "no.Such"}))
    with pytest.raises(ConnectorFailed, match=r"InvalidConnectorConfiguration.*which name matches no\.Such"):
        hook.wait("connector_running", 0, connectorArn=arn)
    with pytest.raises(ConnectorFailed) as failure:
        hook.create_connector(request(plugin))
    assert "Fix: delete it" in str(failure.value)
    assert "[worker] start" in str(failure.value)


def test_a_failed_connector_is_replaced_when_asked(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    aws.faults.plan({"connectors": [{"code": "Boom", "message": "planned"}]})
    arn = hook.create_connector(request(plugin))
    with pytest.raises(ConnectorFailed, match="Boom: planned"):
        hook.wait("connector_running", 0, connectorArn=arn)
    again = hook.create_connector(request(plugin), replace_failed=True)
    assert again != arn
    hook.wait("connector_running", 0, connectorArn=again)


def test_a_connector_that_never_runs_times_out(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    aws.faults.plan({"never_runs": True})
    arn = hook.create_connector(request(plugin))
    with pytest.raises(WaitTimedOut, match="connector orders is CREATING") as failure:
        hook.wait("connector_running", 0, 3, connectorArn=arn)
    assert failure.value.retriable


def test_log_lines_hide_the_secrets_of_the_config(
    hook: MskConnectHook, aws: MskConnectDouble, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = running(hook, plugin)
    aws.account.runtime._note("connecting with hunter2", arn)  # type: ignore[attr-defined]
    assert hook.log_tail(hook.connector(arn))[-1] == "[worker] connecting with ***"


def test_a_log_that_cannot_be_read_hides_nothing(hook: MskConnectHook, plugin: str) -> None:
    none = running(hook, plugin, logDelivery={"workerLogDelivery": {"cloudWatchLogs": {"enabled": False}}})
    assert hook.explained(none, "why") == "why\n    (the connector has no log delivery to CloudWatch)"
    assert hook.explained(none + "x", "why") == "why"


# -- updates -----------------------------------------------------------------------------------------------------------


def test_nothing_to_update_sends_nothing(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    arn = running(hook, plugin)
    assert hook.next_update(arn, request(plugin)) is None
    assert "UpdateConnector" not in aws.requests
    hook.confirm(arn, request(plugin))


def test_workers_and_config_are_two_updates_with_the_version_read_between(
    hook: MskConnectHook, aws: MskConnectDouble, plugin: str
) -> None:
    arn = running(hook, plugin)
    config = {"connector.class": CLASS, "tasks.max": 4}
    capacity = {"provisionedCapacity": {"mcuCount": 2, "workerCount": 2}}
    wanted = request(plugin, connectorConfiguration=config, capacity=capacity)
    assert hook.changes(arn, wanted) == ["- database.password = ***", "~ tasks.max: 1 -> 4", "~ capacity"]
    assert update(hook, arn, wanted) == [Update.WORKER_SETTING, Update.CONFIGURATION]
    hook.confirm(arn, wanted)
    found = hook.connector(arn)
    assert found.config == {"connector.class": CLASS, "tasks.max": "4"}
    assert found.description["capacity"] == capacity


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_FAILED"])
def test_an_update_that_did_not_last_is_a_failure_although_the_connector_runs(
    hook: MskConnectHook, aws: MskConnectDouble, plugin: str, state: str
) -> None:
    arn = running(hook, plugin)
    aws.faults.plan({"operations": [{"state": state, "code": "Unhealthy", "message": "2 tasks failed"}]})
    wanted = request(plugin, connectorConfiguration={"connector.class": CLASS, "tasks.max": "4"})
    step = hook.next_update(arn, wanted)
    assert step is not None
    with pytest.raises(OperationFailed) as failure:
        hook.wait("operation_complete", 0, connectorOperationArn=step[1])
    assert f"is {state}: Unhealthy: 2 tasks failed" in str(failure.value)
    assert "VALIDATE_UPDATE FAILED" in str(failure.value)
    assert hook.connector(arn).state == "RUNNING"
    with pytest.raises(OperationFailed, match="the connector differs"):
        hook.confirm(arn, wanted)


def test_a_stale_version_is_read_again(
    hook: MskConnectHook, aws: MskConnectDouble, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = running(hook, plugin)
    stale = {"operation": "UpdateConnector", "code": "BadRequestException", "message": "currentVersion does not match"}
    aws.faults.plan({"errors": [{**stale, "times": 2}]})
    wanted = request(plugin, connectorConfiguration={"connector.class": CLASS, "tasks.max": "4"})
    assert update(hook, arn, wanted) == [Update.CONFIGURATION]
    assert aws.requests.count("UpdateConnector") == 3
    aws.faults.plan({"errors": [{**stale, "times": 3}]})
    with pytest.raises(StaleVersion) as failure:
        hook.next_update(arn, request(plugin))
    assert failure.value.retriable


def test_a_paused_connector_is_updated_without_the_health_check(hook: MskConnectHook, plugin: str) -> None:
    arn = running(hook, plugin)
    operation = hook.pause(arn)
    assert operation is not None
    hook.wait("operation_complete", 0, connectorOperationArn=operation)
    assert hook.pause(arn) is None
    wanted = request(plugin, connectorConfiguration={"connector.class": CLASS, "tasks.max": "4"})
    assert update(hook, arn, wanted) == [Update.CONFIGURATION]
    assert hook.connector(arn).state == "PAUSED"


def test_pause_resume_restart(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    arn = running(hook, plugin)
    assert hook.resume(arn) is None
    first = hook.pause(arn)
    assert hook.pause(arn) == first == hook.running_operation(arn)  # a second try finds the operation of the first
    for operation in (first, None, hook.restart):
        if callable(operation):
            operation = operation(arn, only_failed_tasks=True)
        elif operation is None:
            operation = hook.resume(arn)
        assert operation is not None
        hook.wait("operation_complete", 0, connectorOperationArn=operation)
    assert hook.running_operation(arn) is None
    assert "restart only_failed_tasks=True" in [call for call, _ in aws.account.runtime.calls]  # type: ignore[attr-defined]


def test_what_the_installed_boto3_does_not_have(hook: MskConnectHook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "supports", lambda operation: False)
    with pytest.raises(NotSupported, match=r"since 1\.43\.118"):
        hook.call("pause_connector", connectorArn="x")


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TooManyRequestsException", MskConnectUnavailable),
        ("ServiceUnavailableException", MskConnectUnavailable),
        ("InternalServerErrorException", MskConnectUnavailable),
        ("ForbiddenException", NotAuthorized),
        ("UnauthorizedException", NotAuthorized),
        ("NotFoundException", ResourceNotFound),
    ],
)
def test_errors_of_the_model(hook: MskConnectHook, aws: MskConnectDouble, code: str, kind: type[Exception]) -> None:
    aws.faults.plan({"errors": [{"operation": "ListConnectors", "code": code, "message": "said so"}]})
    with pytest.raises(kind, match=f"{code}: said so") as failure:
        hook.find_connector("orders")
    assert failure.value.retriable is (kind is MskConnectUnavailable)  # type: ignore[attr-defined]


def test_429_names_the_quotas(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    aws.faults.plan({"errors": [{"operation": "CreateConnector", "code": "TooManyRequestsException"}]})
    with pytest.raises(MskConnectUnavailable, match="60 workers"):
        hook.create_connector(request(plugin))
    running(hook, plugin)  # the next try of the task


def test_a_throttled_look_only_delays_the_wait(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    arn = hook.create_connector(request(plugin))
    for code in ("TooManyRequestsException", "ServiceUnavailableException"):
        aws.faults.plan({"errors": [{"operation": "DescribeConnector", "code": code}]})
    hook.wait("connector_running", 0, connectorArn=arn)


def test_a_look_without_the_right_ends_the_wait(hook: MskConnectHook, aws: MskConnectDouble, plugin: str) -> None:
    arn = hook.create_connector(request(plugin))
    aws.faults.plan({"errors": [{"operation": "DescribeConnector", "code": "ForbiddenException"}]})
    with pytest.raises(NotAuthorized):
        hook.wait("connector_running", 0, connectorArn=arn)


def test_a_connector_deleted_while_it_is_waited_for(hook: MskConnectHook) -> None:
    with pytest.raises(ConnectorFailed, match="NotFoundException"):
        hook.wait("connector_running", 0, connectorArn="arn:none")


def test_nobody_answers(aws: MskConnectDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", msk_lab.connection(aws).replace(aws.url, "http://127.0.0.1:9"))
    with pytest.raises(MskConnectUnavailable, match="list_connectors") as failure:
        MskConnectHook().find_connector("orders")
    assert failure.value.retriable


@pytest.mark.parametrize("config", [{"tasks.max": 5, "database.password": "hunter2"}, {"database.password": "hunter2"}])
def test_no_secret_in_an_error(
    hook: MskConnectHook, aws: MskConnectDouble, plugin: str, config: dict[Any, Any]
) -> None:
    refusal = {"operation": "CreateConnector", "code": "BadRequestException", "message": "Invalid: hunter2"}
    aws.faults.plan({"errors": [refusal]})
    with pytest.raises(Exception, match="create_connector") as failure:
        hook.call("create_connector", **request(plugin, connectorConfiguration=config))
    assert "hunter2" not in str(failure.value)
    assert failure.value.__suppress_context__


def test_params_that_boto3_refuses(hook: MskConnectHook) -> None:
    with pytest.raises(BadParam, match="connectorArn"):
        hook.call("describe_connector")


def test_a_cluster_from_its_arn_alone(hook: MskConnectHook) -> None:
    cluster = hook.connector_cluster(CLUSTER)
    assert cluster == ConnectorCluster("b-1:9092,b-2:9092", ("subnet-0a", "subnet-0b"), ("sg-0",), "NONE", "PLAINTEXT")
    with pytest.raises(BadParam, match=r"param 'cluster_arn': no MSK cluster .*Fix: the ARN"):
        hook.connector_cluster(CLUSTER + "x")
