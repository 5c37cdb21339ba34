"""What docs/operate.md shows, in a real scheduler: metrics, messages, a deadline, DAGs that run after a PASS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from dag_runs import ReadQuota, Runs, fill
from demo.airflow_api import AirflowApi
from operate_snippets import snippet
from own_dags import own_dags_folder
from receivers import Receivers
from stack import Stack, s3
from statsd_listener import StatsdListener

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

MIGRATE = "mirror_maker2_on_connect"
#: A comparison that tells of its end by all three notifiers of the page.
TOLD = """
from airflow.sdk import DAG

from kafka_ferry.jobs.common.defaults import task_defaults
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.dag import compare
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec

told = [slack, mail, webhook]
with DAG("told", schedule=None, params=params_of(ComparisonSpec, topics=["told.*"]),
         default_args=task_defaults("verify_clusters"), on_success_callback=told, on_failure_callback=told):
    compare()
"""


@pytest.fixture(scope="module")
def received() -> Iterator[Receivers]:
    with Receivers() as receivers:
        yield receivers


@pytest.fixture(scope="module")
def own_dag(airflow_api: AirflowApi, received: Receivers) -> Callable[[str, str], Runs]:
    """Puts a file of a user's own into its folder, with the connections that the page names."""
    for name, connection in received.connections.items():
        extra = {"extra": json.dumps(connection["extra"])} if "extra" in connection else {}
        airflow_api._call("POST", "/api/v2/connections", {"connection_id": name, **connection, **extra})

    def put(dag_id: str, text: str) -> str:
        (own_dags_folder() / f"{dag_id}.py").write_text(text)
        deadline = time.monotonic() + 120
        while not airflow_api.dag_is_known(dag_id):
            assert time.monotonic() < deadline, airflow_api.import_errors()
            time.sleep(0.5)
        airflow_api.pause(dag_id, False)
        return dag_id

    return put


@pytest.fixture(scope="module")
def migrations(airflow_stack: Stack, airflow_api: AirflowApi) -> Runs:
    return Runs(airflow_stack, airflow_api, MIGRATE)


@pytest.fixture(scope="module")
def follower(own_dag: Callable[[str, str], str]) -> str:
    """The page's DAG that waits for a migration called orders, for one called operate."""
    text = snippet('"after_orders"').replace("after_orders", "after_operate").replace("/orders", "/operate")
    return own_dag("after_operate", text)


@pytest.fixture(scope="module")
def passed(airflow_stack: Stack, migrations: Runs, follower: str) -> str:
    fill(airflow_stack.source_bootstrap, "operate.a", 20_000)
    run = migrations.trigger("operate", topics=["operate.a"])
    assert migrations.wait(run) == "success", migrations.report(run)
    return run


def events(api: AirflowApi, dag: str, run: str) -> list[dict[str, Any]]:
    found = api._get(f"/api/v2/assets/events?source_dag_id={dag}&source_run_id={quote(run, safe='')}")
    return list(found["asset_events"])


def test_a_migration_tells_its_lag_its_rate_and_its_verdict(
    airflow_stack: Stack, migrations: Runs, statsd: StatsdListener, slow_source: ReadQuota
) -> None:
    fill(airflow_stack.source_bootstrap, "operate.slow", 40_000)
    slow_source(100_000)
    run, name = migrations.trigger("operate-slow", topics=["operate.slow"]), f"{MIGRATE}.operate-slow"
    migrations.until(run, lambda: migrations.task(run, "wait_until_converged").state == "deferred")
    task, triggerer = statsd.wait(f"kafka_ferry.lag.{name}"), len(statsd.said(f"kafka_ferry.lag.{name}"))
    assert 0 < task <= 40_000
    migrations.until(run, lambda: len(statsd.said(f"kafka_ferry.lag.{name}")) > triggerer + 2)
    slow_source(0)
    assert migrations.wait(run) == "success", migrations.report(run)
    assert statsd.wait(f"kafka_ferry.verdicts.{name}.pass") == 1
    assert statsd.said(f"kafka_ferry.lag.{name}")[-1] == 0
    assert max(statsd.said(f"kafka_ferry.records_per_second.{name}")) > 100
    assert statsd.said(f"kafka_ferry.lost.{name}") == [0]
    assert not [line for line in statsd.lines if "operate.slow" in line or "operate_slow" in line], "none is a topic's"


def test_a_pass_starts_the_dag_that_waits_for_it(passed: str, airflow_api: AirflowApi, follower: str) -> None:
    (event,) = events(airflow_api, MIGRATE, passed)
    assert (event["uri"], event["name"]) == ("x-kafka-ferry://migration/operate",) * 2
    assert event["extra"]["verdict"] == "PASS"
    assert event["extra"]["records"] == 20_000
    assert event["source_task_id"] == "report"
    deadline, found = time.monotonic() + 90, []
    while not (found := airflow_api._get(f"/api/v2/dags/{follower}/dagRuns")["dag_runs"]):
        assert time.monotonic() < deadline, "it was not started"
        time.sleep(0.5)
    run = found[0]["dag_run_id"]
    assert found[0]["run_type"] == "asset_triggered"
    runs = Runs(None, airflow_api, follower)  # type: ignore[arg-type]
    assert runs.wait(run) == "success"
    log = "\n".join(airflow_api.log(follower, run, runs.task(run, "move_consumers")))
    assert f"PASS 20000 {event['extra']['link']}" in log


def test_neither_a_refused_plan_nor_a_dry_run_proves_anything(
    passed: str, migrations: Runs, statsd: StatsdListener
) -> None:
    refused = migrations.trigger("operate-refused", topics=["operate.a"], target_conn_id="nobody")
    dry = migrations.trigger("operate-dry", topics=["operate.a"], dry_run=True)
    assert (migrations.wait(refused), migrations.wait(dry)) == ("failed", "success")
    assert statsd.wait(f"kafka_ferry.verdicts.{MIGRATE}.operate-refused.fail") == 1
    assert events(migrations.api, MIGRATE, refused) == events(migrations.api, MIGRATE, dry) == []
    assert not [line for line in statsd.lines if "operate-dry" in line]


def test_a_backup_tells_how_old_the_youngest_is(
    airflow_stack: Stack, airflow_api: AirflowApi, statsd: StatsdListener
) -> None:
    fill(airflow_stack.source_bootstrap, "operate.b", 1_000)
    runs, conf = Runs(airflow_stack, airflow_api, "backup_topics"), {"backup": "aged", "topics": ["operate.b"]}
    conf["location"] = f"s3://{s3.BUCKET}/operate"
    airflow_api.pause(runs.dag, False)
    asked = []
    try:
        for run in ("aged-1", "aged-2"):
            asked.append(time.time())
            runs.api.trigger(runs.dag, run, conf)
            assert runs.wait(run) == "success", runs.report(run)
    finally:
        airflow_api.pause(runs.dag, True)
    name = "backup_topics.aged"
    ages, times = statsd.said(f"kafka_ferry.backup_age.{name}"), statsd.said(f"kafka_ferry.backup_time.{name}")
    assert len(ages) == len(times) == 3, "there was none when the first was planned"
    first, before, second = ages
    ended = time.time()
    assert 0 < first < before < ended - asked[0], "it grows"
    assert 0 < second < ended - asked[1], "until there is a new one: of a backup asked for later"
    assert times[0] == times[1] < times[2]
    (event,) = events(airflow_api, runs.dag, "aged-2")
    assert event["uri"] == "x-kafka-ferry://backup/aged"
    (own,) = (line for line in runs.report("aged-2")["backups"] if line["own"])
    assert event["extra"]["backup_id"] == own["backup_id"]


def test_each_run_is_told_of_by_every_notifier(
    airflow_stack: Stack, airflow_api: AirflowApi, received: Receivers, own_dag: Callable[[str, str], str]
) -> None:
    for topic in ("told-same", "told-short"):
        fill(airflow_stack.source_bootstrap, topic, 1_000)
    for topic, records in (("told-same", 1_000), ("told-short", 900)):
        fill(airflow_stack.target_bootstrap, topic, records)
    runs = Runs(airflow_stack, airflow_api, own_dag("told", snippet("SmtpNotifier") + TOLD))
    # Side by side: what tells of one must not say again what it said of the other.
    for run in ("told-same", "told-short"):
        airflow_api.trigger(runs.dag, run, {"topics": [run], "catch_up_timeout": 1, "groups": []})
    base = airflow_stack.variables()["FERRY_AIRFLOW_URL"]
    for run, state, verdict, words in (
        ("told-same", "success", "PASS", "PASS: told. 1 topic, 0 groups."),
        ("told-short", "failed", "FAIL", "FAIL: told. Failed checks: counts, content."),
    ):
        assert runs.wait(run) == state, runs.report(run)
        link = f"{base}/dags/told/runs/{run}/plugin/kafka_ferry"
        assert received.wait(lambda: received.posted("/kafka", run)) == [{"verdict": verdict, "link": link}]  # noqa: B023
        (slack,) = received.wait(lambda: received.posted("/T/B/x", run))  # noqa: B023
        assert slack["text"] == f"{words} {link}"
        mails = received.wait(lambda: [mail for mail in received.mails if run in mail[1]])  # noqa: B023
        assert mails == [(f"{verdict}: told", f"{words} {link}")]
    assert (len(received.posts), len(received.mails)) == (4, 2)


def test_a_run_that_is_late_is_told_of(
    airflow_stack: Stack, airflow_api: AirflowApi, received: Receivers, own_dag: Callable[[str, str], str]
) -> None:
    text = snippet('"backup_orders_in_time"').replace("backup_orders_in_time", "late").replace("hours=4", "seconds=1")
    # In the five minutes after its time Airflow would make a run of its own, which is late as well.
    text = text.replace('schedule="30 1 * * *"', "schedule=None")
    assert "schedule=None" in text
    dag = own_dag("late", text)
    airflow_api.trigger(dag, "late", {"dry_run": True, "topics": ["operate.a"], "location": f"s3://{s3.BUCKET}/late"})
    (slack,) = received.wait(lambda: received.posted("/T/B/x", "late"))
    assert slack["text"] == "late has not ended after 4 hours"
    Runs(airflow_stack, airflow_api, dag).wait("late")
