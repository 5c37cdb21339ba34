"""Runs of our DAGs in a real Airflow scheduler: triggered, waited for, cleared; and what slows them down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import requests
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from demo.airflow_api import FINISHED, AirflowApi, Task
from kafka_ferry.report.artifacts import RunArtifacts
from stack import Stack
from stack.jars import cache_folder, jars_folder
from stack.java import find_java
from stack.service import java_command
from stack.stack import PROJECT

FAST = {"poll_interval": 1, "no_progress_timeout": 60, "running_timeout": 60, "convergence_timeout": 240}


@dataclass
class Runs:
    """Runs of a DAG, as a user at the REST API sees them."""

    stack: Stack
    api: AirflowApi
    dag: str = "mirror_maker2_on_connect"

    def trigger(self, name: str, **conf: Any) -> str:
        self.api.trigger(self.dag, name, {"migration": name, **FAST, **conf})
        return name

    def wait(self, run_id: str, timeout: float = 300) -> str:
        deadline = time.monotonic() + timeout
        while (state := self.api.state(self.dag, run_id)) not in FINISHED:
            assert time.monotonic() < deadline, f"{run_id} still {state}: {self.api.tasks(self.dag, run_id)}"
            time.sleep(0.5)
        return state

    def clear(self, run_id: str, task: str, downstream: bool = True, wait: bool = True) -> str:
        body = {
            "dag_run_id": run_id,
            "task_ids": [task],
            "only_failed": False,
            "include_downstream": downstream,
            "reset_dag_runs": True,
            "dry_run": False,
        }
        self.api._call("POST", f"/api/v2/dags/{self.dag}/clearTaskInstances", body)
        return self.wait(run_id) if wait else "running"

    def artifact(self, run_id: str, name: str) -> Any:
        path = self.path(run_id) / name
        return json.loads(path.read_text()) if path.exists() else None

    def path(self, run_id: str) -> Path:
        root = artifacts_folder(self.stack)
        return Path(RunArtifacts(self.dag, run_id, root).path("report.json")).parent

    def report(self, run_id: str) -> dict[str, Any]:
        report: dict[str, Any] = self.artifact(run_id, "report.json")
        return report

    def task(self, run_id: str, task_id: str) -> Task:
        return next(task for task in self.api.tasks(self.dag, run_id) if task.task_id == task_id)

    def refused_at_once(self, run_id: str, words: str) -> None:
        """The try of the plan that said the words was its last: no other was made for them.

        A try before it may have been lost by Airflow itself (its server answers HTTP 5xx under load); that one is made
        again, rightly, and has not said them.
        """
        last = self.task(run_id, "plan")
        assert last.state == "failed", last
        logs = {n: self.api.log(self.dag, run_id, replace(last, try_number=n)) for n in range(1, last.try_number + 1)}
        said = [number for number, lines in logs.items() if words in " ".join(lines)]
        assert said == [last.try_number], logs

    def copied(self, run_id: str) -> int:
        """Offsets of the source that were on the target when the wait looked last."""
        path = self.path(run_id) / "progress.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return int(json.loads(lines[-1])["offsets"]) if lines else 0

    def pid(self, run_id: str, task_id: str) -> int:
        """The process of a task, which Airflow names; 0: it does not run now."""
        found = self.api._get(f"/api/v2/dags/{self.dag}/dagRuns/{run_id}/taskInstances/{task_id}")
        pid = int(found["pid"] or 0) if found["state"] == "running" else 0
        return pid if pid and psutil.pid_exists(pid) else 0

    def kill(self, run_id: str, task_id: str, how: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to the process of a task; False: it does not run now."""
        if not (pid := self.pid(run_id, task_id)):
            return False
        os.kill(pid, how)
        return True

    def until(self, run_id: str, what: Callable[[], bool], timeout: float = 120) -> None:
        deadline = time.monotonic() + timeout
        while not what():
            state, tasks = self.api.state(self.dag, run_id), self.api.tasks(self.dag, run_id)
            assert state not in FINISHED, f"{run_id} ended: {tasks}"
            assert time.monotonic() < deadline, tasks
            time.sleep(0.2)

    def nothing_is_left(self, run_id: str, alias: str | None = None) -> None:
        """No connector and no topic of MirrorMaker 2's own."""
        names = requests.get(f"{self.stack.connect_url}/connectors", timeout=30).json()
        assert not [name for name in names if f".{run_id}." in name]
        topics = AdminClient({"bootstrap.servers": self.stack.target_bootstrap}).list_topics(timeout=10).topics
        own = {f"mm2-offset-syncs.{alias or run_id}.internal", f"{alias or run_id}.checkpoints.internal"}
        assert not own & topics.keys()


def artifacts_folder(stack: Stack) -> str:
    """Of all runs, on this machine; the stack's S3 keeps objects as files."""
    root = stack.variables()["FERRY_ARTIFACTS"]
    return str(stack.s3.data / root.rpartition("@")[2]) if root.startswith("s3://") else root


def fill(bootstrap: str, topic: str, records: int, partitions: int = 2, size: int = 100) -> None:
    """The same records on every call: a topic filled so on both sides is a perfect copy."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, partitions, 1, config={"retention.ms": "-1"})])[topic].result(30)
    settings = {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000, "enable.idempotence": True}
    # Small batches: one larger than a quota allows in its window would never be delivered under slow_source.
    settings["batch.size"] = 16_384
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for i in range(records):
        producer.produce(
            topic,
            key=f"{i}",
            value=f"{i:0{size}}",
            headers=[("n", f"{i}".encode())],
            timestamp=1_700_000_000_000 + i,
            partition=i % partitions,
        )
        if i % 10000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


class ReadQuota:
    """A real quota on the source, for every client that reads: time for something to happen.

    ``quota(bytes_per_second)`` sets it, 0 lifts it. The first ten seconds' worth comes at once.
    """

    key, cluster = "consumer_byte_rate", "source"

    def __init__(self, stack: Stack) -> None:
        self._stack, self._now = stack, 0

    def __call__(self, rate: int) -> None:
        if rate != self._now:
            self._alter(*(["--add-config", f"{self.key}={rate}"] if rate else ["--delete-config", self.key]))
            self._now = rate

    def _alter(self, *change: str) -> None:
        jars = jars_folder(cache_folder(PROJECT))
        where = [
            "--bootstrap-server",
            self._stack.broker(self.cluster).bootstrap,
            "--entity-type",
            "clients",
            "--entity-default",
        ]
        command = java_command(find_java(print), jars, "kafka.admin.ConfigCommand", "--alter", *change, *where)
        subprocess.run(command, check=True, capture_output=True, timeout=60)


class WriteQuota(ReadQuota):
    """The same on the target, for every client that writes."""

    key, cluster = "producer_byte_rate", "target"
