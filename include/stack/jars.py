"""Kafka's own jars, resolved by Maven once per version of a pom.xml and kept in a cache folder.

Sets that cannot share a class path: Kafka 4, always; Kafka 3.9 for MirrorMaker 1 (``python -m stack mm1-jars``), and
brokers and workers of other versions, only when somebody asks for them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from stack.maven import MavenFailed, find_maven, made_once, run

POM = Path(__file__).with_name("pom.xml")
MM1_POM = Path(__file__).parent / "mirror-maker-1" / "pom.xml"
BROKERS_POM = Path(__file__).parent / "older-kafka" / "pom.xml"
CONNECT_POM = Path(__file__).parent / "older-connect" / "pom.xml"


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


def brokers_jars(cache: Path, version: str) -> Path:
    """Where the jars of brokers of a version are, or will be once ``resolve_brokers`` has fetched them."""
    return jars_folder(cache, BROKERS_POM, f"brokers-{version}")


def resolve_brokers(cache: Path, java: str, report: Callable[[str], None], version: str) -> Path:
    """Folder with the jars of brokers of a version, and of its ZooKeeper; downloads them the first time.

    Raises as ``resolve`` does.
    """
    what, scala = f"Kafka {version}'s jars", "2.12" if tuple(map(int, version.split("."))) < (2, 4) else "2.13"
    wanted = {"kafka.version": version, "scala.version": scala}
    folder = brokers_jars(cache, version)
    return fetch(cache, java, report, BROKERS_POM, folder, f"kafka_{scala}", what, "40 MB", wanted=wanted)


def connect_jars(cache: Path, version: str) -> Path:
    """Where the jars of a Connect worker of a version are, or will be once ``resolve_connect`` has fetched them."""
    return jars_folder(cache, CONNECT_POM, f"connect-{version}")


def resolve_connect(cache: Path, java: str, report: Callable[[str], None], version: str) -> Path:
    """Folder with the jars of a Connect worker of a version, with MirrorMaker 2; downloads them the first time.

    Raises as ``resolve`` does.
    """
    what, wanted = f"Kafka Connect {version}'s jars", {"kafka.version": version}
    folder = connect_jars(cache, version)
    return fetch(cache, java, report, CONNECT_POM, folder, "connect-mirror", what, "40 MB", wanted=wanted)


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
    wanted: Mapping[str, str] | None = None,
) -> Path:
    """The folder with what a pom names; downloaded the first time.

    :param proof: artifact that must be among the files, or the download is not believed.
    :param unpack: what is to be done with the files once.
    :param wanted: properties that the pom leaves open.
    """

    def make(into: Path) -> None:
        maven, log = find_maven(), cache / "maven.log"
        report(f"jars: fetching {what} with Maven, once ({size}, about 40 s on a near mirror)")
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        goal += [f"-D{name}={value}" for name, value in (wanted or {}).items()]
        code = run(maven, java, pom, goal, log)
        if code or not any(into.glob(f"{proof}-*")):
            raise MavenFailed(f"fetch what {pom} names", code, log)
        unpack(into)

    return made_once(folder, make)
