"""Ready means that every DAG file was read: a trigger would meet 404 before."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from stack import health
from stack.airflow import AirflowHome


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "dags").mkdir()
    for name in ("one", "two"):
        (tmp_path / "dags" / f"{name}.py").write_text("from airflow.sdk import DAG\n")
    (tmp_path / "dags" / "words.py").write_text("WORDS = 1\n")
    return {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags")}


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "airflow.db", isolation_level=None)
    connection.execute("CREATE TABLE dag (relative_fileloc TEXT, is_stale BOOLEAN)")
    connection.execute("CREATE TABLE import_error (filename TEXT)")
    return connection


def test_it_names_the_files_that_nobody_read_yet(
    tmp_path: Path, variables: dict[str, str], database: sqlite3.Connection
) -> None:
    home = AirflowHome(tmp_path)
    assert home.unparsed(variables) == "not parsed yet: one.py, two.py"
    database.execute("INSERT INTO dag VALUES ('one.py', 0), ('two.py', 1)")
    assert home.unparsed(variables) == "not parsed yet: two.py", "stale: read once, and not there any more"
    database.execute("INSERT INTO import_error VALUES ('two.py')")
    assert home.unparsed(variables) is None, "an error is shown in the UI, and waited for by nobody"


def test_a_database_that_is_not_there_yet_is_no_crash(tmp_path: Path, variables: dict[str, str]) -> None:
    assert "cannot be read" in str(AirflowHome(tmp_path).unparsed(variables))


def test_what_is_waited_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_TELL_EVERY", 0.2)
    told: list[str] = []
    why = health.wait_until_healthy(lambda: "not parsed yet: x.py", lambda: True, 1, threading.Event(), told.append)
    assert why == "not healthy after 1 s: not parsed yet: x.py"
    assert 1 <= len(told) <= 5
    assert told[0].endswith("s: not parsed yet: x.py")
