"""What Maven makes, once, kept in a cache folder: each folder is whole or is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from stack.errors import StackError
from stack.process import tail

NO_MAVEN = """\
Maven (the program mvn) was not found; it fetches Kafka's jars, once. Install it:
  Debian, Ubuntu   sudo apt-get install maven
  Fedora           sudo dnf install maven
  macOS            brew install maven
Or point FERRY_CACHE at a cache folder filled on another machine."""


class MavenFailed(StackError):
    """It ended with an error, or made nothing.

    :param what: it was to do. ``log``: file with its words, whose end is shown.
    """

    def __init__(self, what: str, exit_code: int, log: Path) -> None:
        self.end = tail(log)
        super().__init__(f"Maven could not {what} (exit {exit_code}). End of {log}:\n{self.end}")


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder; made the first time, in a temporary one beside it.

    :param make: fills the temporary folder that it is given.
    """
    if folder.is_dir():
        return folder
    cache = folder.parent
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if folder.is_dir():  # another process was faster
            return folder
        for stale in cache.glob(f"{folder.name}.*/"):  # of a process that was killed
            shutil.rmtree(stale)
        temporary = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=cache))
        try:
            make(temporary)
            temporary.chmod(0o755)
            temporary.rename(folder)  # all or nothing: who is killed leaves no half-filled folder
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def find_maven() -> str:
    """:raises StackError: it is not installed; the text says how to."""
    if maven := shutil.which("mvn"):
        return maven
    raise StackError(NO_MAVEN)


def run(maven: str, java: str, pom: Path, arguments: list[str], log: Path) -> int:
    """The exit code.

    :param java: what Maven shall run on when JAVA_HOME names none.
    """
    environment = {**os.environ}
    environment.setdefault("JAVA_HOME", str(Path(java).resolve().parent.parent))
    with log.open("wb") as out:
        return subprocess.run(
            [maven, "-q", "-B", "-f", str(pom), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        ).returncode
