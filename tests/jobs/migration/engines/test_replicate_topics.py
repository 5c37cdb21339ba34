"""EMR's closed connector is planned and validated, and never run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import PluginInfo, ValidationResult
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec
from kafka_ferry.jobs.migration.engines.replicate_topics import ReplicateTopics

EMR = PluginInfo("x.EMRReplicatorSourceConnector", "source")
ZOOKEEPERS = {"source_zookeeper": "a:2181", "target_zookeeper": "b:2181"}


def engine(plugins: list[PluginInfo], errors: dict[str, tuple[str, ...]] | None = None, **params: Any) -> Any:
    seen: list[dict[str, str]] = []

    def validate(config: dict[str, str]) -> ValidationResult:
        seen.append(config)
        return ValidationResult("c", errors or {})

    connect = SimpleNamespace(
        plugins=lambda: plugins,
        info=lambda: SimpleNamespace(version="3.0.0"),
        validate=validate,
        client_settings=lambda conn_id: {"bootstrap.servers": "source:9092"},
    )
    spec = ReplicateSpec.from_params({"topics": ["x"], "replicator": "emr", **params})
    topics = SimpleNamespace(topics={"orders": None, "connect": None})
    made: Any = ReplicateTopics(
        SimpleNamespace(spec=spec, connect=connect, name="replicate_topics.m", topics=topics)  # type: ignore[arg-type]
    )
    made.seen = seen
    return made


def test_a_worker_without_the_plugin_is_refused() -> None:
    with pytest.raises(BadParam, match="has no EMRReplicatorSourceConnector") as caught:
        engine([PluginInfo("x.MirrorSourceConnector", "source")], dry_run=True).about()
    assert caught.value.param == "replicator"
    assert "mirror_maker2" in caught.value.fix


def test_a_run_is_refused_also_with_the_plugin() -> None:
    with pytest.raises(BadParam, match="could prove nothing") as caught:
        engine([EMR]).about()
    assert "dry_run: true" in caught.value.fix
    with pytest.raises(BadParam, match="could prove nothing"):
        engine([EMR]).deploy()


def test_a_dry_run_validates_the_configuration() -> None:
    made = engine([EMR], dry_run=True, **ZOOKEEPERS)
    assert made.about()["connectors"] == ["replicate_topics.m.EMRReplicatorSourceConnector"]
    (change,) = made.changes()
    assert (change.action.value, change.name) == ("create", "replicate_topics.m.EMRReplicatorSourceConnector")
    (config,) = made.seen
    assert config["topic.whitelist"] == "connect,orders"
    assert config["topic.rename.format"] == "${topic}.replica"


def test_what_the_worker_refuses_is_told() -> None:
    with pytest.raises(BadParam, match=r"dest\.zookeeper\.connect: no such"):
        engine([EMR], {"dest.zookeeper.connect": ("no such",)}, dry_run=True, **ZOOKEEPERS).changes()


def test_what_is_missing_is_named() -> None:
    with pytest.raises(BadParam, match="source_zookeeper is missing"):
        engine([EMR], dry_run=True).changes()
