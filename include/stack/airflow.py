"""Airflow itself: API server with UI, scheduler (by default with LocalExecutor), triggerer and DAG processor, on SQLite
or PostgreSQL.

The four parts of ``airflow standalone``, each as a process of its own. Standalone costs 10 s more until all are healthy
(measured: it imports Airflow and checks the database before it starts them), does not pass SIGTERM on, and mixes their
logs.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from stack.errors import StackError
from stack.health import get_json
from stack.postgres import Postgres
from stack.process import with_path
from stack.service import Service
from stack.state import State, write_private

USER = "admin"
# command → what /api/v2/monitor/health calls it
PARTS = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "triggerer": "triggerer",
    "dag-processor": "dag_processor",
}
PROGRAM = Path(sys.executable).with_name("airflow")
PARSED = "SELECT relative_fileloc FROM dag WHERE NOT is_stale UNION SELECT filename FROM import_error"


class AirflowPart(Service):
    """One part of Airflow, on the project's dags/ and plugins/."""

    start_timeout = 180.0  # seconds; measured 15 on a quiet machine, 30 with the first creation of the database

    def __init__(self, part: str, folder: Path, state: State, variables: Mapping[str, str], home: AirflowHome) -> None:
        super().__init__(f"airflow-{part}", folder, state)
        self._part, self._variables, self._home = part, variables, home
        self.needs = home.needs

    def environment(self) -> Mapping[str, str]:
        return self._variables

    def command(self) -> list[str]:
        return [str(self._home.program), self._part]

    def prepare(self) -> None:
        self._home.prepare(self._variables)

    def problem(self) -> str | None:
        health = get_json(f"{self._variables['FERRY_AIRFLOW_URL']}/api/v2/monitor/health")
        name = PARTS[self._part]
        part = health.get(name)
        if not isinstance(part, dict) or part.get("status") != "healthy":
            return f"its health is {part}"
        if self._part == "api-server":
            return None  # it has answered; the others are known by their last sign of life only
        problem = self._problem_of_heartbeat(part.get(f"latest_{name}_heartbeat"))
        return problem or (self._home.unparsed(self._variables) if self._part == "dag-processor" else None)

    def _problem_of_heartbeat(self, heartbeat: str | None) -> str | None:
        """The last sign of life may be that of the process before this one, killed a moment ago."""
        running = self.running
        if heartbeat is None or running is None:
            return "no heartbeat"
        beat = datetime.fromisoformat(heartbeat).timestamp()
        return None if beat >= running.create_time else "no heartbeat since its start"


class AirflowHome:
    """AIRFLOW_HOME with its database, made once for the four parts.

    :param cache: where an empty, migrated database is kept for the next new home; a copy saves 5–15 s.
    :param program: the command ``airflow`` of a venv.
    :param postgres: the server that its database is on; None: it is a file of SQLite's.
    """

    def __init__(self, cache: Path, program: Path = PROGRAM, postgres: Postgres | None = None) -> None:
        self._cache, self._lock, self._ready = cache, threading.Lock(), False
        self.program, self._version = program, _version(program)
        self._postgres = postgres

    @property
    def needs(self) -> tuple[str, ...]:
        """Services that must be ready before any part may start."""
        return () if self._postgres is None else (self._postgres.name,)

    def prepare(self, variables: Mapping[str, str]) -> None:
        """Make or refresh the home; further calls do nothing."""
        with self._lock:
            if self._ready:
                return
            home = Path(variables["AIRFLOW_HOME"])
            home.mkdir(parents=True, exist_ok=True)
            self.write_config(home)
            passwords = {USER: variables["FERRY_AIRFLOW_PASSWORD"]}
            write_private(Path(variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), json.dumps(passwords))
            if self._postgres is None:
                self._prepare_file(home, variables)
            else:
                self._prepare_server(self._postgres, variables)
            self._ready = True

    @staticmethod
    def write_config(home: Path) -> None:
        """An empty one: else the parts would each write their own, with different random keys."""
        config = home / "airflow.cfg"
        if not config.exists():
            config.write_text("# All settings of the embedded stack are environment variables: see env beside this.\n")

    def unparsed(self, variables: Mapping[str, str]) -> str | None:
        """Which DAG files nobody has read yet: a trigger of theirs would be answered with 404. None: all were read,
        with or without an error; the UI shows that."""
        folder = Path(variables["AIRFLOW__CORE__DAGS_FOLDER"])
        # Airflow reads no others ([core] dag_discovery_safe_mode).
        files = {path.name for path in folder.glob("*.py") if {b"dag", b"airflow"} <= _words(path.read_bytes())}
        try:
            known = {Path(str(name)).name for (name,) in self._rows(PARSED, variables)}
        except (OSError, sqlite3.OperationalError) as error:
            return f"which DAGs were parsed cannot be read: {error}"
        left = sorted(files - known)
        return f"not parsed yet: {', '.join(left)}" if left else None

    def _rows(self, query: str, variables: Mapping[str, str]) -> list[tuple[object, ...]]:
        if self._postgres is not None:
            return self._postgres.rows(query)
        database = f"file:{Path(variables['AIRFLOW_HOME']) / 'airflow.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(database, uri=True, timeout=5)) as connection:
            return list(connection.execute(query))

    def _prepare_server(self, postgres: Postgres, variables: Mapping[str, str]) -> None:
        version = postgres.data / "airflow.version"  # in there, so that it goes when the data does
        if not version.exists() or version.read_text() != self._version:
            self._migrate(variables)
            version.write_text(self._version)

    def _prepare_file(self, home: Path, variables: Mapping[str, str]) -> None:
        database, version = home / "airflow.db", home / "airflow.db.version"
        if not database.exists():
            copy = home / "airflow.db.copy"
            shutil.copyfile(self._empty_database(), copy)
            copy.replace(database)
        elif version.exists() and version.read_text() != self._version:
            self._migrate(variables)
        version.write_text(self._version)

    def _empty_database(self) -> Path:
        empty = self._cache / f"airflow-{self._version}.db"
        with FileLock(self._cache / f"{empty.name}.lock"):
            if not empty.exists():
                with tempfile.TemporaryDirectory(prefix="airflow-", dir=self._cache) as home:
                    url = f"sqlite:///{home}/airflow.db"  # whatever the shell of the user exports
                    names = {"AIRFLOW_HOME": home, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}
                    self._migrate({**names, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"})
                    (Path(home) / "airflow.db").rename(empty)
        return empty

    def _migrate(self, variables: Mapping[str, str]) -> None:
        command = [str(self.program), "db", "migrate"]
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=with_path(variables), check=False
        )
        if run.returncode:
            raise StackError(f"airflow db migrate failed:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")


def _version(program: Path) -> str:
    """Of the Airflow that a command is of."""
    if program == PROGRAM:
        return importlib.metadata.version("apache-airflow")
    ask = "import importlib.metadata; print(importlib.metadata.version('apache-airflow'))"
    python = program.with_name("python")
    return subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def _words(content: bytes) -> set[bytes]:
    lower = content.lower()
    return {word for word in (b"dag", b"airflow") if word in lower}
