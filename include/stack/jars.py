"""Kafka's own jars, resolved by Maven once per version of a pom.xml and kept in a cache folder.

Two sets that cannot share a class path: Kafka 4, always; and Kafka 3.9 for MirrorMaker 1, only when somebody asks for
it (``python -m stack mm1-jars``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from stack.maven import MavenFailed, find_maven, made_once, run

POM = Path(__file__).with_name("pom.xml")
MM1_POM = Path(__file__).parent / "mirror-maker-1" / "pom.xml"


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

    def make(into: Path) -> None:
        maven, log = find_maven(), cache / "maven.log"
        report(f"jars: fetching {what} with Maven, once ({size}, about 40 s on a near mirror)")
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        code = run(maven, java, pom, goal, log)
        if code or not any(into.glob(f"{proof}-*.jar")):
            raise MavenFailed(f"fetch what {pom} names", code, log)
        unpack(into)

    return made_once(folder, make)
