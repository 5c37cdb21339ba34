"""The plugin of a stream on MSK Connect: Maven is asked once for coordinates that mean the same for ever."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import msk_lab
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import PluginArchive
from kafka_ferry.jobs.cdc.live.msk_resources import StreamResources
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from msk_lab import BUCKET, ROLE
from stack.msk import CLUSTER
from stack.msk.server import MskConnectDouble

CLASS = "io.debezium.connector.mariadb.MariaDbConnector"
GIVEN = {
    "databases": ["shop"],
    "runtime": "msk_connect",
    "cluster_arn": CLUSTER,
    "service_execution_role_arn": ROLE,
    "plugin_bucket": BUCKET,
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MskConnectDouble]:
    monkeypatch.setattr(MskConnectHook, "deletion_delay", 0.0)
    with msk_lab.connected(monkeypatch) as running:
        yield running


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Coordinates that Maven was asked for."""
    found: list[str] = []

    @cache  # a JAR recreated would have another time in it
    def jar(coordinates: str) -> bytes:
        return msk_lab.jar(CLASS, f"of.{coordinates.replace(':', '_')}")

    def from_maven(coordinates: list[str]) -> PluginArchive:
        found.extend(coordinates)
        return PluginArchive({"debezium.jar": jar(coordinates[0])})

    monkeypatch.setattr("kafka_ferry.jobs.cdc.live.msk_resources.from_maven", from_maven)
    return found


def resources(**params: Any) -> StreamResources:
    """As a task has them: each task is a process of its own."""
    spec = StreamSpec.from_params({**GIVEN, **params})
    made = StreamResources(spec, "shop")
    made.waits = (0, 10)
    return made


def test_maven_is_asked_by_plan_and_deploy_of_the_first_run_and_never_again(
    aws: MskConnectDouble, asked: list[str]
) -> None:
    assert resources().has_class(CLASS)
    assert aws.stored == {}, "a plan changes nothing"
    first = resources().plugin()
    assert len(asked) == 2
    assert resources().has_class(CLASS)
    assert resources().plugin() == first
    assert len(asked) == 2
    # A plugin that somebody deleted is made again of the same ZIP.
    aws.account.plugins.clear()
    assert resources().plugin() != first
    assert len(asked) == 2


def test_nothing_is_left_of_it(aws: MskConnectDouble, asked: list[str]) -> None:
    resources().plugin()
    assert len(aws.stored) == 2
    resources().delete()
    assert aws.stored == {}
    resources().plugin()
    assert len(asked) == 2


def test_other_coordinates_are_built(aws: MskConnectDouble, asked: list[str]) -> None:
    first = resources().plugin()
    other = "io.debezium:debezium-connector-mariadb:3.6.0.Final:tar.gz:plugin"
    assert resources(plugin=other).plugin() != first
    assert asked[1] == other
    resources(plugin=other).plugin()
    assert len(asked) == 2
    resources().delete()
    assert aws.stored == {}


@pytest.mark.parametrize("version", ["3.7.0-SNAPSHOT", "LATEST", "RELEASE", "[3.5,3.6)"])
def test_what_may_be_other_files_tomorrow_is_always_built(
    aws: MskConnectDouble, asked: list[str], version: str
) -> None:
    for _ in range(2):
        resources(plugin=f"io.debezium:debezium-connector-mariadb:{version}").plugin()
    assert len(asked) == 2
    assert len(aws.stored) == 1


@pytest.mark.parametrize("harm", ["zip gone", "zip cut", "marker cut", "marker of another plugin"])
def test_a_marker_that_does_not_fit_is_not_believed(aws: MskConnectDouble, asked: list[str], harm: str) -> None:
    first = resources().plugin()
    marker, zipped = f"{BUCKET}/shop-plugin.json", next(key for key in aws.stored if key.endswith(".zip"))
    whole = aws.stored[zipped]
    if harm == "zip gone":
        del aws.stored[zipped]
    elif harm == "zip cut":
        aws.stored[zipped] = whole[:-1]
    elif harm == "marker cut":
        aws.stored[marker] = aws.stored[marker][:-3]
    else:
        aws.stored[marker] = aws.stored[marker].replace(b"shop-plugin-", b"other-plugin-")
    assert resources().plugin() == first
    assert len(asked) == 2
    assert aws.stored[zipped] == whole


def test_a_class_that_was_not_looked_for_is_looked_for(aws: MskConnectDouble, asked: list[str]) -> None:
    resources().plugin()
    assert not resources().has_class("io.debezium.connector.mysql.MySqlConnector")
    assert len(asked) == 2
