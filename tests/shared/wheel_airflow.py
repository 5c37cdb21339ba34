"""Airflows that the wheel is installed into: a clean venv each, a home and DAGs of its own, nothing of the checkout."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.stack import PROJECT

UV = [sys.executable, "-m", "uv"]
DAG_IDS = {file.stem for file in (PROJECT / "dags").glob("*.py")}
#: Airflow's files that the tests are for; what they warn of is not ours.
_OURS = ("kafka_ferry", "/dags/")


def build_wheel(folder: Path) -> Path:
    """The wheel, built by what pyproject.toml names, as installed here."""
    _run([*UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "-q", "-o", folder, PROJECT])
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_venv(folder: Path, *packages: object) -> Path:
    """A venv with packages (arguments of ``uv pip install``) and its Python; one that was made of the same is kept."""
    python = folder / "bin" / "python"
    made_of = folder / "made-of.json"
    wanted = json.dumps([sys.version, *map(str, packages)])
    if not made_of.exists() or made_of.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _run([*UV, "venv", "-q", "--python", sys.executable, folder])
        _run([*UV, "pip", "install", "-q", "--python", python, *packages])
        made_of.write_text(wanted)
    return python


def put_wheel(python: Path, wheel: Path) -> None:
    """Install this very wheel in place of an earlier one; its dependencies are there."""
    _run([*UV, "pip", "install", "-q", "--no-deps", "--reinstall", "--python", python, wheel])


def versions() -> list[str]:
    """Those of tests/airflows.toml."""
    return [one["version"] for one in _airflows()["airflow"]]


def packages_of(version: str) -> list[str]:
    """What makes the venv of a version of Airflow: it, and all that the wheel and its extras ask for."""
    listed, project = _airflows(), tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    (about,) = (one for one in listed["airflow"] if one["version"] == version)
    later = [f"{name}={date}" for name, date in listed["later"].items()]
    return [
        *("--exclude-newer", about["before"]),
        *(word for entry in later for word in ("--exclude-newer-package", entry)),
        f"apache-airflow=={version}",
        *about.get("pins", ()),
        *project["dependencies"],
        *(package for extra in extras if extra != "all" for package in extras[extra]),
    ]


def _airflows() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "tests" / "airflows.toml").read_text())


@dataclass(frozen=True)
class WheelAirflow:
    """One Airflow with the wheel.

    :param python: of its venv.
    :param home: AIRFLOW_HOME; its ``dags``, ``plugins`` and ``artifacts`` are in it.
    :param connections: variables such as AIRFLOW_CONN_KAFKA_SOURCE.
    """

    python: Path
    home: Path
    connections: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Its database and its DAGs, as docs/install.md says."""
        self.cwd.mkdir(parents=True)
        (self.home / "plugins").mkdir()
        self.run_module("kafka_ferry.copy_dags", str(self.home / "dags"))
        self.airflow("db", "migrate")

    @property
    def cwd(self) -> Path:
        """A folder that has nothing to import."""
        return self.home / "elsewhere"

    @property
    def environment(self) -> dict[str, str]:
        left_out = ("AIRFLOW", "FERRY_", "PYTHON", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return {
            **kept,
            **self.connections,
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.home / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "FERRY_ARTIFACTS": str(self.home / "artifacts"),
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def airflow(self, *words: str, **variables: str) -> str:
        """Output of ``airflow …``, both streams.

        :raises AssertionError: it failed, with the end of what it said.
        """
        return _run([self.python.with_name("airflow"), *words], self.cwd, {**self.environment, **variables})

    def listed(self, *words: str, **variables: str) -> list[dict[str, Any]]:
        """What ``airflow … --output json`` lists."""
        said = self.airflow(*words, "--output", "json", **variables)
        lines = [line for line in said.splitlines() if line.startswith("[{") or line.strip() in ("[]", "No data found")]
        return json.loads(lines[-1]) if lines[-1].startswith("[") else []

    def run_module(self, module: str, *words: str) -> str:
        return _run([self.python, "-m", module, *words], self.cwd, self.environment)

    def script(self, text: str, *words: str) -> str:
        """Output of a Python script, run by its interpreter."""
        return _run([self.python, "-c", text, *words], self.cwd, self.environment)

    def run_dag(self, dag: str, fails: bool = False, **conf: Any) -> OneRun:
        """One run by ``airflow dags test``; its tasks, deferrals and teardowns run in one process."""
        before = self._runs(dag)
        command = [self.python.with_name("airflow"), "dags", "test", dag, "-c", json.dumps(conf)]
        said = _run(command, self.cwd, self.environment, fails=fails)
        (run_id,) = self._runs(dag) - before
        return OneRun(self, dag, run_id, said)

    def _runs(self, dag: str) -> set[str]:
        return {run_id for (run_id,) in self.query("SELECT run_id FROM dag_run WHERE dag_id = ?", dag)}

    def query(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """Rows of its database."""
        connection = sqlite3.connect(self.home / "airflow.db")
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()


@dataclass(frozen=True)
class OneRun:
    """A run that has ended, and all that was logged."""

    of: WheelAirflow
    dag: str
    run_id: str
    log: str

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any]
        reports = [json.loads(file.read_text()) for file in self.of.home.glob("artifacts/*/*/report.json")]
        (found,) = (one for one in reports if (one["dag_id"], one["run_id"]) == (self.dag, self.run_id))
        return found

    @property
    def states(self) -> dict[str, str]:
        """Task id to its state; of a mapped one any of them."""
        sql = "SELECT task_id, state FROM task_instance WHERE dag_id = ? AND run_id = ?"
        return dict(self.of.query(sql, self.dag, self.run_id))

    @property
    def warnings(self) -> list[str]:
        """Lines of Python warnings that name our files."""
        return [line for line in self.log.splitlines() if "Warning" in line and any(name in line for name in _OURS)]


def _run(
    command: Sequence[object],
    cwd: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
    fails: bool = False,
) -> str:
    run = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=cwd, env=environment, check=False,
    )  # fmt: skip
    assert (run.returncode != 0) == fails, f"{command} ended with {run.returncode}:\n{run.stdout[-4000:]}"
    return run.stdout
