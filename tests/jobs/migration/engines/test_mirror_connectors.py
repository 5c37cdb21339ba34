"""What a worker says to our connectors, in the user's words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ValidationResult
from kafka_ferry.jobs.migration.engines.mirror_connectors import MirrorConnectors, refusal, selects_otherwise
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime

RENAME = "kafkaferry.connect.RenameReplicationPolicy"
KEY = "replication.policy.class"


def connectors(errors: dict[str, tuple[str, ...]]) -> MirrorConnectors:
    connect: Any = SimpleNamespace(validate=lambda config: ValidationResult("c", errors), find_config=lambda name: None)
    made = MirrorConnectors(
        SimpleNamespace(name="d.m"),  # type: ignore[arg-type]
        KafkaConnectRuntime(connect, refusal),
        lambda conn_id: {},
    )
    made.configs = {"c": {KEY: RENAME}}
    return made


def test_a_worker_without_our_class_is_told_by_the_param_and_the_cure() -> None:
    # In Connect's own words (4.3.1).
    text = f"Invalid value {RENAME} for configuration {KEY}: Class {RENAME} could not be found."
    with pytest.raises(BadParam, match="has no class kafkaferry") as caught:
        connectors({KEY: (text,)}).changes()
    assert caught.value.param == "naming"
    assert "kafka-ferry-connect-plugins.jar" in caught.value.fix


@pytest.mark.parametrize(
    "errors",
    [
        {KEY: ("Invalid value x.Y for configuration replication.policy.class: Class x.Y could not be found.",)},
        {"topics": (f"{RENAME} could not be found",)},
    ],
)
def test_other_refusals_are_passed_on(errors: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadParam, match="the worker refuses connector c") as caught:
        connectors(errors).changes()
    assert caught.value.param == "connect_conn_id"


def test_no_refusal_is_a_change() -> None:
    (change,) = connectors({}).changes()
    assert (change.kind, change.name) == ("connector", "c")


def test_only_another_selection_asks_where_to_go_on() -> None:
    config = {"connector.class": "x", "tasks.max": "1", "topics": "a"}
    assert not selects_otherwise({**config, "tasks.max": "7"}, config)
    assert selects_otherwise({**config, "topics": "a,b"}, config)
    assert selects_otherwise({**config, "topics.exclude": "b"}, config)
