"""Our own Java for Kafka Connect (include/connect-plugins), built by Maven once per version of its sources.

Kept in the cache folder beside Kafka's jars, and made only when a worker is about to start with it. The S3 connectors
are a plugin folder of their own, as they bring the AWS SDK along.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from stack import jars
from stack.errors import StackError
from stack.maven import MavenFailed, find_maven, made_once, run

SOURCES = Path(__file__).resolve().parents[1] / "connect-plugins"
JAR = "kafka-ferry-connect-plugins.jar"
S3_ZIP = "kafka-ferry-s3-connectors.zip"
NO_COMPILER = """\
The Java found has no compiler (the program javac), which Kafka Ferry's own connect plugins need, once. Install one:
  Debian, Ubuntu   sudo apt-get install openjdk-17-jdk-headless
  Fedora           sudo dnf install java-21-openjdk-devel
  macOS            brew install openjdk@21"""


class NoCompiler(StackError):
    """There is a Java runtime, but no compiler."""


def folder(cache: Path, sources: Path = SOURCES) -> Path:
    """The folder for these very sources: other sources get another folder, so it can never be stale."""
    # Tests and the ZIP's layout make no difference to the JAR.
    return cache / f"connect-plugins-{_digest(sources, 'main')}"


def s3_folder(cache: Path, sources: Path = SOURCES / "s3") -> Path:
    """The same of the S3 connectors: a folder for the worker's ``plugin.path``."""
    return cache / f"s3-connectors-{_digest(sources, 'main', 'assembly')}"


def _digest(sources: Path, *parts: str) -> str:
    digest = hashlib.sha256()
    # Kafka's version stands in the other pom.
    files = (path for part in parts for path in (sources / "src" / part).rglob("*") if path.is_file())
    for path in [jars.POM, sources / "pom.xml", *sorted(files)]:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def build(cache: Path, java: str, report: Callable[[str], None], sources: Path = SOURCES) -> Path:
    """Folder with the JAR; builds it the first time (6 s when Kafka's jars are there).

    Its own tests run in ``make test``, not here.

    :param java: the Java that Maven shall run on when JAVA_HOME names none.
    :raises NoCompiler: the Java is a runtime only.
    :raises StackError: Maven is missing, or the build failed (with the end of its log).
    """

    def make(into: Path) -> None:
        report("plugins: building the connect plugins with Maven, once (about 6 s)")
        target = _package(cache, java, sources, into, JAR, "build the connect plugins")
        (target / JAR).rename(into / JAR)
        shutil.rmtree(target)

    return made_once(folder(cache, sources), make)


def build_s3(cache: Path, java: str, report: Callable[[str], None], sources: Path = SOURCES / "s3") -> Path:
    """Folder with the plugin folder of the S3 connectors; built the first time, for which Maven fetches the AWS SDK.

    Parameters and errors as of :func:`build`.
    """

    def make(into: Path) -> None:
        report("plugins: building the S3 connectors with Maven, once (about 10 s, and 10 MB to download)")
        target = _package(cache, java, sources, into, S3_ZIP, "build the S3 connectors", "-Pzip")
        with zipfile.ZipFile(target / S3_ZIP) as opened:
            opened.extractall(into)
        shutil.rmtree(target)

    return made_once(s3_folder(cache, sources), make)


def _package(cache: Path, java: str, sources: Path, into: Path, wanted: str, what: str, *more: str) -> Path:
    maven, log, target = find_maven(), cache / "maven-plugins.log", into / "target"
    goal = ["package", "-Dmaven.test.skip=true", f"-Dbuild.folder={target}", *more]
    code = run(maven, java, sources / "pom.xml", goal, log)
    if code or not (target / wanted).is_file():
        failed = MavenFailed(what, code, log)
        raise NoCompiler(NO_COMPILER) if "No compiler is provided" in failed.end else failed
    return target


def link_jars(folder: Path, *sources: Path) -> None:
    """Make ``folder`` hold links to the JARs of all ``sources``, those that exist, and nothing else.

    What is right is not touched: processes may be reading it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {jar.name: jar for source in sources for jar in source.glob("*.jar")}
    for link in folder.iterdir():
        if link.name not in wanted or link.resolve() != wanted[link.name].resolve():
            link.unlink()
    for name, jar in wanted.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(jar)
