"""The double of MSK Connect as a process of the stack, with real Connect workers behind it.

The workers are processes of its own, with its mark: they end with it. It forgets its connectors when it ends; their
offsets stay in the topics on the target cluster.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stack import s3
from stack.broker import Broker
from stack.cluster import Kind
from stack.health import get_json, post_json
from stack.msk import ACCOUNT
from stack.ports import HOST
from stack.service import Service
from stack.state import State

#: Names in botocore of what it answers for; S3 is the stack's own.
SERVICES = ("kafkaconnect", "kafka", "logs", "iam")
BUCKET = "ferry-plugins"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ferry-connect"  # the double's IAM has it


def url(state: State) -> str:
    """For boto3's ``endpoint_url``."""
    return f"http://{HOST}:{state.ports['msk']}"


class MskDouble(Service):
    """``python -m stack.msk``; plugins are read from the stack's S3 server, where the bucket ``ferry-plugins`` is made.

    :param jars: of its workers, and ``kind`` of which the version is theirs.
    :param target: the cluster behind ``stack.msk.CLUSTER``.
    """

    start_timeout = 60.0  # seconds; measured 2: it reads four of botocore's models
    stop_grace = 10.0

    def __init__(
        self, folder: Path, state: State, java: str, jars: Path, target: Broker, kind: Kind | None = None
    ) -> None:
        super().__init__("msk", folder, state)
        self._java, self._jars, self._target, self._kind = java, jars, target, kind or Kind()

    @property
    def url(self) -> str:
        """For boto3's ``endpoint_url``."""
        return url(self.state)

    @property
    def _buckets(self) -> Path:
        return self.folder / "data" / "s3"

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "stack.msk", "--port", str(self.state.ports["msk"])),
            *("--bootstrap", self._target.bootstrap, "--buckets", str(self._buckets)),
            *("--folder", str(self.folder / "data" / "msk"), "--java", self._java, "--jars", str(self._jars)),
            *(["--before-4"] if self._kind.before_4 else []),
        ]

    def environment(self) -> Mapping[str, str]:
        # Its workers find these keys as those on AWS find the service role's.
        role = {"AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET}
        return {"PYTHONPATH": str(Path(__file__).resolve().parent.parent), **role}

    def prepare(self) -> None:
        (self._buckets / BUCKET).mkdir(parents=True, exist_ok=True)
        (self.folder / "data" / "msk").mkdir(parents=True, exist_ok=True)

    def problem(self) -> str | None:
        self.workers()
        return None

    def workers(self) -> dict[str, Any]:
        """Connector name → ``{"pid", "log"}`` of its worker, for tests that hurt it."""
        return get_json(f"{self.url}/_double/workers")

    def plan(self, **faults: Any) -> None:
        """Ask for faults, see ``stack.msk.faults.Faults``."""
        post_json(f"{self.url}/_double/faults", faults)
