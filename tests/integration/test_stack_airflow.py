"""Airflow in the embedded stack: a run over REST with a deferral, and the loss of one of its parts."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request

import pytest

from stack import Stack, process
from stack.jars import cache_folder
from stack.stack import PROJECT

pytestmark = pytest.mark.integration

DAG = """
import pendulum
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import BaseHook, dag, task

@dag(schedule=None, default_args={"retries": 2})
def probe():
    @task
    def read_connection():
        return BaseHook.get_connection("kafka_source").extra_dejson["bootstrap.servers"]

    wait = DateTimeSensorAsync(task_id="wait", target_time=pendulum.now().add(seconds=5).isoformat())
    wait >> read_connection()

probe()
"""


def call(values: dict[str, str], path: str, body: object = None, token: str | None = None) -> dict:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{values['FERRY_AIRFLOW_URL']}{path}", data=data, headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)


def test_airflow_runs_dags_on_the_stack_and_loses_no_part(tmp_path, monkeypatch):
    monkeypatch.setenv("FERRY_CACHE", str(cache_folder(PROJECT)))  # not one of the project of this test
    for name in ("dags", "plugins"):
        (tmp_path / name).mkdir()
    (tmp_path / "dags" / "probe.py").write_text(DAG)
    stack = Stack(tmp_path / "stack", airflow=True, owner_pid=os.getpid(), report=print, project=tmp_path)
    try:
        stack.up()
        values = stack.variables()
        login = {"username": values["FERRY_AIRFLOW_USER"], "password": values["FERRY_AIRFLOW_PASSWORD"]}
        token = call(values, "/auth/token", login)["access_token"]

        # From a shell of the user, as the README says.
        listed = subprocess.run(
            ["sh", "-ec", f". {stack.folder / 'env'}; airflow dags list -o json"],
            capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}, cwd="/",
        )  # fmt: skip
        assert "probe" in listed.stdout

        before = {line.name: line.pid for line in stack.status()}
        stack.service("airflow-scheduler").kill9()
        stack.up()
        after = {line.name: line.pid for line in stack.status()}
        assert {name for name in before if before[name] != after[name]} == {"airflow-scheduler"}

        run = call(values, "/api/v2/dags/probe/dagRuns", {"logical_date": None}, token)["dag_run_id"]
        state, deadline = "queued", time.monotonic() + 120
        while state not in ("success", "failed"):
            assert time.monotonic() < deadline, f"the run is still {state}"
            time.sleep(0.5)
            state = call(values, f"/api/v2/dags/probe/dagRuns/{run}", token=token)["state"]
        assert state == "success"
        xcom = f"/api/v2/dags/probe/dagRuns/{run}/taskInstances/read_connection/xcomEntries/return_value"
        assert call(values, xcom, token=token)["value"] == stack.source_bootstrap
        mark = json.loads((stack.folder / "state.json").read_text())["id"] + ":"
    finally:
        stack.down()
    assert process.marked(mark) == []
