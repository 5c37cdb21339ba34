"""The Connect operators: one hook call each, right retries, no secret in what Airflow stores."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import create_autospec

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from kafka_ferry.core.config_diff import Change, ChangeKind
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.connect.hook import ConnectBusy, ConnectHook, InvalidConnectorConfig
from kafka_ferry.operators.connect import (
    AlterConnectorOffsetsOperator,
    ApplyConnectorOperator,
    ConnectOperator,
    DeleteConnectorOperator,
    PauseConnectorOperator,
    ResetConnectorOffsetsOperator,
    RestartConnectorOperator,
    ResumeConnectorOperator,
    StopConnectorOperator,
)

JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="{}";'
CONFIG = {
    "connector.class": "MirrorSourceConnector",
    "topics": "{{ var_topics }}",
    "source.cluster.sasl.jaas.config": JAAS.format("hunter2"),
    "database.password": "pw",  # too short for Airflow's own masker
    "ssl.keystore.key": "-----BEGIN PRIVATE KEY-----\nMIIEhunter2\n-----END PRIVATE KEY-----",
}


def with_hook(operator: ConnectOperator) -> tuple[Any, Any]:
    hook = create_autospec(ConnectHook, instance=True)
    hook.apply.return_value = [Change(ChangeKind.UPDATE, "tasks.max", "1", "2")]
    hook.delete.return_value = True
    operator.__dict__["hook"] = hook
    return operator, hook


OFFSETS = [{"partition": {"topic": "t"}, "offset": {"offset": 1}}]


@pytest.mark.parametrize(
    ("operator", "method", "args", "kwargs"),
    [
        (DeleteConnectorOperator(task_id="t", connector="c"), "delete", ("c",), {"reset_offsets": False}),
        (
            DeleteConnectorOperator(task_id="t", connector="c", reset_offsets=True),
            "delete",
            ("c",),
            {"reset_offsets": True},
        ),
        (PauseConnectorOperator(task_id="t", connector="c"), "pause", ("c",), {}),
        (ResumeConnectorOperator(task_id="t", connector="c"), "resume", ("c",), {}),
        (StopConnectorOperator(task_id="t", connector="c"), "stop", ("c",), {}),
        (
            RestartConnectorOperator(task_id="t", connector="c", only_failed=True),
            "restart",
            ("c",),
            {"include_tasks": True, "only_failed": True},
        ),
        (
            AlterConnectorOffsetsOperator(task_id="t", connector="c", offsets=OFFSETS),
            "alter_offsets",
            ("c", OFFSETS),
            {},
        ),
        (ResetConnectorOffsetsOperator(task_id="t", connector="c"), "reset_offsets", ("c",), {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ConnectOperator) else None,
)
def test_one_call(operator: ConnectOperator, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    operator, hook = with_hook(operator)
    operator.execute({})
    getattr(hook, method).assert_called_once_with(*args, **kwargs)
    assert len(hook.method_calls) == 1


def test_apply_adds_client_settings_and_returns_changes() -> None:
    operator, hook = with_hook(
        ApplyConnectorOperator(
            task_id="t", connector="c", config={"a": "1"}, client_settings={"source.cluster.": "kafka_source"}
        )
    )
    hook.client_settings.return_value = {"source.cluster.bootstrap.servers": "a:1"}
    assert operator.execute({}) == {"connector": "c", "changes": ["~ tasks.max: 1 -> 2"]}
    hook.client_settings.assert_called_once_with("kafka_source", "source.cluster.")
    hook.apply.assert_called_once_with("c", {"a": "1", "source.cluster.bootstrap.servers": "a:1"})


def test_a_passing_fault_is_left_to_airflows_retries() -> None:
    operator, hook = with_hook(PauseConnectorOperator(task_id="t", connector="c"))
    hook.pause.side_effect = ConnectBusy("PUT", "/x", 409, "stale")
    with pytest.raises(ConnectBusy):
        operator.execute({})


@pytest.mark.parametrize(
    "fault", [InvalidConnectorConfig("PUT", "/x", 400, "tasks.max: not a number"), BadConnection("no")]
)
def test_any_other_ends_the_task(fault: Exception) -> None:
    operator, hook = with_hook(ApplyConnectorOperator(task_id="t", connector="c", config={}))
    hook.apply.side_effect = fault
    with pytest.raises(AirflowFailException) as ended:
        operator.execute({})
    assert str(ended.value) == str(fault)
    assert ended.value.__cause__ is fault


def test_the_hook_uses_the_connection() -> None:
    operator = PauseConnectorOperator(task_id="t", connector="c", connect_conn_id="other")
    assert operator.hook.connect_conn_id == "other"
    assert PauseConnectorOperator(task_id="t", connector="c").connect_conn_id == "kafka_connect"


def test_stored_fields_show_no_secret_but_the_worker_gets_it() -> None:
    with DAG("d", schedule=None):
        operator, hook = with_hook(ApplyConnectorOperator(task_id="t", connector="c-{{ x }}", config=CONFIG))
    operator.render_template_fields({"x": "1", "var_topics": "a,b"})
    stored = json.dumps(_serialize_rendered_fields(operator))
    assert '"a,b"' in stored
    assert "c-1" in stored
    assert "hunter2" not in stored
    assert '"pw"' not in stored
    operator.execute({})
    assert hook.apply.call_args.args == ("c-1", {**CONFIG, "topics": "a,b"})
    operator.render_template_fields({"x": "1", "var_topics": "c"})
    operator.execute({})
    assert hook.apply.call_args.args == ("c-1", {**CONFIG, "topics": "c"})


def test_mapped_tasks_show_no_secret_either() -> None:
    with DAG("d", schedule=None):
        mapped = ApplyConnectorOperator.partial(task_id="t", config=CONFIG).expand(connector=["c1", "c2"])
    operator = mapped.unmap({"connector": "c2"})
    # What MappedOperator.render_template_fields does with an expanded task.
    operator._do_render_template_fields(
        operator, mapped.template_fields, {"var_topics": "a"}, operator.get_template_env(), set()
    )
    assert "hunter2" not in json.dumps(_serialize_rendered_fields(operator))
    operator, hook = with_hook(operator)
    operator.execute({})
    assert hook.apply.call_args.args[1]["database.password"] == "pw"
