"""The waiters are data: they say what the states of the service model mean, each of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.waiter import WaiterModel

from kafka_ferry.hooks.msk import client
from kafka_ferry.hooks.msk.rules.replicator import ReplicatorState
from kafka_ferry.hooks.msk_connect.rules.states import ConnectorState, OperationState, PluginState

SERVICES = ("kafka", "kafkaconnect")
FOLDER = Path(client.__file__).parent / "waiters"
FILES = {service: json.loads((FOLDER / f"{service}.json").read_text()) for service in SERVICES}
WAITERS = {name: waiter for file in FILES.values() for name, waiter in file["waiters"].items()}


def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def verdicts(waiter: str) -> dict[str, str]:
    return {one["expected"]: one["state"] for one in WAITERS[waiter]["acceptors"] if one["matcher"] == "path"}


@pytest.mark.parametrize("service", SERVICES)
def test_botocore_reads_them_and_they_ask_operations_there_are(service: str) -> None:
    names = WaiterModel(FILES[service]).waiter_names
    assert set(names) == set(FILES[service]["waiters"])
    asked = {waiter["operation"] for waiter in FILES[service]["waiters"].values()}
    assert asked <= set(model(service).operation_names)


@pytest.mark.parametrize(("service", "waiter"), [(one, name) for one in SERVICES for name in FILES[one]["waiters"]])
def test_expected_states_are_in_the_model(service: str, waiter: str) -> None:
    shape = model(service).operation_model(WAITERS[waiter]["operation"]).output_shape
    for acceptor in WAITERS[waiter]["acceptors"]:
        if acceptor["matcher"] == "path":
            assert acceptor["expected"] in shape.members[acceptor["argument"]].enum
    # "just over 20 minutes" until a connector with an unreachable cluster is FAILED (crossplane upjet-aws 1162).
    assert WAITERS[waiter]["delay"] * WAITERS[waiter]["maxAttempts"] >= 30 * 60


def test_states_and_waiters_agree() -> None:
    operation = verdicts("operation_complete")
    assert {state for state, verdict in operation.items() if verdict == "success"} == {
        state.value for state in OperationState if state.is_success
    }
    assert {state for state, verdict in operation.items() if verdict == "failure"} == {
        state.value for state in OperationState if state.is_failure
    }
    plugin = verdicts("custom_plugin_active")
    assert all(plugin[state] == "failure" for state in PluginState if state.is_failure)
    assert verdicts("connector_running")[ConnectorState.FAILED] == "failure"
    replicator = verdicts("replicator_running")
    assert {state for state, verdict in replicator.items() if verdict == "failure"} == {"FAILED", "DELETING"}
    assert {state for state in replicator if ReplicatorState(state).is_terminal} == {"RUNNING", "FAILED"}
