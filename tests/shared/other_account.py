"""A second S3 server beside the stack's, as of another account: it takes other keys."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.health import status_of
from stack.ports import HOST, PortLease

KEY, SECRET = "elsewhere", "elsewhere-not-a-secret"


@dataclass(frozen=True)
class OtherAccount:
    """:param data: its buckets are the folders in it."""

    url: str
    data: Path

    def connection(self, key: str = KEY, secret: str = SECRET) -> str:
        """An Airflow connection to it, as the environment has it."""
        extra = {"region_name": "eu-west-1", "service_config": {"s3": {"endpoint_url": self.url}}}
        return json.dumps({"conn_type": "aws", "login": key, "password": secret, "extra": extra})


@contextmanager
def other_account(folder: Path, *buckets: str) -> Iterator[OtherAccount]:
    """Start it, wait until it answers, and end it. Its process is in our group: Ctrl-C ends it, too."""
    for bucket in buckets:
        (folder / bucket).mkdir(parents=True)
    lease = PortLease()
    port = lease.take()
    rclone = str(Path(sys.executable).with_name("rclone"))
    command = [rclone, "serve", "s3", str(folder), "--config", "/dev/null", "--addr", f"{HOST}:{port}"]
    process = subprocess.Popen([*command, "--auth-key", f"{KEY},{SECRET}", "--vfs-cache-mode", "off"])
    try:
        url, deadline = f"http://{HOST}:{port}", time.monotonic() + 60
        while not _answers(url):
            assert process.poll() is None, "it did not start"
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.05)
        lease.release()
        yield OtherAccount(url, folder)
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return status_of(url) in (400, 403)
    except OSError:
        return False
