"""The few calls of Airflow's REST API (v2) that the demo makes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import requests

TIMEOUT_S = 90  # SQLite may keep the server waiting for a minute (stack/env.py)
FINISHED = ("success", "failed")
# Airflow's words, by status, when another of its processes held the SQLite database for more than 5 s (each seen once,
# at load 10 and 13). 500 answers to the note in its audit log, before it does anything of what was asked; 503 to a
# backfill, once it has taken away what it had made of it.
LOCKED = {500: "Database error", 503: "Database is locked"}
LOCKED_TRIES, LOCKED_WAIT_S = 5, 2.0


class AirflowApiError(Exception):
    """Airflow refused a call, or has not what the demo needs."""


@dataclass(frozen=True)
class Task:
    """One task instance of a run; ``map_index`` is -1 when it is not mapped."""

    task_id: str
    state: str | None
    map_index: int
    try_number: int

    @property
    def name(self) -> str:
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    @classmethod
    def of(cls, data: dict[str, Any]) -> Task:
        return cls(data["task_id"], data["state"], data["map_index"], data["try_number"])


class AirflowApi:
    """A logged-in user; logs in again when the token has run out.

    :raises AirflowApiError: the status is not one of success; with Airflow's own words.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self._login = url.rstrip("/"), {"username": user, "password": password}
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between us and 127.0.0.1

    def dag_is_known(self, dag_id: str) -> bool:
        """Whether the DAG processor has parsed it already."""
        return self._call("GET", f"/api/v2/dags/{dag_id}", missing_ok=True) is not None

    def import_errors(self) -> list[str]:
        """Files that do not parse, each with its stack trace."""
        found = self._get("/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}:\n{error['stack_trace']}" for error in found]

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        """Start a run with these params."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)

    def pause(self, dag_id: str, paused: bool) -> None:
        """Whether the scheduler leaves a DAG's runs alone."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": paused})

    def state(self, dag_id: str, run_id: str) -> str:
        """State of a run: queued, running, success or failed."""
        return str(self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        """All task instances of a run."""
        found = self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000")
        return [Task.of(data) for data in found["task_instances"]]

    def log(self, dag_id: str, run_id: str, task: Task) -> list[str]:
        """Lines of the last try's log."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        found = self._get(f"{path}?map_index={task.map_index}&full_content=true")
        lines = [line for entry in found["content"] for line in log_lines(entry)]
        return [line for line in lines if "::group::" not in line and "::endgroup::" not in line]

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._call("GET", path)
        return answer or {}

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, missing_ok: bool = False
    ) -> dict[str, Any] | None:
        for left in reversed(range(LOCKED_TRIES)):
            response = self._send(method, path, body)
            if response.status_code == 401:
                self._log_in()
                response = self._send(method, path, body)
            words = LOCKED.get(response.status_code)
            # 3.3.2 cannot list asset events while a run that one of them began is still queued (no start date yet).
            read_only = method == "GET" and response.status_code == 500
            if not (read_only or (words and words in response.text)) or not left:
                break
            time.sleep(LOCKED_WAIT_S)
        if response.status_code == 404 and missing_ok:
            return None
        if not response.ok:
            raise AirflowApiError(f"{method} {path}: HTTP {response.status_code}: {response.text[:2000]}")
        answer: dict[str, Any] = response.json()
        return answer

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> requests.Response:
        headers = {"Accept": "application/json"}  # the log endpoint would send plain text
        return self._session.request(method, self.url + path, json=body, headers=headers, timeout=TIMEOUT_S)

    def _log_in(self) -> None:
        response = self._send("POST", "/auth/token", self._login)
        if not response.ok:
            raise AirflowApiError(f"login as {self._login['username']}: HTTP {response.status_code}")
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"


def log_lines(entry: str | dict[str, Any]) -> list[str]:
    """Readable lines of one log entry: its text, and the exceptions it carries."""
    if isinstance(entry, str):
        return entry.splitlines()
    lines = [f"{entry.get('level', '')} {entry.get('event', '')}".strip()]
    for error in entry.get("error_detail") or []:
        frames = error.get("frames") or []
        lines += [f"    {frame['filename']}:{frame['lineno']} in {frame['name']}" for frame in frames[-5:]]
        lines.append(f"    {error.get('exc_type', 'error')}: {error.get('exc_value', '')}")
    return lines
