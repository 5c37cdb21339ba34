"""An S3 server on a local folder: ``rclone serve s3``.

Chosen over moto's server: objects are files, so they outlive a restart and a backup of many GB takes no memory
(measured on rclone 1.75.2: 2 GiB in 64 MiB parts, 120 MB at most; multipart uploads, paging and ranged reads work).
It is no full S3: ``If-None-Match`` on PUT is ignored (measured), and no versions are kept.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from stack.health import status_of
from stack.ports import HOST
from stack.service import Service
from stack.state import State

# Not an account: keys that any emulator takes and AWS refuses.
NAME = "s3"
ACCESS_KEY, SECRET = "ferry", "ferry-not-a-secret"
BUCKET = "ferry-backups"

#: Keys of an ``aws`` connection, as the workers' file of secrets has them.
KEYS = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET}


def properties() -> str:
    """The workers' file of secrets."""
    return "".join(f"{name}={value}\n" for name, value in KEYS.items())


class S3Server(Service):
    """Its buckets are the folders in ``data/s3``; ``ferry-backups`` is made at the start.

    :param buckets: that are made, too.
    """

    start_timeout = 30.0  # seconds; measured 0.6
    stop_grace = 5.0

    def __init__(self, folder: Path, state: State, buckets: Collection[str] = ()) -> None:
        super().__init__(NAME, folder, state)
        self._buckets = (BUCKET, *buckets)

    @property
    def url(self) -> str:
        """The endpoint, for boto3's ``endpoint_url``."""
        return f"http://{HOST}:{self.state.ports['s3']}"

    @property
    def data(self) -> Path:
        """Its objects, as files."""
        return self.folder / "data" / "s3"

    def prepare(self) -> None:
        for bucket in self._buckets:
            (self.data / bucket).mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        # The keys are public ones: that `ps` shows them tells nobody anything.
        return [
            str(Path(sys.executable).with_name("rclone")),
            *("serve", "s3", str(self.data), "--config", "/dev/null"),
            *("--addr", f"{HOST}:{self.state.ports['s3']}", "--auth-key", f"{ACCESS_KEY},{SECRET}"),
            *("--vfs-cache-mode", "off"),
        ]

    def problem(self) -> str | None:
        status = status_of(self.url)
        # An unsigned request is refused, by a server that is there.
        return None if status in (400, 403) else f"it answers HTTP {status}"
