"""What a plan says of another maker's connector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.carrier import Carrier
from kafka_ferry.jobs.s3.connect.planning import READ_BACK, told_losses, way_back
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import CONNECTORS
from kafka_ferry.report.artifacts import RunArtifacts


class Runtime:
    """Notes what a worker is asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refused: BadParam | None = None

    def check(self, connector_class: str, cluster_id: str | None, plugin: str) -> None:
        self.asked.append((connector_class, plugin))
        if self.refused:
            raise self.refused

    def login_findings(self) -> list[Any]:
        return []

    def service_role(self, *_: object) -> None:
        """It has none."""

    def changes(self, configs: Any) -> list[Any]:
        self.asked.append(configs)
        return []


def carrier(maker: str, *accepted: str, **more: Any) -> Carrier:
    about: dict[str, Any] = {"bucket": "b", "prefix": "p", "export": "e", "region": "r", **more}
    intent = Intent(way="sink", topics=("t",), **about)
    return Carrier("c", cast(Any, Runtime()), intent, CONNECTORS[maker], accepted)


def test_the_worker_is_asked_for_the_makers_class_and_to_check_its_config() -> None:
    one = carrier("confluent", "timestamps")
    one.check(None)
    one.changes()
    (cls, plugin), configs = cast(Runtime, one.runtime).asked
    assert cls == "io.confluent.connect.s3.S3SinkConnector"
    assert plugin.startswith("confluentinc/kafka-connect-s3 ")
    assert configs["c"]["connector.class"] == cls


def test_a_loss_that_nobody_accepted_ends_the_run_and_one_that_is_accepted_is_told() -> None:
    with pytest.raises(BadParam, match=r"'accept_losses'.*timestamps: .*nothing stores them.*Fix: accept_losses with"):
        told_losses(carrier("confluent"))
    found = {one.code: one.severity for one in told_losses(carrier("confluent", "timestamps"))}
    assert found["timestamps"] is Severity.ADVISE
    assert found["keys"] is Severity.WARN
    assert told_losses(carrier("kafka_ferry")) == []


def test_the_makers_own_source_is_told_with_its_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    artifacts = RunArtifacts("d", "r")
    notes = way_back(carrier("lenses", "headers"), artifacts)
    config = artifacts.read_json(READ_BACK)
    assert config is not None
    assert config["connector.class"] == CONNECTORS["lenses"].classes["source"]
    assert "read back by Lenses' own source, records lose headers, repeats" in notes[0]
    assert notes[-1].endswith("read_back.json; the workers of this run have its plugin and accept this config")


def test_workers_are_asked_for_the_makers_source_and_what_they_say_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    one = carrier("aiven", "headers")
    runtime = cast(Runtime, one.runtime)
    way_back(one, RunArtifacts("d", "r"))
    (cls, plugin), configs = runtime.asked
    assert (cls, plugin) == (one.made_by.classes["source"], one.made_by.plugin["source"])
    assert configs["c.back"]["connector.class"] == cls

    runtime.refused = BadParam("connect_conn_id", "the workers do not have x", "unpack it")
    notes = way_back(one, RunArtifacts("d", "r"))
    assert notes[-1].endswith("cannot run it: the workers do not have x. Fix: unpack it")


def test_nothing_is_told_of_a_way_back_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    artifacts = RunArtifacts("d", "r")
    assert way_back(carrier("kafka_ferry"), artifacts) == []
    (said,) = way_back(carrier("lenses", format="bytes"), artifacts)
    assert "cannot read this back" in said
    assert artifacts.read_json(READ_BACK) is None
