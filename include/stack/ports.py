"""Free TCP ports on 127.0.0.1 that two stacks starting at once never both take."""

from __future__ import annotations

import os
import random
import socket
import tempfile
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from stack.errors import StackError

HOST = "127.0.0.1"
# Below the range from which Linux (32768) and macOS (49152) take the ports of outgoing connections.
RANGE = range(20000, 30000)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As Java does on Linux and macOS: a connection in TIME_WAIT does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class PortLease:
    """Ports kept for this process until the servers listen on them.

    A port that was seen free may be seen free by a second launcher too, before the first one's server listens. So each
    port is also held by a lock file; the operating system drops the locks of a launcher that is killed.
    """

    def __init__(self, locks: Path | None = None) -> None:
        self._folder = locks or Path(tempfile.gettempdir()) / f"kafka-ferry-ports-{os.getuid()}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._held: dict[int, FileLock] = {}

    def take(self, preferred: int | None = None) -> int:
        """A port of our own: the preferred one when it is free, else any.

        :raises StackError: no port is free in the whole range.
        """
        for port in (*([preferred] if preferred else []), *random.sample(RANGE, len(RANGE))):
            if self._try(port):
                return port
        raise StackError(f"no free port between {RANGE.start} and {RANGE.stop - 1} on {HOST}")

    def _try(self, port: int) -> bool:
        if port in self._held:
            return False
        lock = FileLock(self._folder / f"{port}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        if not is_free(port):
            lock.release()
            return False
        self._held[port] = lock
        return True

    def release(self) -> None:
        """Give the locks back; by now the servers listen."""
        while self._held:
            self._held.popitem()[1].release()

    def __enter__(self) -> PortLease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
