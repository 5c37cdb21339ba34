"""A database to stream from, and the DAG's tasks run in order without a scheduler."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pymysql
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.jobs.cdc.live.cdc_stream import CdcStream
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.cdc.sensors import StreamConvergedSensor, StreamRunningSensor
from kafka_ferry.jobs.cdc.tasks import (
    StreamDeployOperator,
    StreamPlanOperator,
    StreamRemoveOperator,
    StreamReportOperator,
    StreamValidateOperator,
)
from stack import Stack
from tasks_by_hand import TasksByHand

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


class StreamRun(TasksByHand):
    """One run of the DAG."""

    def __init__(self, run_id: str, **params: Any) -> None:
        super().__init__(DAG_ID, run_id, DAG_ID, {**FAST, **params})

    @property
    def stream(self) -> CdcStream:
        """The stream, asked again."""
        return CdcStream(DAG_ID, StreamSpec.from_params(self.params))

    def plan(self) -> dict[str, Any]:
        self.do(StreamPlanOperator, "plan")
        return self.written("plan.json")

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
        return self.written("report.json")

    def events(self, table: str) -> list[dict[str, Any]]:
        """All events of a table, as JSON, without tombstones."""
        stream = self.stream
        topic = f"{stream.spec.prefix}.{table}"
        found = []
        with stream.target.reader("read_committed") as reader:
            for _, messages in reader.stream(stream.ranges([topic])):
                found += [json.loads(value) for message in messages if (value := message.value()) is not None]
        return found


def checks_of(report: dict[str, Any]) -> dict[str, str]:
    """Name to status, of those that were made."""
    return {check["name"]: check["status"] for check in report["checks"] if check["status"] != "skipped"}


def differences_of(report: dict[str, Any]) -> list[str]:
    """All that was named."""
    return [text for check in report["checks"] for text in check["differences"]]
