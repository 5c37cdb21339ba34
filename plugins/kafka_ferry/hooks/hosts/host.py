"""A machine on which engines run as processes, and how an Airflow connection names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LOCAL = "local"  # in place of a connection id: the machine the task runs on


@dataclass(frozen=True)
class Output:
    """What a script answered.

    :param code: exit status; of a script ended by a signal, 128 + its number or negative.
    """

    code: int
    out: str
    err: str


class Host(Protocol):
    """A machine with a POSIX shell. Paths are absolute, or begin with ``~/``."""

    @property
    def name(self) -> str:
        """For people: ``local``, ``mm2-1.example``, ``i-0abc``."""

    @property
    def address(self) -> str:
        """Where ports of its processes are reached from here."""

    def run(self, command: str, *, timeout: float = 60) -> Output:
        """Run a POSIX sh script; its standard input is empty. The script stands in no command line.

        :raises TransientError: the host does not answer, or not within ``timeout`` seconds.
        :raises BadConnection: the login is refused, or the host is not the one the connection means.
        """

    def write(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file so that a reader sees all of it or nothing; missing parent folders are made with 0700.

        :raises TransientError: as for run; also when the host refuses (disk full, no right).
        """

    def read(self, path: str, *, tail_bytes: int | None = None) -> bytes | None:
        """The file's content, or its last ``tail_bytes``; None when there is no such file."""

    def close(self) -> None:
        """Let go of the connection; the next call makes a new one."""
