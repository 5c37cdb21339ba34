"""What the deployment does not allow, tried in a real Airflow by somebody who may only trigger: the plan refuses."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from confluent_kafka.admin import AdminClient

from dag_runs import FAST, Runs, fill
from demo.airflow_api import AirflowApi
from stack import Stack
from stack.stack import PROJECT

pytestmark = pytest.mark.integration

HOSTS = "mirror_maker2_dedicated"
SECTION = "AIRFLOW__KAFKA_FERRY__"


def cases(evil: Path, stack: Stack) -> dict[str, tuple[str, dict[str, Any], str, str]]:
    """Name → DAG, params, the param that is refused, the option that would allow it."""
    on_host = {"topics": ["forbidden.*"], "hosts": ["local"], **FAST}
    export = {"topics": ["forbidden.*"], "export": "forbidden"}
    return {
        "java": (HOSTS, {**on_host, "java": str(evil / "java")}, "java", "JAVA"),
        "jvm": (HOSTS, {**on_host, "jvm_options": "-XX:OnError=touch"}, "jvm_options", "JVM_OPTIONS"),
        "folder": (HOSTS, {**on_host, "host_folder": str(evil)}, "host_folder", "HOST_FOLDERS"),
        "libs": ("mirror_maker1", {**on_host, "groups": [], "kafka_libs": str(evil)}, "kafka_libs", "KAFKA_LIBS"),
        "setting": (
            "mirror_maker2_standalone",
            {**on_host, "overrides": {"source.consumer.interceptor.classes": "x"}}, "overrides", "SETTINGS",
        ),
        "plugin": (
            "mirror_maker2_on_msk_connect",
            {"topics": ["forbidden.*"], **FAST, "plugin_folder": str(evil)}, "plugin_folder", "PLUGIN_FOLDERS",
        ),
        "read": (
            "restore_topics", {"backup": "x", "location": f"file://{evil}", "target_conn_id": "kafka_target"},
            "location", "LOCATIONS",
        ),
        "export": ("export_topics_to_s3", {**export, "location": f"file://{evil}"}, "location", "LOCATIONS"),
        "beside": (
            "export_topics_to_s3", {**export, "location": f"file://{stack.folder}/../out"}, "location", "LOCATIONS",
        ),
    }  # fmt: skip


class World:
    """All that a refused run must leave as it is."""

    def __init__(self, stack: Stack, evil: Path) -> None:
        self._stack, self._evil = stack, evil

    def state(self) -> dict[str, Any]:
        stack = self._stack
        buckets = stack.folder / "data" / "s3"
        return {
            "topics": [sorted(_admin(url).list_topics(timeout=30).topics)
                       for url in (stack.source_bootstrap, stack.target_bootstrap)],
            "connectors": requests.get(f"{stack.connect_url}/connectors", timeout=30).json(),
            "workers": sorted(stack.msk.workers()),
            "objects": sorted(str(path) for path in buckets.rglob("*forbidden*")),
            "evil": sorted(path.name for path in self._evil.iterdir()),
            "hosts": sorted(path.name for path in (stack.folder / "hosts").glob("*")),
        }  # fmt: skip


def _admin(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap})


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A folder that nobody allowed, with a program that leaves a trace and a file that nobody is to have."""
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "secret.jar").write_bytes(b"PK\x03\x04 secret")
    return tmp_path


def test_what_nobody_allowed_is_refused_by_the_plan_with_param_and_cure(
    airflow_stack: Stack, airflow_api: AirflowApi, evil: Path
) -> None:
    fill(airflow_stack.source_bootstrap, "forbidden.orders", 10)
    world = World(airflow_stack, evil)
    tried, before = cases(evil, airflow_stack), world.state()
    runs = {name: Runs(airflow_stack, airflow_api, dag) for name, (dag, *_) in tried.items()}
    for name, (dag, conf, param, option) in tried.items():  # one by one: SQLite under Airflow takes no crowd
        run = f"forbidden-{name}"
        named = {"migration": run} if "hosts" in conf or "plugin_folder" in conf else {}
        airflow_api.trigger(dag, run, {**conf, **named})
        assert runs[name].wait(run) == "failed", name
        (failure,) = runs[name].report(run)["failures"]
        assert f"param '{param}': " in failure, (name, failure)
        assert f"{SECTION}{option}" in failure, (name, failure)
        states = {task.task_id: task.state for task in airflow_api.tasks(runs[name].dag, run)}
        runs[name].refused_at_once(run, f"param '{param}': ")
        assert states.pop("plan") == "failed", (name, states)
        assert states.pop("report") == "failed", (name, states)
        assert set(states.values()) <= {"upstream_failed", "success", "skipped"}, (name, states)
        assert "success" not in {state for task, state in states.items() if task != "remove"}, (name, states)
    assert world.state() == before
    assert not [p for p in psutil.process_iter(["cmdline"]) if "forbidden" in " ".join(p.info["cmdline"] or [])]


def test_where_nothing_is_said_no_host_is_allowed_the_machine_of_the_tasks_least(
    airflow_stack: Stack, airflow_api: AirflowApi, evil: Path
) -> None:
    """In a process of its own, as the scheduler's tasks have the stack's words: it must not take these runs up."""
    airflow_api.pause(HOSTS, True)
    try:
        _refuses_hosts(airflow_stack, evil)
    finally:
        airflow_api.pause(HOSTS, False)


def _refuses_hosts(airflow_stack: Stack, evil: Path) -> None:
    fill(airflow_stack.source_bootstrap, "forbidden.hosts", 10)
    world = World(airflow_stack, evil)
    values = {**os.environ, **airflow_stack.variables()}
    silent = {key: value for key, value in values.items() if not key.startswith(SECTION)}
    star = {**silent, f"{SECTION}HOSTS": "*"}
    reports = Path(airflow_stack.variables()["FERRY_ARTIFACTS"]) / HOSTS
    before = world.state()
    for number, (environment, host) in enumerate([(silent, "mm2-1"), (star, "local")]):
        conf = {"topics": ["forbidden.*"], "hosts": [host], "migration": f"nowhere-{number}", **FAST}
        date = f"2020-01-0{number + 1}T00:00:00+00:00"
        command = [str(PROJECT / ".venv" / "bin" / "airflow"), "dags", "test", HOSTS, date, "--conf", json.dumps(conf)]
        known = set(reports.glob("manual*/report.json"))
        made = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
        assert made.returncode != 0, made.stdout[-2000:]
        (path,) = set(reports.glob("manual*/report.json")) - known
        (failure,) = json.loads(path.read_text())["failures"]
        assert failure.startswith(f"plan: param 'hosts': {host!r}"), failure
        assert f"({SECTION}HOSTS)" in failure
        assert ("the machine that tasks run on" in failure) == (host == "local"), failure
    assert world.state() == before
