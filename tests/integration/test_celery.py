"""Airflow as many run it: Celery, two workers that share no folder, PostgreSQL, artifacts in S3, tasks in a pool."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dag_runs import ReadQuota, Runs, fill
from demo.airflow_api import FINISHED, AirflowApi
from every_dag import DATABASE, RUN, WORDS, Every, check_report, every_dag
from stack import Stack, celery, mariadb, postgres, process
from task_memory import TITLE, TaskMemory

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(2_400)]

POOL = "readers"
#: No task of the examples, which are small, may take more: bytes of memory, with its children.
LIMIT = 700 * 2**20


@pytest.fixture(scope="module")
def celery_stack() -> Iterator[Stack]:
    """Its deployment names a pool."""
    if why := postgres.unavailable():
        pytest.skip(why)
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "celery-stack"
    owner, database = int(os.environ["FERRY_TEST_SESSION_PID"]), mariadb.unavailable() is None
    stack = Stack(folder, airflow=True, owner_pid=owner, report=print, msk=True, database=database, executor="celery")
    # Its deployment allows what the stack says, not what tests of parts allow themselves (tests/conftest.py).
    said = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AIRFLOW__KAFKA_FERRY__")}
    os.environ["AIRFLOW__KAFKA_FERRY__POOL"] = POOL
    try:
        yield stack.up()
    finally:
        del os.environ["AIRFLOW__KAFKA_FERRY__POOL"]
        os.environ.update(said)
        stack.down()
        shutil.rmtree(folder / "data")


@pytest.fixture(scope="module")
def api(celery_stack: Stack) -> AirflowApi:
    values = celery_stack.variables()
    found = AirflowApi(values["FERRY_AIRFLOW_URL"], values["FERRY_AIRFLOW_USER"], values["FERRY_AIRFLOW_PASSWORD"])
    _make_pool(found)
    return found


def _make_pool(api: AirflowApi) -> None:
    api._call("POST", "/api/v2/pools", {"name": POOL, "slots": 2})


@pytest.fixture(scope="module")
def memory(celery_stack: Stack) -> Iterator[TaskMemory]:
    workers = [celery_stack.service(name).pid for name in celery.WORKERS]
    with TaskMemory(pid for pid in workers if pid) as looked:
        yield looked


@pytest.fixture(scope="module")
def every(memory: TaskMemory, celery_stack: Stack, api: AirflowApi) -> Iterator[Every]:
    with every_dag(celery_stack, api, WORDS) as made:
        yield made


def instances(api: AirflowApi, dag: str, run: str) -> list[dict[str, Any]]:
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=1000"
    found: list[dict[str, Any]] = api._get(path)["task_instances"]
    return found


@pytest.mark.parametrize("dag", WORDS)
def test_a_dag_passes_from_its_example(
    every: Every, memory: TaskMemory, celery_stack: Stack, api: AirflowApi, dag: str
) -> None:
    if dag == DATABASE and (why := mariadb.unavailable()):
        pytest.skip(why)
    check_report(celery_stack, dag, every.report(dag))
    found = instances(api, dag, RUN)
    assert {one["pool"] for one in found if one["map_index"] >= 0} <= {POOL, "default_pool"}
    took = memory.of(found)
    print("\n".join(f"memory {dag} {task} {size / 2**20:.0f} MiB" for task, size in sorted(took.items())))
    assert {task: size for task, size in took.items() if size > LIMIT} == {}


def test_both_workers_worked_and_share_no_folder(every: Every, celery_stack: Stack) -> None:
    for name in celery.WORKERS:
        assert list((celery_stack.folder / name / "logs").rglob("*.log")), f"{name} ran no task"
    assert not (celery_stack.folder / "artifacts").exists()
    assert list((celery_stack.s3.data / celery.ARTIFACTS).rglob("report.json"))


@pytest.fixture
def slow_source(celery_stack: Stack) -> Iterator[Callable[[int], None]]:
    quota = ReadQuota(celery_stack)
    yield quota
    quota(0)


def _worker_of(stack: Stack, task: str) -> str | None:
    """The worker below which the process of a task instance runs."""
    for name in celery.WORKERS:
        for child in psutil.Process(stack.service(name).pid).children(recursive=True):
            try:
                if " ".join(child.cmdline()).strip() == f"{TITLE}{task}":
                    return name
            except psutil.Error:
                continue
    return None


def test_a_worker_that_dies_in_mid_comparison_costs_a_retry(
    celery_stack: Stack, api: AirflowApi, slow_source: Callable[[int], None]
) -> None:
    for bootstrap in (celery_stack.source_bootstrap, celery_stack.target_bootstrap):
        fill(bootstrap, "worker.dies", 60_000)
    runs = Runs(celery_stack, api, "verify_clusters")
    slow_source(400_000)
    api.trigger(runs.dag, "worker-dies", {"topics": ["worker.dies"], "groups": []})
    killed: list[str] = []

    def kill() -> bool:
        for one in instances(api, runs.dag, "worker-dies"):
            if one["task_id"] == "fingerprint" and one["state"] == "running":
                name = _worker_of(celery_stack, one["id"])
                if name is not None:
                    # As its machine would: with all that runs there, without a word.
                    process.stop([celery_stack.service(name).running.mark], 0)
                    killed.append(name)
        return bool(killed)

    runs.until("worker-dies", kill)
    slow_source(0)
    assert runs.wait("worker-dies", timeout=400) == "success", runs.report("worker-dies")
    assert celery_stack.service(killed[0]).pid is None, "the other worker did it"
    report = runs.report("worker-dies")
    assert (report["verdict"], report["topics"][0]["source_records"]) == ("PASS", 60_000)
    tries = {one["task_id"]: one["try_number"] for one in instances(api, runs.dag, "worker-dies")}
    assert tries["fingerprint"] == 2, tries
    celery_stack.up()


def _began(celery_stack: Stack, api: AirflowApi, name: str) -> Runs:
    """A comparison of that name, once one of its tasks reads records; slowly, if ``slow_source`` said so."""
    topic, runs = f"comparison.{name}", Runs(celery_stack, api, "verify_clusters")
    for bootstrap in (celery_stack.source_bootstrap, celery_stack.target_bootstrap):
        fill(bootstrap, topic, 60_000)
    api.trigger(runs.dag, name, {"topics": [topic], "groups": []})
    runs.until(
        name,
        lambda: any(
            one["task_id"] == "fingerprint" and one["state"] == "running" and _worker_of(celery_stack, one["id"])
            for one in instances(api, runs.dag, name)
        ),
    )
    return runs


def _passed(runs: Runs, name: str) -> dict[str, int]:
    """Tries of its tasks, when all went well."""
    assert runs.wait(name, timeout=400) == "success", runs.report(name)
    report = runs.report(name)
    assert (report["verdict"], report["topics"][0]["source_records"]) == ("PASS", 60_000)
    return {one["task_id"]: one["try_number"] for one in instances(runs.api, runs.dag, name)}


def test_the_queue_is_killed_and_comes_back(
    celery_stack: Stack, api: AirflowApi, slow_source: Callable[[int], None]
) -> None:
    """Reports: apache/airflow 24498 and 24731, of workers that never took a task again."""
    slow_source(400_000)
    runs = _began(celery_stack, api, "queue-dies")
    celery_stack.service(celery.BROKER).kill9()
    time.sleep(10)
    celery_stack.service(celery.BROKER).restart()
    slow_source(0)
    tries = _passed(runs, "queue-dies")
    assert tries["fingerprint"] == 1, "its worker did not need the queue"


def test_a_worker_that_is_sent_away_ends_its_task_first(
    celery_stack: Stack, api: AirflowApi, slow_source: Callable[[int], None]
) -> None:
    """As a deployment does, by TERM. Reports: apache/airflow 21225 and 54479, of tasks that nobody did then."""
    slow_source(1_000_000)
    runs = _began(celery_stack, api, "sent-away")
    name = next(
        name
        for one in instances(api, runs.dag, "sent-away")
        if one["task_id"] == "fingerprint" and (name := _worker_of(celery_stack, one["id"]))
    )
    pid = celery_stack.service(name).pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    slow_source(0)
    tries = _passed(runs, "sent-away")
    assert tries["fingerprint"] == 1, "it ended what it had begun"
    deadline = time.monotonic() + 60
    while celery_stack.service(name).pid is not None:
        assert time.monotonic() < deadline, f"{name} had nothing more to do and stayed"
        time.sleep(0.5)
    celery_stack.up()


def test_a_pool_that_is_not_there_is_named_at_once(celery_stack: Stack, api: AirflowApi) -> None:
    assert api._send("DELETE", f"/api/v2/pools/{POOL}", None).status_code == 204  # no JSON comes with it
    try:
        begun = time.monotonic()
        api.trigger("verify_clusters", "no-pool", {"topics": ["worker.dies"]})
        runs = Runs(celery_stack, api, "verify_clusters")
        assert runs.wait("no-pool", timeout=120) == "failed"
        assert time.monotonic() - begun < 120
        report = runs.report("no-pool")
        assert f"there is no pool '{POOL}'" in " ".join(report["failures"])
        assert f"Fix: airflow pools set '{POOL}' 4" in " ".join(report["failures"])
    finally:
        _make_pool(api)
    assert api.state("verify_clusters", "no-pool") in FINISHED
