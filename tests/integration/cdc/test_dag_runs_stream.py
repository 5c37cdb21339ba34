"""``stream_database_changes`` in a real scheduler, with the params of its example."""

from __future__ import annotations

import json
from typing import Any

import pymysql
import pytest
import requests

from dag_runs import Runs
from demo.airflow_api import AirflowApi
from stack import Stack, mariadb
from stack.stack import PROJECT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.nightly,
    pytest.mark.timeout(1_200),
    pytest.mark.skipif(mariadb.unavailable() is not None, reason=str(mariadb.unavailable())),
]

DAG = "stream_database_changes"
EXAMPLE: dict[str, Any] = json.loads((PROJECT / "include" / "examples" / f"{DAG}.json").read_text())
FAST = {"poll_interval": 1, "running_timeout": 300, "convergence_timeout": 400, "no_progress_timeout": 180}
TIMEOUT = 500


def change(stack: Stack, *statements: str) -> None:
    connection = pymysql.connect(**stack.database.login(), autocommit=True, database="ecommerce")
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_the_example_passes_and_every_task_can_be_cleared(airflow_stack: Stack, airflow_api: AirflowApi) -> None:
    runs = Runs(airflow_stack, airflow_api, DAG)
    url = f"{airflow_stack.connect_url}/connectors"

    airflow_api.trigger(DAG, "example", {**EXAMPLE, **FAST})
    assert runs.wait("example", TIMEOUT) == "success", runs.report("example")["failures"]
    report = runs.report("example")
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert (statuses["counts"], statuses["content"], statuses["changes"]) == ("pass", "pass", "pass")
    assert requests.get(url, timeout=30).json() == [f"{DAG}.ecommerce"], "it goes on"

    change(
        airflow_stack,
        "INSERT INTO orders VALUES ('123459', '124', 'A chair', '80.00', '2021-08-17 00:00:00')",
        "UPDATE orders SET price = price + 1",
        "DELETE FROM orders WHERE order_id = '123457'",
    )
    for task in ("validate", "wait_until_converged", "deploy", "plan"):
        assert runs.clear("example", task) == "success", (task, runs.report("example")["failures"])
    checks = {check["name"]: check for check in runs.report("example")["checks"]}
    assert (checks["changes"]["status"], checks["changes"]["expected"]) == ("pass", "6")

    airflow_api.trigger(DAG, "end", {**EXAMPLE, **FAST, "keep_streaming": False, "forget": True})
    assert runs.wait("end", TIMEOUT) == "success", runs.report("end")["failures"]
    assert requests.get(url, timeout=30).json() == []

    airflow_api.trigger(DAG, "bad", {**EXAMPLE, "tables": ["ecommerce.nothing"]})
    assert runs.wait("bad", TIMEOUT) == "failed"
    (failure,) = runs.report("bad")["failures"]
    assert "param 'tables': in ecommerce: nothing matches ecommerce.nothing" in failure
