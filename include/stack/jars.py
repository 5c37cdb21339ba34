"""Kafka's own jars, resolved by Maven once per version of a pom.xml and kept in a cache folder.

Two sets that cannot share a class path: Kafka 4, always; and Kafka 3.9 for MirrorMaker 1, only when somebody asks for
it (``python -m stack mm1-jars``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from stack.errors import StackError
from stack.process import tail

POM = Path(__file__).with_name("pom.xml")
MM1_POM = Path(__file__).parent / "mirror-maker-1" / "pom.xml"
NO_MAVEN = """\
Maven (the program mvn) was not found; it fetches Kafka's jars, once. Install it:
  Debian, Ubuntu   sudo apt-get install maven
  Fedora           sudo dnf install maven
  macOS            brew install maven
Or point FERRY_CACHE at a cache folder filled on another machine."""


def cache_folder(project: Path) -> Path:
    """Where downloads are kept: ``FERRY_CACHE``, else ``.cache`` in the project."""
    return Path(os.environ.get("FERRY_CACHE") or project / ".cache").resolve()


def jars_folder(cache: Path, pom: Path = POM, name: str = "kafka") -> Path:
    """The folder for this very pom: another pom.xml gets another folder, so it can never be stale."""
    return cache / f"{name}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}"


def mm1_jars(cache: Path) -> Path:
    """Where the jars of MirrorMaker 1 are, or will be once ``resolve_mm1`` has fetched them."""
    return jars_folder(cache, MM1_POM, "mirror-maker-1")


def resolve_mm1(cache: Path, java: str, report: Callable[[str], None]) -> Path:
    """Folder with the jars of MirrorMaker 1 (Kafka 3.9); downloads them (46 MB) the first time.

    Raises as ``resolve`` does.
    """
    return fetch(cache, java, report, MM1_POM, mm1_jars(cache), "kafka_2.13", "MirrorMaker 1's jars", "46 MB")


def resolve(cache: Path, java: str, report: Callable[[str], None], pom: Path = POM) -> Path:
    """Folder with Kafka's jars; downloads them (55 MB) the first time.

    :param java: the Java that Maven shall run on when JAVA_HOME names none.
    :raises StackError: Maven is missing, or its download failed (with the end of its log).
    """
    return fetch(cache, java, report, pom, jars_folder(cache, pom), "connect-mirror", "Kafka's jars", "55 MB")


def fetch(
    cache: Path,
    java: str,
    report: Callable[[str], None],
    pom: Path,
    folder: Path,
    proof: str,
    what: str,
    size: str,
    unpack: Callable[[Path], None] = lambda folder: None,
) -> Path:
    """The folder with what a pom names; downloaded the first time.

    :param proof: artifact that must be among the files, or the download is not believed.
    :param unpack: what is to be done with the files once.
    """
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if folder.is_dir():  # another process was faster
            return folder
        maven = shutil.which("mvn")
        if maven is None:
            raise StackError(NO_MAVEN)
        report(f"jars: fetching {what} with Maven, once ({size}, about 40 s on a near mirror)")
        for stale in cache.glob(f"{folder.name}.*/"):  # of a download that was killed
            shutil.rmtree(stale)
        temporary = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=cache))
        try:
            _download(maven, java, pom, temporary, cache / "maven.log", proof)
            unpack(temporary)
            temporary.chmod(0o755)
            temporary.rename(folder)  # all or nothing: a killed download leaves no half-filled folder
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _download(maven: str, java: str, pom: Path, into: Path, log: Path, proof: str) -> None:
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    environment = {**os.environ}
    environment.setdefault("JAVA_HOME", str(Path(java).resolve().parent.parent))
    with log.open("wb") as out:
        run = subprocess.run(
            [*command, f"-DoutputDirectory={into}"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if run.returncode or not any(into.glob(f"{proof}-*.jar")):
        raise StackError(f"Maven could not fetch what {pom} names (exit {run.returncode}). End of {log}:\n{tail(log)}")
