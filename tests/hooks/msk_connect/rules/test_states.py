from __future__ import annotations

import botocore.session
import pytest

from kafka_ferry.hooks.msk_connect.rules.states import (
    ConnectorState,
    Operation,
    OperationState,
    PluginState,
    WorkerConfigurationState,
    state_text,
)

MODEL = botocore.session.get_session().get_service_model("kafkaconnect")


@pytest.mark.parametrize(
    ("shape", "states"),
    [
        ("ConnectorState", ConnectorState),
        ("CustomPluginState", PluginState),
        ("WorkerConfigurationState", WorkerConfigurationState),
        ("ConnectorOperationState", OperationState),
    ],
)
def test_the_states_are_those_of_the_service_model(shape: str, states: type) -> None:
    assert set(MODEL.shape_for(shape).enum) == {state.value for state in states}


def test_a_completed_rollback_is_a_failure() -> None:
    failures = {state for state in OperationState if state.is_failure}
    assert failures == {
        "UPDATE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "PAUSE_FAILED", "RESUME_FAILED", "RESTART_FAILED",
    }  # fmt: skip
    assert {state for state in OperationState if state.is_success} == {
        "UPDATE_COMPLETE", "PAUSE_COMPLETE", "RESUME_COMPLETE", "RESTART_COMPLETE",
    }  # fmt: skip
    assert not any(state.is_terminal for state in OperationState if state.endswith(("_IN_PROGRESS", "PENDING")))


def test_terminal_states() -> None:
    assert {state for state in ConnectorState if state.is_terminal} == {"RUNNING", "PAUSED", "FAILED"}
    assert [state for state in ConnectorState if state.is_failure] == ["FAILED"]
    assert {state for state in PluginState if state.is_terminal} == {"ACTIVE", "CREATE_FAILED", "UPDATE_FAILED"}
    assert {state for state in PluginState if state.is_failure} == {"CREATE_FAILED", "UPDATE_FAILED"}


def test_an_operation_shows_its_error_and_steps_but_no_config() -> None:
    found = {
        "connectorOperationArn": "arn",
        "connectorOperationType": "UPDATE_CONNECTOR_CONFIGURATION",
        "connectorOperationState": "ROLLBACK_COMPLETE",
        "operationSteps": [{"stepType": "VALIDATE_UPDATE", "stepState": "FAILED"}],
        "errorInfo": {"code": "UnhealthyConnector", "message": "tasks failed"},
        "targetConnectorConfiguration": {"database.password": "hunter2"},
    }
    operation = Operation.from_description(found)
    shown = "UPDATE_CONNECTOR_CONFIGURATION is ROLLBACK_COMPLETE: UnhealthyConnector: tasks failed"
    assert str(operation) == f"{shown} [VALIDATE_UPDATE FAILED]"
    assert "hunter2" not in repr(operation)


def test_words_of_the_service_are_shown_without_secrets() -> None:
    assert state_text({"code": "X", "message": "jdbc://u:hunter2@db failed"}) == "X: jdbc://***@db failed"
    assert state_text(None) == state_text({}) == ""
