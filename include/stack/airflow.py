"""Airflow itself, ``airflow standalone`` with SQLite: API server and UI, scheduler, triggerer, DAG processor."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from stack.health import get_json
from stack.service import Service
from stack.state import State, write_private

USER = "admin"
COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class Airflow(Service):
    """The Airflow of the stack, on the project's dags/ and plugins/."""

    start_timeout = 180.0  # seconds; measured 16–30, of which 5–15 are the creation of the database

    def __init__(self, folder: Path, state: State, variables: Mapping[str, str]) -> None:
        super().__init__("airflow", folder, state)
        self._variables = variables

    @property
    def url(self) -> str:
        """Root of its UI and REST API."""
        return self._variables["FERRY_AIRFLOW_URL"]

    def environment(self) -> Mapping[str, str]:
        return self._variables

    def command(self) -> list[str]:
        return [str(Path(sys.executable).with_name("airflow")), "standalone"]

    def prepare(self) -> None:
        home = Path(self._variables["AIRFLOW_HOME"])
        home.mkdir(parents=True, exist_ok=True)
        passwords = Path(self._variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        write_private(passwords, json.dumps({USER: self._variables["FERRY_AIRFLOW_PASSWORD"]}))
        # Files of a start that was killed; a new one refuses to run beside them.
        for stale in home.glob("*.pid"):
            stale.unlink()

    def problem(self) -> str | None:
        health = get_json(f"{self.url}/api/v2/monitor/health")
        states = {
            name: part.get("status") if isinstance(part := health.get(name), dict) else None for name in COMPONENTS
        }
        sick = [f"{name} {state}" for name, state in states.items() if state != "healthy"]
        return ", ".join(sick) or None
