"""The wheel with all extras on older Airflows: DAGs load, a migration and a backup pass, what is skipped is skipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stack import Stack, s3
from stack.jars import cache_folder
from stack.stack import PROJECT
from wheel_airflow import DAG_IDS, WheelAirflow, build_wheel, make_venv, packages_of, put_wheel, versions

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1_200)]

#: Loads every DAG and every module, and tells the Python warnings that they cause.
LOADS = """
import importlib, json, sys, warnings
from pathlib import Path

warned = []
def note(message, category, filename, lineno, file=None, line=None):
    warned.append(f"{category.__name__}: {message} ({filename}:{lineno})")

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before 3.2
    from airflow.models.dagbag import DagBag
import kafka_ferry

warnings.showwarning = note  # Airflow has put its own there
warnings.simplefilter("always")
bag = DagBag(sys.argv[1])
package = Path(kafka_ferry.__file__).parent
modules = []
for path in sorted(package.rglob("*.py")):
    inside = path.relative_to(package)
    if inside.parts[0] != "dags":
        modules.append(".".join(["kafka_ferry", *inside.with_suffix("").parts]).removesuffix(".__init__"))
        importlib.import_module(modules[-1])
# pydantic names its own file; it is used as nobody else does.
places = (str(package), sys.argv[1], "kafka_ferry", "Pydantic")
ours = [text for text in warned if any(place in text for place in places)]
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "modules": len(modules), "warned": ours}))
"""


@pytest.fixture(scope="module", params=versions())
def airflow(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> WheelAirflow:
    version: str = request.param
    wheel = build_wheel(tmp_path_factory.mktemp("dist"))
    python = make_venv(cache_folder(PROJECT) / "airflows" / version, *packages_of(version))
    put_wheel(python, wheel)
    said = {name: value for name, value in stack.variables().items() if name.startswith("AIRFLOW_CONN_")}
    made = WheelAirflow(python, tmp_path_factory.mktemp(f"airflow-{version}") / "home", said)
    made.start()
    assert version in made.airflow("version")
    return made


@pytest.fixture
def topic(stack: Stack, make_topics: Any, produce: Callable[..., None], topic_prefix: str) -> str:
    """A topic of the source with 1,000 records."""
    name = f"{topic_prefix}a"
    make_topics(stack.source_bootstrap, name, partitions=2)
    produce(stack.source_bootstrap, name, 1_000)
    return name


def test_all_loads_without_a_warning_of_ours(airflow: WheelAirflow) -> None:

    told = json.loads(airflow.script(LOADS, str(airflow.home / "dags")).splitlines()[-1])
    assert set(told["dags"]) == DAG_IDS
    assert told["errors"] == {}
    assert told["modules"] > 300
    assert told["warned"] == []


def test_airflow_knows_the_provider_and_the_plugin(airflow: WheelAirflow) -> None:
    assert "kafka-ferry" in airflow.airflow("providers", "get", "kafka-ferry")
    hooks = {one["connection_type"]: one for one in airflow.listed("providers", "hooks")}
    assert hooks["kafka_connect"]["package_name"] == "kafka-ferry"
    (found,) = (one for one in airflow.listed("plugins") if one["name"] == "kafka_ferry")
    assert "kafka-ferry==" in str(found["source"])
    has_tab = "/kafka-ferry/report/{DAG_ID}/{RUN_ID}" in str(found)
    assert has_tab == (f"\n{versions()[0]}\n" not in f"\n{airflow.airflow('version')}\n"), "a tab from 3.1 on"


def test_a_migration_and_a_backup_with_its_restore_pass(airflow: WheelAirflow, topic: str) -> None:
    name = topic.removesuffix("-a")
    run = airflow.run_dag("mirror_maker2_on_connect", migration=name, topics=[topic], poll_interval=1)
    assert (run.report["verdict"], run.report["failures"]) == ("PASS", [])
    assert run.report["topics"][0]["target_records"] == 1_000
    assert set(run.states.values()) == {"success"}
    assert run.warnings == []

    # Its question to a person is Airflow's own, with other arguments in each version, and none before 3.1.
    cutover: dict[str, Any] = {"migration": name, "topics": [topic], "fence": "prove", "dry_run": True}
    asks = f"\n{versions()[0]}\n" not in f"\n{airflow.airflow('version')}\n"
    run = airflow.run_dag("cutover", fails=not asks, **cutover, approval=True)
    if not asks:
        assert "param 'approval' is on, and this Airflow cannot ask a person" in run.report["failures"][0]
        run = airflow.run_dag("cutover", **cutover)
    assert run.states["plan"] == "success"
    assert run.warnings == []

    stored = {"backup": name, "location": f"s3://{s3.BUCKET}/versions/{name}"}
    for dag, params in {
        "backup_topics": {**stored, "topics": [topic]},
        "verify_backup": stored,  # reads every object
        "restore_topics": {**stored, "topics": [topic], "rename": {topic: f"{topic}.restored"}, "acls": "none"},
    }.items():
        run = airflow.run_dag(dag, **params)
        assert (dag, run.report["verdict"], run.report["failures"]) == (dag, "PASS", [])
        assert set(run.states.values()) <= {"success", "skipped"}
        assert run.warnings == []
    assert run.report["topics"][0]["target_records"] == 1_000


def test_a_dry_run_skips_all_but_the_plan(airflow: WheelAirflow, topic: str) -> None:
    run = airflow.run_dag("mirror_maker2_on_connect", migration="dry", topics=[topic], dry_run=True)
    assert {task for task, state in run.states.items() if state != "skipped"} == {"plan"}
    assert run.states["plan"] == "success"


def test_a_refusal_comes_at_once_names_the_fix_and_is_reported(airflow: WheelAirflow, topic: str) -> None:
    """What ``AirflowFailException`` and ``AirflowNotFoundException`` are differs between versions."""
    run = airflow.run_dag(
        "mirror_maker2_on_connect", fails=True, migration="nobody", topics=[topic], source_conn_id="nobody"
    )
    assert "connection 'nobody' does not exist" in run.report["failures"][0]
    assert run.report["verdict"] == "FAIL"
    assert (run.states["plan"], run.states["deploy"]) == ("failed", "upstream_failed")
    tries = airflow.query("SELECT try_number FROM task_instance WHERE run_id = ? AND task_id = 'plan'", run.run_id)
    assert tries == [(1,)], "it is not worth another try"
