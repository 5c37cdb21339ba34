"""Our own Java for Kafka Connect (include/connect-plugins), built by Maven once per version of its sources.

Kept in the cache folder beside Kafka's jars, and made only when a worker is about to start with it.
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

from stack import jars
from stack.errors import StackError
from stack.process import tail

SOURCES = Path(__file__).resolve().parents[1] / "connect-plugins"
JAR = "kafka-ferry-connect-plugins.jar"
NO_COMPILER = """\
The Java found has no compiler (the program javac), which Kafka Ferry's own connect plugins need, once. Install one:
  Debian, Ubuntu   sudo apt-get install openjdk-17-jdk-headless
  Fedora           sudo dnf install java-21-openjdk-devel
  macOS            brew install openjdk@21"""


class NoCompiler(StackError):
    """There is a Java runtime, but no compiler."""


def folder(cache: Path, sources: Path = SOURCES) -> Path:
    """The folder for these very sources: other sources get another folder, so it can never be stale."""
    digest = hashlib.sha256()
    # Kafka's version stands in the other pom. Tests and the ZIP's layout make no difference to the JAR.
    main = (path for path in (sources / "src" / "main").rglob("*") if path.is_file())
    for path in [jars.POM, sources / "pom.xml", *sorted(main)]:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return cache / f"connect-plugins-{digest.hexdigest()[:16]}"


def build(cache: Path, java: str, report: Callable[[str], None], sources: Path = SOURCES) -> Path:
    """Folder with the JAR; builds it the first time (6 s when Kafka's jars are there).

    Its own tests run in ``make test``, not here.

    :param java: the Java that Maven shall run on when JAVA_HOME names none.
    :raises NoCompiler: the Java is a runtime only.
    :raises StackError: Maven is missing, or the build failed (with the end of its log).
    """
    made = folder(cache, sources)
    if made.is_dir():
        return made
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{made.name}.lock"):
        if made.is_dir():  # another process was faster
            return made
        maven = shutil.which("mvn")
        if maven is None:
            raise StackError(jars.NO_MAVEN)
        report("plugins: building the connect plugins with Maven, once (about 6 s)")
        for stale in cache.glob(f"{made.name}.*/"):  # of a build that was killed
            shutil.rmtree(stale)
        work = Path(tempfile.mkdtemp(prefix=f"{made.name}.", dir=cache))
        try:
            _package(maven, java, sources, work / "target", cache / "maven-plugins.log")
            (work / "jar").mkdir()
            (work / "target" / JAR).rename(work / "jar" / JAR)
            (work / "jar").rename(made)  # all or nothing
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return made


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


def _package(maven: str, java: str, sources: Path, target: Path, log: Path) -> None:
    environment = {**os.environ}
    environment.setdefault("JAVA_HOME", str(Path(java).resolve().parent.parent))
    command = [maven, "-q", "-B", "-f", str(sources / "pom.xml"), "package", "-Dmaven.test.skip=true"]
    with log.open("wb") as out:
        run = subprocess.run(
            [*command, f"-Dbuild.folder={target}"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if run.returncode or not (target / JAR).is_file():
        end = tail(log)
        if "No compiler is provided" in end:
            raise NoCompiler(NO_COMPILER)
        raise StackError(f"Maven could not build the connect plugins (exit {run.returncode}). End of {log}:\n{end}")
