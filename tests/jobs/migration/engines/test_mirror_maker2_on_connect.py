"""Which workers it runs on."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook, WorkerInfo
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import MirrorMaker2OnConnect
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


def about(version: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(ConnectHook, "info", lambda _: WorkerInfo(version, "commit", "id"))
    return MirrorMaker2OnConnect(Migration("dag", MigrationSpec.from_params({"topics": ["t"]}))).about()


@pytest.mark.parametrize("version", ["3.8.0", "4.3.1", "7.8.0-ccs", "8.0.0-ccs", "unknown"])
def test_workers_that_translate_groups_rightly_are_taken(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert about(version, monkeypatch)["version"] == version


@pytest.mark.parametrize(
    ("version", "named"), [("2.8.2", "2.8.2,"), ("3.7.2", "3.7.2,"), ("7.4.1-ccs", r"7.4.1-ccs \(Kafka 3.4\)")]
)
def test_older_ones_are_refused_by_kafkas_version(version: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadParam, match=rf"connect_conn_id.*Kafka Connect {named}"):
        about(version, monkeypatch)
