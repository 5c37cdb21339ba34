"""A database to stream from, and the DAG's tasks run in order without a scheduler."""

from __future__ import annotations

import asyncio
import contextlib
import json
from types import SimpleNamespace
from typing import Any

import pymysql
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from kafka_ferry.database.spec import StreamSpec
from kafka_ferry.hooks.database.streaming import Streaming
from kafka_ferry.operators.stream import (
    StreamDeployOperator,
    StreamPlanOperator,
    StreamRemoveOperator,
    StreamReportOperator,
    StreamValidateOperator,
)
from kafka_ferry.report.storage import RunArtifacts
from kafka_ferry.sensors.stream import StreamConvergedSensor, StreamRunningSensor
from stack import Stack

DAG_ID = "stream_database_changes"
FAST = {"poll_interval": 0.5, "running_timeout": 300, "convergence_timeout": 400, "no_progress_timeout": 180}


class Shop:
    """A database of a test's own, written to by the admin.

    :param name: of the database.
    """

    def __init__(self, stack: Stack, name: str) -> None:
        self.name = name
        self.reconnect(stack)
        self.do(f"CREATE DATABASE {name}", f"USE {name}")

    def reconnect(self, stack: Stack) -> None:
        """After the server was killed."""
        self._connection = pymysql.connect(**stack.database.login(), autocommit=True, charset="utf8mb4")

    def do(self, *statements: str) -> None:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def close(self) -> None:
        """Drop the database."""
        self.do("SET sql_log_bin = 1", f"DROP DATABASE {self.name}")
        self._connection.close()


class StreamRun:
    """One run of the DAG; it remembers all that a user could see of it."""

    def __init__(self, run_id: str, **params: Any) -> None:
        self.run_id, self.params = run_id, {**FAST, **params}
        self.artifacts = RunArtifacts(DAG_ID, run_id)
        self.seen: list[str] = []

    @property
    def streaming(self) -> Streaming:
        """The stream, asked anew."""
        return Streaming(DAG_ID, StreamSpec.from_params(self.params))

    def context(self, task: str) -> Any:
        ti = SimpleNamespace(
            task_id=task,
            map_index=-1,
            try_number=1,
            xcom_push=lambda **kw: self.seen.append(str(kw)),
            get_dr_count=lambda **_: 0,  # Airflow knows of no run
        )
        return {"dag_run": SimpleNamespace(dag_id=DAG_ID, run_id=self.run_id, conf=self.params),
                "params": self.params, "ti": ti}  # fmt: skip

    def do(self, kind: type[Any], task_id: str) -> Any:
        """Execute a task; a deferred one is waited for as the triggerer does."""
        operator = kind(task_id=task_id, engine=DAG_ID)
        context = self.context(task_id)
        try:
            result = operator.execute(context)
        except TaskDeferred as deferred:
            self.seen.append(str(deferred.trigger.serialize()))
            event: Any = asyncio.run(anext(deferred.trigger.run()))
            result = operator.execute_complete(context, event.payload)
        self.seen.append(str(result))
        return result

    def plan(self) -> dict[str, Any]:
        self.do(StreamPlanOperator, "plan")
        plan: dict[str, Any] = self.artifacts.read_json("plan.json")
        return plan

    def deploy(self) -> None:
        self.do(StreamDeployOperator, "deploy")
        self.do(StreamRunningSensor, "wait_until_running")

    def converge(self) -> None:
        self.do(StreamConvergedSensor, "wait_until_converged")

    def start(self) -> dict[str, Any]:
        """Everything up to the end of the snapshot."""
        plan = self.plan()
        self.deploy()
        self.converge()
        return plan

    def validate(self) -> None:
        self.do(StreamValidateOperator, "validate")

    def remove(self) -> Any:
        return self.do(StreamRemoveOperator, "remove")

    def report(self) -> dict[str, Any]:
        """The report, whatever its verdict."""
        with contextlib.suppress(AirflowFailException):  # how a verdict FAIL ends the task; the report tells it too
            self.do(StreamReportOperator, "report")
        report: dict[str, Any] = self.artifacts.read_json("report.json")
        return report

    def events(self, table: str) -> list[dict[str, Any]]:
        """All events of a table, as JSON, without tombstones."""
        streaming = self.streaming
        topic = f"{streaming.spec.prefix}.{table}"
        found = []
        with streaming.target.reader("read_committed") as reader:
            for _, messages in reader.stream(streaming.ranges([topic])):
                found += [json.loads(message.value()) for message in messages if message.value() is not None]
        return found


def checks_of(report: dict[str, Any]) -> dict[str, str]:
    """Name to status, of those that were made."""
    return {check["name"]: check["status"] for check in report["checks"] if check["status"] != "skipped"}


def differences_of(report: dict[str, Any]) -> list[str]:
    """All that was named."""
    return [text for check in report["checks"] for text in check["differences"]]
