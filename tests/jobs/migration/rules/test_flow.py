"""What a migration notes about itself says the same when it is read again, whatever its engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.flow import FlowRecord
from kafka_ferry.jobs.migration.rules.specs import spec_of

ENGINES = (
    "mirror_maker2_on_connect",
    "mirror_maker2_dedicated",
    "mirror_maker2_standalone",
    "mirror_maker1",
    "replicate_topics",
)


def record(engine: str = ENGINES[0], patterns: tuple[str, ...] = ("o.*",), **params: Any) -> FlowRecord:
    spec = spec_of(engine).from_params({"topics": ["o.*"], "migration": "m", **params})
    made = FlowRecord(
        "dag", "run", engine, spec.model_dump(mode="json"), ["orders"], list(patterns), [r".*\.tmp"], ["id:A"], ["id:B"]
    )
    return FlowRecord.from_json(json.loads(json.dumps(made.to_json())))


@pytest.mark.parametrize("engine", ENGINES)
def test_it_survives_the_file(engine: str) -> None:
    again = record(engine)
    assert (again.spec.engine, again.spec.migration, again.topics) == (engine, "m", ["orders"])
    assert again.flow().copied_as("orders") == ("orders.replica" if engine == "replicate_topics" else "orders")


def test_which_topics_it_takes_and_under_which_name() -> None:
    flow = record(naming="prefix", source_alias="old").flow()
    assert flow.copied_as("orders") == "old.orders"
    assert flow.copied_as("other.target.x") is None, "MirrorMaker 2 takes it for a topic that came from the target"
    for name in ("users", "orders.tmp", "o.checkpoints.internal", "__orders", "kafka-ferry-canary-m"):
        assert flow.copied_as(name) is None, name
    assert record(patterns=(".*",)).flow().copied_as("other.target.x") == "other.target.x", "not so under equal names"


def test_what_is_not_sure_is_said_with_its_name() -> None:
    flow = record().flow(sure=False, remark="perhaps")
    assert str(flow) == "migration 'm' of DAG dag (kafka_source to kafka_target) (perhaps)"
    assert not flow.sure


def test_a_note_of_another_version_is_no_spec() -> None:
    data = record().to_json()
    with pytest.raises(BadParam, match="unknown"):
        FlowRecord.from_json({**data, "params": {**data["params"], "of_tomorrow": 1}}).flow()
