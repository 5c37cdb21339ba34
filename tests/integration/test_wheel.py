"""The wheel alone, without any extra, in a clean venv: what Airflow knows of it, its DAGs, and a migration."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stack import Stack
from stack.stack import PROJECT
from wheel_airflow import DAG_IDS, WheelAirflow, build_wheel, make_venv

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def airflow(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> WheelAirflow:
    folder = Path(os.environ["FERRY_TEST_FOLDER"]) / "wheel"
    wheel = build_wheel(folder / "dist")
    # What the lock pins is in the cache already; the wheel's own ranges have to take it.
    python = make_venv(folder / "venv", "-c", PROJECT / "requirements.txt", wheel)
    connections = {name: value for name, value in stack.variables().items() if name.startswith("AIRFLOW_CONN_")}
    made = WheelAirflow(python, tmp_path_factory.mktemp("wheel") / "home", connections)
    made.start()
    return made


def test_airflow_knows_the_provider_and_its_connection_type(airflow: WheelAirflow) -> None:
    assert "kafka-ferry" in airflow.airflow("providers", "get", "kafka-ferry")
    hooks = {one["connection_type"]: one for one in airflow.listed("providers", "hooks")}
    assert hooks["kafka_connect"]["class"] == "kafka_ferry.hooks.connect.hook.ConnectHook"
    assert hooks["kafka_connect"]["package_name"] == "kafka-ferry"


def test_the_plugin_is_loaded_once_where_a_plugins_folder_has_it_too(airflow: WheelAirflow) -> None:
    both = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins")}
    (found,) = (one for one in airflow.listed("plugins", **both) if one["name"] == "kafka_ferry")
    assert "kafka-ferry==" in str(found["source"]), "the wheel is the one that counts"
    assert "already registered" not in airflow.airflow("plugins", **both)


def test_all_dags_load_where_no_extra_is_installed(airflow: WheelAirflow) -> None:
    airflow.airflow("dags", "reserialize")
    assert {one["dag_id"] for one in airflow.listed("dags", "list")} == DAG_IDS
    assert airflow.listed("dags", "list-import-errors") == []


def test_a_migration_passes(airflow: WheelAirflow, stack: Stack, make_topics, produce, topic_prefix: str) -> None:  # type: ignore[no-untyped-def]
    make_topics(stack.source_bootstrap, f"{topic_prefix}a", partitions=2)
    produce(stack.source_bootstrap, f"{topic_prefix}a", 1_000)
    run = airflow.run_dag(
        "mirror_maker2_on_connect", migration=f"{topic_prefix}wheel", topics=[f"{topic_prefix}a"], poll_interval=1
    )
    assert (run.report["verdict"], run.report["failures"]) == ("PASS", [])
    assert run.report["topics"][0]["target_records"] == 1_000
    assert set(run.states.values()) == {"success"}
    assert run.warnings == []


def test_the_copy_command_keeps_what_was_changed(airflow: WheelAirflow, tmp_path: Path) -> None:
    changed = tmp_path / "backup_topics.py"
    changed.write_text("# mine\n")
    said = airflow.run_module("kafka_ferry.copy_dags", str(tmp_path), "backup_topics", "verify_backup")
    assert said.splitlines() == ["backup_topics.py: kept: it is another", "verify_backup.py: copied"]
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == '["backup_topics.py", "verify_backup.py"]'
    assert changed.read_text() == "# mine\n"
