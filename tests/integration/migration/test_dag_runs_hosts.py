"""The DAGs of engines on hosts in a real Airflow scheduler, from their example params: proof, clear, retry, kill -9."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from dag_runs import FAST, ReadQuota, Runs, fill
from demo.airflow_api import AirflowApi, AirflowApiError
from group_offsets import commit
from stack import Stack, jars
from stack.java import find_java
from stack.ports import PortLease
from stack.stack import PROJECT

pytestmark = pytest.mark.integration

#: DAG to what its topics, groups and migration are called by here.
ENGINES = {
    "mirror_maker2_dedicated": "dedicated",
    "mirror_maker2_standalone": "standalone",
    "mirror_maker1": "one",
}
GROUPLESS = "mirror_maker1"
#: Three JVMs start at once beside Airflow, on a machine that may have other work.
PATIENT = {**FAST, "running_timeout": 240, "no_progress_timeout": 180, "convergence_timeout": 480}
TIMEOUT = 600
#: Seconds for a whole test: four minutes at a load of 10, one or two on a quiet machine.
LONG = pytest.mark.timeout(1_500)


class HostRuns(Runs):
    """Runs of a DAG whose engine is a process on this machine."""

    @property
    def short(self) -> str:
        return ENGINES[self.dag]

    def example(self, **conf: Any) -> dict[str, Any]:
        """The params of the DAG's example, with topics of the test's own."""
        params: dict[str, Any] = json.loads((PROJECT / "include" / "examples" / f"{self.dag}.json").read_text())
        return {**params, **PATIENT, **conf}

    def processes(self, run: str) -> set[int]:
        """Pids of its engine, as /proc shows them."""
        found = psutil.process_iter(["cmdline"])
        return {
            process.pid for process in found if f"-Dkafka.ferry={self.dag}.{run}" in (process.info["cmdline"] or [])
        }

    def folder(self, run: str) -> Path:
        return Path(self.stack.variables()["FERRY_HOST_FOLDER"]) / f"{self.dag}.{run}"


@dataclass(frozen=True)
class Kept:
    """Topics and groups of one cluster."""

    topics: frozenset[str]
    groups: frozenset[str]

    @classmethod
    def on(cls, bootstrap: str) -> Kept:
        admin = AdminClient({"bootstrap.servers": bootstrap})
        groups = admin.list_consumer_groups(request_timeout=30).result(60)
        assert not groups.errors
        names = frozenset(admin.list_topics(timeout=30).topics)
        return cls(names - {"__consumer_offsets"}, frozenset(group.group_id for group in groups.valid))

    def and_also(self, topics: set[str], groups: set[str]) -> Kept:
        return Kept(self.topics | topics, self.groups | groups)


@pytest.fixture(scope="module")
def engines(airflow_stack: Stack, airflow_api: AirflowApi) -> dict[str, HostRuns]:
    """Runs of each DAG; the jars of MirrorMaker 1 are where its DAG looks for them."""
    jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(), print)
    return {dag: HostRuns(airflow_stack, airflow_api, dag) for dag in ENGINES}


@pytest.fixture
def rest_ports() -> Iterator[dict[str, Any]]:
    """``rest_port`` for each DAG that has one: a free port in place of the example's."""
    with PortLease() as lease:
        yield {dag: {} if dag == GROUPLESS else {"rest_port": lease.take()} for dag in ENGINES}


def committed(bootstrap: str, group: str, topic: str, partitions: int = 2) -> list[int]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    found = consumer.committed([TopicPartition(topic, partition) for partition in range(partitions)], timeout=30)
    consumer.close()
    return [place.offset for place in found]


def each_until(what: Callable[[str], bool], timeout: float = 400) -> None:
    """Ask for every engine, again and again, until it was true once for each."""
    missing, deadline = set(ENGINES), time.monotonic() + timeout
    while missing := {dag for dag in missing if not what(dag)}:
        assert time.monotonic() < deadline, f"not within {timeout} s: {missing}"
        time.sleep(0.1)


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in report["checks"] if entry["name"] == name)
    return found


def assert_nothing_runs(runs: HostRuns, run: str) -> None:
    """No process and no file of the run's engine."""
    assert runs.processes(run) == set()
    assert not runs.folder(run).exists()


@pytest.mark.nightly  # test_every_dag.py runs each once
@LONG
def test_each_dag_from_its_example_and_again_when_cleared(
    engines: dict[str, HostRuns], airflow_stack: Stack, rest_ports: dict[str, Any]
) -> None:
    """All three at once, on topics of their own; each as its example says otherwise."""
    source, target = airflow_stack.source_bootstrap, airflow_stack.target_bootstrap
    topics = {dag: f"projects.{short}.orders" for dag, short in ENGINES.items()}
    groups = {dag: f"projects-{short}-billing" for dag, short in ENGINES.items()}
    for dag in ENGINES:
        fill(source, topics[dag], 10_000)
        commit(source, groups[dag], {(topics[dag], 0): 1_234, (topics[dag], 1): 5_000})
    before = Kept.on(source), Kept.on(target)

    for dag, runs in engines.items():
        own = {"topics": [f"projects\\.{runs.short}\\..*"], "migration": runs.short, **rest_ports[dag]}
        runs.api.trigger(dag, runs.short, runs.example(**own))

    carried = {groups[dag] for dag in ENGINES if dag != GROUPLESS}
    wanted = before[0], before[1].and_also(set(topics.values()), carried)
    for cleared in ("", "wait_until_converged", "validate"):
        if cleared:
            for runs in engines.values():
                runs.clear(runs.short, cleared, wait=False)
        for dag, runs in engines.items():
            assert runs.wait(runs.short, TIMEOUT) == "success", (dag, cleared, runs.report(runs.short))
            report = runs.report(runs.short)
            assert report["verdict"] == "PASS", (dag, cleared, report)
            (line,) = report["topics"]
            assert (line["source_records"], line["target_records"]) == (10_000, 10_000), (dag, cleared, line)
            assert check(report, "leftovers")["status"] == "pass", (dag, cleared, report)
            assert {task.state for task in runs.api.tasks(dag, runs.short)} == {"success"}, (dag, cleared)
            if dag == GROUPLESS:
                for name in ("groups", "group_offsets"):
                    assert check(report, name)["status"] == "skipped"
                    assert check(report, name)["detail"] == "MirrorMaker 1 does not copy consumer groups"
            else:
                assert check(report, "group_offsets")["status"] == "pass", (dag, cleared, report)
                assert committed(target, groups[dag], topics[dag]) == [1_234, 5_000], (dag, cleared)
            assert_nothing_runs(runs, runs.short)
        assert (Kept.on(source), Kept.on(target)) == wanted, cleared


@pytest.mark.nightly
@LONG
def test_kill_9_of_a_task_and_of_the_engine_in_mid_copy_lose_nothing(
    engines: dict[str, HostRuns], airflow_stack: Stack, rest_ports: dict[str, Any], slow_source: ReadQuota
) -> None:
    source, target = airflow_stack.source_bootstrap, airflow_stack.target_bootstrap
    topics, records = {dag: f"kill.{short}.orders" for dag, short in ENGINES.items()}, 200_000
    for topic in topics.values():
        fill(source, topic, records)
    before = Kept.on(source), Kept.on(target)
    names = {dag: f"kill-{short}" for dag, short in ENGINES.items()}
    slow_source(100_000)
    for dag, runs in engines.items():
        own = {"topics": [topics[dag]], "migration": names[dag], "duplicates": "explain", "canary": False}
        runs.api.trigger(dag, names[dag], runs.example(**own, **rest_ports[dag]))

    each_until(lambda dag: engines[dag].kill(names[dag], "deploy"))
    first: dict[str, set[int]] = {}

    def kill(dag: str) -> bool:
        runs = engines[dag]
        if not runs.copied(names[dag]):
            return False
        first[dag] = runs.processes(names[dag])
        for pid in first[dag]:
            os.kill(pid, signal.SIGKILL)
        return bool(first[dag])

    each_until(kill)
    # The source stays slow until each runs again: none can have come to its end before it was killed.
    each_until(lambda dag: bool(engines[dag].processes(names[dag]) - first[dag]))
    assert all(runs.copied(names[dag]) < records for dag, runs in engines.items())
    slow_source(0)

    for dag, runs in engines.items():
        assert runs.wait(names[dag], TIMEOUT) == "success", (dag, runs.report(names[dag]))
        report = runs.report(names[dag])
        assert report["verdict"] == "PASS", (dag, report)
        (line,) = report["topics"]
        assert line["lost"] == 0, (dag, line)
        assert line["target_records"] == records + line["duplicated"], (dag, line)
        print(f"{dag}: {line['duplicated']} records were sent again")
        assert runs.task(names[dag], "deploy").try_number >= 2, dag
        assert_nothing_runs(runs, names[dag])
    assert (Kept.on(source), Kept.on(target)) == (before[0], before[1].and_also(set(topics.values()), set()))


def test_bad_params_are_refused_with_the_cure_and_nothing_changed(
    engines: dict[str, HostRuns], airflow_stack: Stack
) -> None:
    source, target = airflow_stack.source_bootstrap, airflow_stack.target_bootstrap
    fill(source, "refused.orders", 10)
    kafka4 = airflow_stack.variables()["FERRY_KAFKA_LIBS"]
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("mirror_maker2_dedicated", {"hosts": ["nobody"]}, "connection 'nobody' does not exist. Fix: create it"),
        ("mirror_maker2_dedicated", {"source_alias": "target"}, "Fix: another source_alias"),
        ("mirror_maker2_dedicated", {"overrides": {"clusters": "a, b"}}, "param 'overrides': 'clusters'"),
        ("mirror_maker2_standalone", {"kafka_libs": f"{kafka4}/nowhere"}, "Fix: the folder with Kafka's jars"),
        ("mirror_maker1", {"kafka_libs": kafka4}, "Fix: jars of Kafka from 2.4 on, before 4.0"),
        ("mirror_maker1", {"groups": [".*"]}, "param 'groups': Value error, MirrorMaker 1 does not copy"),
    ]
    before = Kept.on(source), Kept.on(target)

    for dag in ENGINES:  # the form's own limits: Airflow makes no run at all
        with pytest.raises(AirflowApiError, match=r"HTTP 4.*tasks_max"):
            engines[dag].api.trigger(dag, "no-streams", engines[dag].example(tasks_max=0))
    with pytest.raises(AirflowApiError, match=r"HTTP 4.*hosts"):
        alone = engines["mirror_maker2_standalone"]
        alone.api.trigger(alone.dag, "two-hosts", alone.example(hosts=["local", "other"]))
    for number, (dag, conf, _) in enumerate(cases):
        runs = engines[dag]
        params = {"topics": ["refused.*"], "hosts": ["local"], "migration": f"refused-{number}", **PATIENT, **conf}
        runs.api.trigger(dag, f"refused-{number}", params)

    for number, (dag, conf, words) in enumerate(cases):
        runs, run = engines[dag], f"refused-{number}"
        assert runs.wait(run, TIMEOUT) == "failed", (dag, conf)
        assert words in " ".join(runs.report(run)["failures"]), (dag, conf, runs.report(run)["failures"])
        runs.refused_at_once(run, words)
        assert runs.task(run, "provision_topics").state == "upstream_failed"
        assert_nothing_runs(runs, run)
    assert (Kept.on(source), Kept.on(target)) == before
