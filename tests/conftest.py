"""For all tests: an Airflow home of their own, and the end of the test session's embedded stack.

Nothing heavy here: unit tests pay for it too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[1]
TEST_FOLDER = "FERRY_TEST_FOLDER"  # one per test session, shared with the workers of pytest-xdist
SESSION_PID = "FERRY_TEST_SESSION_PID"
LIVE_AWS = {f"FERRY_LIVE_AWS_{part}" for part in ("CLUSTER", "ROLE", "BUCKET", "LOG_GROUP", "CONNECTION")}
KEPT = {TEST_FOLDER, SESSION_PID, "FERRY_CACHE", *LIVE_AWS}


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported, as Airflow reads its settings when it is imported."""
    if not hasattr(config, "workerinput"):
        os.environ[TEST_FOLDER] = tempfile.mkdtemp(prefix="ferry-test-")
        os.environ[SESSION_PID] = str(os.getpid())
    # What the shell of the person who tests exports (`. .stack/env`) must not reach the tests.
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "FERRY_")) and name not in KEPT]:
        del os.environ[name]
    os.environ.update(
        AIRFLOW_HOME=str(Path(os.environ[TEST_FOLDER]) / f"airflow-{os.getpid()}"),
        AIRFLOW__CORE__DAGS_FOLDER=str(PROJECT / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(PROJECT / "plugins"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
        # Tests have folders and hosts of their own; those of what a deployment allows say so themselves.
        AIRFLOW__KAFKA_FERRY__HOSTS="local, *",
        AIRFLOW__KAFKA_FERRY__JAVA="*",
        AIRFLOW__KAFKA_FERRY__KAFKA_LIBS="/",
        AIRFLOW__KAFKA_FERRY__HOST_FOLDERS="/, ~",
        AIRFLOW__KAFKA_FERRY__PLUGIN_FOLDERS="/",
        AIRFLOW__KAFKA_FERRY__LOCATIONS="s3://, file:///",
        NO_PROXY="127.0.0.1,localhost",
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Integration tests go in two halves."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from halves import Halves

    return Halves(config, log)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The main process of the session, which ends last, stops the stacks that its tests have shared, or left."""
    if hasattr(session.config, "workerinput"):
        return
    for folder in _stacks():
        from stack import Stack

        Stack(folder).down()
        shutil.rmtree(folder / "data", ignore_errors=True)
        if exitstatus == pytest.ExitCode.OK:
            shutil.rmtree(folder)
        else:
            print(f"\nlogs of the embedded stack: {folder / 'logs'}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the session's folder, unless the logs of a stack stay in it for a failed test."""
    folder = Path(os.environ[TEST_FOLDER])
    if not hasattr(config, "workerinput") and not _stacks():
        shutil.rmtree(folder, ignore_errors=True)


def _stacks() -> list[Path]:
    return sorted(state.parent for state in Path(os.environ[TEST_FOLDER]).glob("*/state.json"))
