"""Metrics of jobs, through Airflow's own, to a real StatsD socket; and to the other backends that Airflow has."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils

from kafka_ferry.jobs.common import metrics
from kafka_ferry.jobs.common.metrics import JobMetrics, Measure, plain_name
from statsd_listener import StatsdListener


@pytest.fixture(autouse=True)
def nothing_said() -> Iterator[None]:
    metrics._warn.cache_clear()
    yield
    as_the_task_runner_does()


def as_the_task_runner_does() -> None:
    """With the settings of this moment."""
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatsdListener]:
    with StatsdListener() as listener:
        for name, value in listener.variables.items():
            monkeypatch.setenv(name, value)
        as_the_task_runner_does()
        yield listener


def test_plain_statsd_has_dag_and_job_in_the_name(statsd: StatsdListener) -> None:
    JobMetrics("team.moves", "orders").tell({Measure.LAG: 12, Measure.RATE: None, Measure.LOST: 0}, "FAIL")
    assert statsd.wait("kafka_ferry.verdicts.team_moves.orders.fail") == 1
    assert statsd.said("kafka_ferry.lag.team_moves.orders") == [12]
    assert statsd.said("kafka_ferry.lost.team_moves.orders") == [0]
    assert len(statsd.lines) == 3, "an unknown value is not sent as 0"
    assert statsd.lines[0].endswith("|g")
    assert statsd.lines[-1].endswith("|c")


def test_a_backend_with_tags_has_them(statsd: StatsdListener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    as_the_task_runner_does()
    JobMetrics("moves", "or=d,ers").tell({Measure.RATE: 1.23456}, "PASS")
    assert statsd.wait("kafka_ferry.verdicts,dag_id=moves,job=or_d_ers,verdict=pass") == 1
    assert statsd.said("kafka_ferry.records_per_second,dag_id=moves,job=or_d_ers") == [1.235]


@pytest.mark.parametrize(
    ("settings", "tags"),
    [
        ({}, False),
        ({"STATSD_ON": "True"}, False),
        ({"STATSD_ON": "True", "STATSD_INFLUXDB_ENABLED": "True"}, True),
        ({"STATSD_INFLUXDB_ENABLED": "True"}, False),
        ({"STATSD_DATADOG_ENABLED": "True"}, True),
        ({"STATSD_DATADOG_ENABLED": "True", "STATSD_DATADOG_METRICS_TAGS": "False"}, False),
        ({"OTEL_ON": "True"}, True),
        ({"OTEL_ON": "True", "STATSD_ON": "True"}, False),  # Airflow takes the first
    ],
)
def test_which_backends_take_tags(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], tags: bool) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)
    assert metrics._takes_tags() is tags


@pytest.mark.parametrize(
    "name", ["or.ders", "a b", "ä" * 200, "x" * 250, "a|b:c@d", "new\nline", "", "\ud800"], ids=repr
)
def test_any_name_of_people_gives_one_that_backends_take(statsd: StatsdListener, name: str) -> None:
    made = plain_name(name)
    assert len(made) <= 60
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    JobMetrics(name, name).tell({Measure.LAG: 1})
    assert statsd.wait(f"kafka_ferry.lag.{made}.{made}") == 1


def test_long_names_stay_apart() -> None:
    assert plain_name("x" * 100 + "1") != plain_name("x" * 100 + "2")


class Broken:
    def gauge(self, *words: Any, **more: Any) -> None:
        raise RuntimeError("the backend is broken")


@pytest.mark.parametrize("fault", ["backend", "host", "client"])
def test_what_cannot_be_sent_fails_nothing_and_is_said_once(
    statsd: StatsdListener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    if fault == "backend":
        monkeypatch.setattr(metrics, "stats", Broken)
    elif fault == "host":
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "no-such-host.invalid")
    else:
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_CUSTOM_CLIENT_PATH", "no.such.Client")
    as_the_task_runner_does()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            JobMetrics("moves", "orders").tell({Measure.LAG: 1}, "PASS")
    assert statsd.lines == []
    ours = [record for record in caplog.records if record.name == metrics.__name__]
    # A host that is not known Airflow itself tells, and sends nothing from then on.
    assert len(ours) == (0 if fault == "host" else 1), ours


def test_a_process_that_has_no_metrics_yet_gets_them(statsd: StatsdListener, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the triggerer Airflow sets up those of its core alone."""
    monkeypatch.delitem(sys.modules, "airflow.sdk.serde", raising=False)
    module = importlib.import_module("airflow.sdk._shared.observability.metrics.stats")
    monkeypatch.setattr(module, "_factory", None)
    monkeypatch.setattr(module, "_backend", None)
    JobMetrics("moves", "orders").tell({Measure.LAG: 5})
    assert statsd.wait("kafka_ferry.lag.moves.orders") == 5
