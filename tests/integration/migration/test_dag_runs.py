"""The DAG in a real Airflow scheduler: clear, retry, kill -9, and faults in mid-run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from dag_runs import FAST, Runs, fill
from demo.airflow_api import FINISHED, AirflowApi
from kafka_ferry.report.artifacts import RunArtifacts
from stack import Stack

pytestmark = pytest.mark.integration

DAG = "mirror_maker2_on_connect"
TASKS = [
    "plan",
    "provision_topics",
    "deploy",
    "wait_until_running",
    "wait_until_converged",
    "shards",
    "fingerprint",
    "translate_groups",
    "validate",
    "remove",
    "report",
]


#: A run after the clear of a task: all of them take a quarter of an hour.
SOME = ["plan", "deploy", "wait_until_converged", "validate"]
CLEARED = pytest.mark.parametrize(
    "tasks", [pytest.param(SOME, id="some"), pytest.param(TASKS, id="all", marks=pytest.mark.nightly)]
)


@pytest.fixture(scope="module")
def runs(airflow_stack: Stack, airflow_api: AirflowApi) -> Runs:
    return Runs(airflow_stack, airflow_api)


@pytest.mark.nightly  # the next one stays in every run
@pytest.mark.timeout(1_200)  # a score of clears, each with a whole run
def test_tasks_can_be_cleared_after_success_and_the_verdict_stays(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "clear.me", 20_000)
    run = runs.trigger("clear-success", topics=["clear.me"])
    assert runs.wait(run) == "success", runs.report(run)
    first = runs.report(run)
    assert first["verdict"] == "PASS"

    for task in TASKS:
        for downstream in (True, False):
            assert runs.clear(run, task, downstream) == "success", (task, downstream, runs.report(run)["failures"])
            report = runs.report(run)
            assert report["verdict"] == "PASS", (task, downstream, report["failures"])
            assert report["topics"] == first["topics"], (task, downstream)
            states = {one.task_id: one.state for one in runs.api.tasks(DAG, run)}
            assert set(states.values()) == {"success"}, (task, downstream, states)
            runs.nothing_is_left(run)


@pytest.mark.timeout(1_200)  # a score of clears, each with a whole run
@CLEARED
def test_tasks_can_be_cleared_after_failure_and_the_verdict_stays(runs: Runs, tasks: list[str]) -> None:
    name = f"clear.bad.{len(tasks)}"
    # The group ran ahead on the target: the records between would never be delivered. Nothing we do may hide that.
    for bootstrap, offset in ((runs.stack.source_bootstrap, 10), (runs.stack.target_bootstrap, 100)):
        fill(bootstrap, name, 5_000)
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "clear-ahead"})
        consumer.commit(offsets=[TopicPartition(name, 0, offset)], asynchronous=False)
        consumer.close()
    run = runs.trigger(f"clear-failure-{len(tasks)}", topics=[name])
    assert runs.wait(run) == "failed"
    first = runs.report(run)
    assert first["failures"] == []
    (failed,) = (check for check in first["checks"] if check["status"] == "fail")
    assert failed["name"] == "group_offsets"
    assert f"clear-ahead on {name}-0: ahead: 90 records" in failed["differences"][0]

    for task in tasks:
        runs.clear(run, task)
        report = runs.report(run)
        assert report["verdict"] == "FAIL", task
        assert report["groups"] == first["groups"], (task, report["failures"])
        runs.nothing_is_left(run)


def test_foreign_records_on_the_target_are_refused_and_left_alone(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "foreign.records", 1_000)
    fill(runs.stack.target_bootstrap, "foreign.records", 10, size=7)
    run = runs.trigger("foreign", topics=["foreign.records"])
    assert runs.wait(run) == "failed"
    assert "target foreign.records-0 ends, at offset 4, with a record" in runs.report(run)["failures"][0]
    assert runs.task(run, "deploy").state == "upstream_failed"
    runs.nothing_is_left(run)


def test_a_killed_task_process_is_retried_to_the_same_verdict(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "kill.me", 100_000)
    run = runs.trigger("kill-task", topics=["kill.me"])
    killed: list[str] = []

    def kill(task: str) -> bool:
        if done := runs.kill(run, task):
            killed.append(task)
        return done

    runs.until(run, lambda: kill("deploy"))
    runs.until(run, lambda: kill("validate"))
    assert runs.wait(run) == "success", runs.report(run)
    assert runs.report(run)["verdict"] == "PASS"
    assert killed == ["deploy", "validate"]
    for task in killed:
        assert runs.task(run, task).try_number >= 2
    runs.nothing_is_left(run)


def test_a_target_topic_deleted_in_mid_run_fails_with_its_name(runs: Runs, slow_source: Callable[[int], None]) -> None:
    fill(runs.stack.source_bootstrap, "delete.me", 20_000)
    slow_source(50_000)
    run = runs.trigger("deleted-topic", topics=["delete.me"])
    runs.until(run, lambda: (runs.path(run) / "progress.jsonl").exists())

    admin = AdminClient({"bootstrap.servers": runs.stack.target_bootstrap})
    admin.delete_topics(["delete.me"])["delete.me"].result(30)

    assert runs.wait(run, timeout=120) == "failed"
    report = runs.report(run)
    assert report["verdict"] == "FAIL"
    reason = " ".join(report["failures"])
    assert "wait_until_converged" in reason
    assert "target topic 'delete.me' was deleted" in reason
    made = {check["name"] for check in report["checks"] if check["status"] != "skipped"}
    assert made == {"new_topics", "new_records", "leftovers"}, "what was not compared must not look as if it was"
    runs.nothing_is_left(run)


@pytest.mark.nightly  # four minutes, all of them librdkafka's time-outs
def test_a_source_that_dies_in_mid_run_fails_in_time_and_is_cleaned_up(
    runs: Runs, slow_source: Callable[[int], None]
) -> None:
    fill(runs.stack.source_bootstrap, "dead.source", 20_000)
    slow_source(50_000)
    run = runs.trigger("dead-source", topics=["dead.source"], no_progress_timeout=20)
    runs.until(run, lambda: (runs.path(run) / "progress.jsonl").exists())

    runs.stack.broker("source").kill9()
    try:
        assert runs.wait(run, timeout=400) == "failed"
        report = runs.report(run)
        reason = " ".join(report["failures"])
        assert "wait_until_converged" in reason
        assert "no answer for" in reason or "no progress for" in reason
        runs.nothing_is_left(run)
        leftovers = next(check for check in report["checks"] if check["name"] == "leftovers")
        assert leftovers["status"] == "fail", "what could not be taken away is said"
        limits, canary = leftovers["differences"]
        assert "limits that are lifted during a copy, on dead.source" in limits, "what they were the source alone knows"
        assert "ferry-canary-dead-source" in canary
    finally:
        runs.stack.up()
    runs.clear(run, "remove")
    leftovers = next(check for check in runs.report(run)["checks"] if check["name"] == "leftovers")
    assert leftovers["status"] == "pass", "with the source back a clear takes the rest away"


def test_a_copy_that_broke_off_goes_on_where_it_was(runs: Runs, slow_source: Callable[[int], None]) -> None:
    """The first run gives up in mid-copy and is torn down, offsets and all; the second copies only the rest."""
    fill(runs.stack.source_bootstrap, "broken.off", 200_000)
    slow_source(300_000)
    first = runs.trigger("broken", topics=["broken.off"], convergence_timeout=10)
    assert runs.wait(first) == "failed"
    assert "not converged within convergence_timeout (10 seconds)" in runs.report(first)["failures"][0]
    runs.nothing_is_left(first)
    slow_source(0)

    runs.api.trigger(DAG, "broken-2", {"migration": "broken", **FAST, "topics": ["broken.off"]})
    assert runs.wait("broken-2") == "success", runs.report("broken-2")
    plan, line = runs.artifact("broken-2", "plan.json"), runs.report("broken-2")["topics"][0]
    assert 0 < plan["topics"][0]["already_there"] < 200_000, "the first run must have broken off in mid-copy"
    assert (line["target_records"], line["duplicated"], line["lost"]) == (200_000, 0, 0)


@pytest.mark.parametrize(
    ("duplicates", "verdict"), [("explain", "PASS"), pytest.param("fail", "FAIL", marks=pytest.mark.nightly)]
)
def test_a_worker_killed_in_mid_copy_loses_nothing_and_what_it_sent_again_is_named(
    runs: Runs, slow_source: Callable[[int], None], duplicates: str, verdict: str
) -> None:
    topic = f"kill.worker.{duplicates}"
    fill(runs.stack.source_bootstrap, topic, 200_000)
    slow_source(300_000)
    run = runs.trigger(f"worker-{duplicates}", topics=[topic], duplicates=duplicates, throughput="gentle")

    runs.until(run, lambda: 0 < runs.copied(run) < 180_000)
    time.sleep(2)  # more than one flush of offsets, so that the kill falls between two
    runs.stack.worker.kill9()
    slow_source(0)
    runs.stack.worker.restart()

    assert runs.wait(run) in FINISHED
    report = runs.report(run)
    line = report["topics"][0]
    assert (line["lost"], line["reordered"]) == (0, 0), report["failures"]
    assert line["target_records"] == 200_000 + line["duplicated"]
    if line["duplicated"]:  # up to one flush interval of records; none when the kill fell just after a flush
        content = next(check for check in report["checks"] if check["name"] == "content")
        assert report["verdict"] == verdict
        assert all("duplicated: source offset" in text for text in content["differences"][:1])
    else:
        assert report["verdict"] == "PASS"
    print(f"{line['duplicated']} records were sent again")
    runs.nothing_is_left(run)


def test_two_runs_of_one_migration_at_once_the_second_is_refused(
    runs: Runs, slow_source: Callable[[int], None]
) -> None:
    fill(runs.stack.source_bootstrap, "one.at.a.time", 20_000)
    slow_source(200_000)
    first = runs.trigger("twice", topics=["one.at.a.time"])
    runs.until(first, lambda: (runs.path(first) / "progress.jsonl").exists())

    runs.api.trigger(DAG, "twice-second", {"migration": "twice", **FAST, "topics": ["one.at.a.time"]})

    assert runs.wait("twice-second") == "failed"
    assert "param 'migration'" in runs.report("twice-second")["failures"][0]
    assert runs.wait(first) == "success", runs.report(first)
    assert runs.report(first)["verdict"] == "PASS"
    runs.nothing_is_left(first)


def test_bad_params_are_refused_with_the_cure_and_nothing_changed(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "bad.params", 10)
    cases = {
        "unknown": ({"topics": ["x"], "topcis": ["x"]}, "param 'topcis' is unknown; did you mean 'topics'"),
        "nothing": ({"topics": ["no-such-topic"]}, "param 'topics': nothing on the source matches"),
        "regex": ({"topics": ["*"]}, "use .* for everything"),
        "factor": ({"topics": ["bad.params"], "replication_factor": 3}, "but the target has 1 broker(s)"),
        "same": ({"topics": ["bad.params"], "target_conn_id": "kafka_source"}, "is the same cluster"),
        "no-conn": ({"topics": ["bad.params"], "source_conn_id": "nobody"}, "connection 'nobody' does not exist"),
    }
    before = set(AdminClient({"bootstrap.servers": runs.stack.target_bootstrap}).list_topics(timeout=10).topics)
    for name, (conf, _) in cases.items():
        runs.trigger(f"bad-{name}", **conf)
    for name, (_, words) in cases.items():
        run = f"bad-{name}"
        assert runs.wait(run) == "failed", name
        assert words in " ".join(runs.report(run)["failures"]), (name, runs.report(run)["failures"])
        runs.refused_at_once(run, words)
        assert runs.task(run, "deploy").state == "upstream_failed"
    after = set(AdminClient({"bootstrap.servers": runs.stack.target_bootstrap}).list_topics(timeout=10).topics)
    assert after == before


def test_a_dry_run_changes_nothing(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "only.planned", 1_000)
    run = runs.trigger("dry", topics=["only\\.pl.*"], dry_run=True)
    assert runs.wait(run) == "success"
    plan = runs.artifact(run, "plan.json")
    assert [line["source"] for line in plan["topics"]] == ["only.planned"]
    assert {"action": "create", "kind": "topic", "name": "only.planned"}.items() <= plan["changes"][0].items()
    assert {task.state for task in runs.api.tasks(DAG, run) if task.task_id != "plan"} == {"skipped"}
    topics = AdminClient({"bootstrap.servers": runs.stack.target_bootstrap}).list_topics(timeout=10).topics
    assert "only.planned" not in topics
    runs.nothing_is_left(run)


def test_replication_can_be_kept_and_is_taken_over_later(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "keep.me", 1_000)
    run = runs.trigger("keep", topics=["keep.me"], keep_replicating=True)
    assert runs.wait(run) == "success"
    report = runs.report(run)
    assert report["verdict"] == "PASS"
    leftovers = next(check for check in report["checks"] if check["name"] == "leftovers")
    assert leftovers["status"] == "skipped"
    assert "To stop it" in leftovers["detail"]
    delete = [
        f"curl -X DELETE {runs.stack.connect_url}/connectors/{name}"
        for name in leftovers["commands"][0].split("/")[-1:]
    ]
    assert leftovers["commands"][:1] == delete
    assert "Schema Registry" in " ".join(report["notes"])
    names = requests.get(f"{runs.stack.connect_url}/connectors", timeout=30).json()
    assert sum(".keep." in name for name in names) == 2

    producer = Producer({"bootstrap.servers": runs.stack.source_bootstrap})
    for i in range(500):
        producer.produce("keep.me", key=f"late {i}", value=b"x")
    producer.flush(10)
    runs.api.trigger(DAG, "keep-2", {"migration": "keep", **FAST, "topics": ["keep.me"]})
    assert runs.wait("keep-2") == "success", runs.report("keep-2")
    assert runs.report("keep-2")["topics"][0]["target_records"] == 1_500
    runs.nothing_is_left("keep")


def test_names_can_carry_the_alias_as_prefix(runs: Runs) -> None:
    fill(runs.stack.source_bootstrap, "pre-fix_me", 1_000)
    run = runs.trigger("prefix", topics=["pre-fix_me"], naming="prefix", source_alias="old")
    assert runs.wait(run) == "success", runs.report(run)
    line = runs.report(run)["topics"][0]
    assert (line["target"], line["target_records"]) == ("old.pre-fix_me", 1_000)
    runs.nothing_is_left(run, alias="old")


def test_topics_are_replicated_under_a_new_name(runs: Runs) -> None:
    """``replicate_topics`` with what its how-to moves: 100,000 records, and the worker's own words in the log."""
    dag = "replicate_topics"
    fill(runs.stack.source_bootstrap, "connect", 100_000)
    conf = {"topics": ["connect"], "migration": "connect-test", **FAST}
    runs.api.trigger(dag, "emr", {**conf, "migration": "emr", "replicator": "emr"})
    runs.api.trigger(dag, "connect-test", conf)
    deadline = time.monotonic() + 300
    while not {runs.api.state(dag, run) for run in ("emr", "connect-test")} <= set(FINISHED):
        assert time.monotonic() < deadline
        time.sleep(0.5)

    def report(run: str) -> dict[str, Any]:
        root = runs.stack.variables()["FERRY_ARTIFACTS"]
        made: dict[str, Any] = json.loads(Path(RunArtifacts(dag, run, root).path("report.json")).read_text())
        return made

    assert runs.api.state(dag, "connect-test") == "success", report("connect-test")["failures"]
    (line,) = report("connect-test")["topics"]
    assert (line["target"], line["source_records"], line["target_records"]) == ("connect.replica", 100_000, 100_000)
    wait = next(task for task in runs.api.tasks(dag, "connect-test") if task.task_id == "wait_until_running")
    log = "\n".join(runs.api.log(dag, "connect-test", wait))
    name = f"{dag}.connect-test.MirrorSourceConnector"
    assert name in next(line for line in log.splitlines() if "GET /connectors: " in line)
    for words in (f"{name}/status: RUNNING", f"{name}/tasks/0/status: RUNNING"):
        assert words in log
    runs.nothing_is_left("connect-test")

    assert runs.api.state(dag, "emr") == "failed"
    assert "the worker has no EMRReplicatorSourceConnector" in report("emr")["failures"][0]


def test_two_clusters_are_compared_without_replication(runs: Runs) -> None:
    """``verify_clusters``: names mapped by a regex, one topic with a fault, one that is written meanwhile."""
    fill(runs.stack.source_bootstrap, "cmp.right", 2_000)
    fill(runs.stack.target_bootstrap, "cmp.right.replica", 2_000)
    fill(runs.stack.source_bootstrap, "cmp.lost", 2_000)
    fill(runs.stack.target_bootstrap, "cmp.lost.replica", 1_990)
    topics = set(AdminClient({"bootstrap.servers": runs.stack.target_bootstrap}).list_topics(timeout=10).topics)

    conf = {"topics": ["cmp\\..*"], "rename": {"(.*)": "\\1.replica"}, "catch_up_timeout": 5}
    runs.api.trigger("verify_clusters", "cmp", conf)
    while (state := runs.api.state("verify_clusters", "cmp")) not in FINISHED:
        time.sleep(0.5)

    root = runs.stack.variables()["FERRY_ARTIFACTS"]
    report = json.loads(Path(RunArtifacts("verify_clusters", "cmp", root).path("report.json")).read_text())
    assert (state, report["verdict"]) == ("failed", "FAIL")
    lines = {line["source"]: line for line in report["topics"]}
    assert (lines["cmp.right"]["status"], lines["cmp.right"]["target"]) == ("pass", "cmp.right.replica")
    assert (lines["cmp.lost"]["status"], lines["cmp.lost"]["lost"]) == ("fail", 10)
    never = {"leftovers", "new_topics", "other_replicators"}
    assert not never & {check["name"] for check in report["checks"]}, "a comparison lists what comparisons check"
    assert "were not checked" in " ".join(report["notes"])
    assert topics == set(AdminClient({"bootstrap.servers": runs.stack.target_bootstrap}).list_topics(timeout=10).topics)


@pytest.mark.nightly  # two that begin at once stay in every run
def test_a_second_run_of_one_migration_is_refused_while_the_first_works(runs: Runs, slow_source: None) -> None:
    fill(runs.stack.source_bootstrap, "two.runs", 1_500)
    conf = {"migration": "two-runs", "topics": ["two.runs"]}
    first = runs.trigger("two-runs-a", **conf)
    runs.until(first, lambda: runs.task(first, "wait_until_converged").state in ("running", "deferred"))

    second = runs.trigger("two-runs-b", **conf)
    assert runs.wait(second) == "failed"
    assert "run 'two-runs-a' of this DAG is still working on migration 'two-runs'" in runs.report(second)["failures"][0]
    assert runs.task(second, "provision_topics").state == "upstream_failed", "nothing was changed"

    assert runs.wait(first) == "success", runs.report(first)["failures"]
    assert runs.report(first)["verdict"] == "PASS", "the refused run left the first one's connectors alone"
    # The first has ended: no lock is left behind.
    assert runs.clear(second, "plan") == "success", runs.report(second)["failures"]
    assert runs.report(second)["verdict"] == "PASS"
    runs.nothing_is_left("two-runs")
