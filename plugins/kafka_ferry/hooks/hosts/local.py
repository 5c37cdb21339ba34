"""The machine the task runs on, as a host."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.hosts.host import LOCAL, Output


class LocalHost:
    """Runs scripts in a shell of this machine, as the user Airflow's task runs as.

    What it starts does not inherit Airflow's own variables: connections (with their secrets) may stand in them.
    """

    name = LOCAL
    address = "127.0.0.1"

    def run(self, command: str, *, timeout: float = 60) -> Output:
        env = {key: value for key, value in os.environ.items() if not key.lstrip("_").startswith("AIRFLOW")}
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", 'eval "$(cat)"'],
                input=command.encode(),
                capture_output=True,
                timeout=timeout,
                check=False,
                env=env,
                cwd=Path.home(),
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            # Without its cause: that would show the script's output so far.
            raise TransientError(f"host {self.name}: a script did not end within {timeout:g} s") from None
        beat()
        return Output(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def write(self, path: str, content: bytes, mode: int = 0o600) -> None:
        file = Path(path).expanduser()
        try:
            for folder in reversed(file.parents):  # `parents=True` would make all but the last with the umask
                folder.mkdir(mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # with mode 0600
            try:
                with os.fdopen(handle, "wb") as out:
                    os.fchmod(out.fileno(), mode)
                    out.write(content)
                Path(temporary).replace(file)
            except OSError:
                with contextlib.suppress(FileNotFoundError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise TransientError(f"host {self.name}: cannot write {path}: {error.strerror}") from error

    def read(self, path: str, *, tail_bytes: int | None = None) -> bytes | None:
        try:
            with Path(path).expanduser().open("rb") as file:
                if tail_bytes is not None:
                    size = file.seek(0, os.SEEK_END)
                    file.seek(max(0, size - tail_bytes))
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TransientError(f"host {self.name}: cannot read {path}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing is open."""
