"""The cache of our connect plugins, with a small script in Maven's place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stack import plugins
from stack.errors import StackError
from stack.service import java_command

GOOD = """#!/bin/sh
echo "$*" >> "$MAVEN_RUNS"
for argument; do case $argument in -Dbuild.folder=*)
  mkdir -p "${argument#*=}" && echo jar > "${argument#*=}/kafka-ferry-connect-plugins.jar";; esac; done
"""
ZIPPED = """#!/bin/sh
for argument; do case $argument in -Dbuild.folder=*) folder="${argument#*=}"; mkdir -p "$folder";; esac; done
echo "$*" >> "$MAVEN_RUNS"
cd "$folder" && mkdir plugin && echo jar > plugin/a.jar
/usr/bin/env python3 -m zipfile -c kafka-ferry-s3-connectors.zip plugin
"""
BAD = """#!/bin/sh
echo "COMPILATION ERROR: cannot find symbol"
exit 1
"""
RUNTIME_ONLY = """#!/bin/sh
echo "No compiler is provided in this environment. Perhaps you are running on a JRE rather than a JDK?"
exit 1
"""


@pytest.fixture
def maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MAVEN_RUNS", str(tmp_path / "runs"))

    def install(script: str) -> None:
        (tmp_path / "bin" / "mvn").write_text(script)
        (tmp_path / "bin" / "mvn").chmod(0o755)

    return install


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    java = tmp_path / "sources" / "src" / "main" / "java"
    java.mkdir(parents=True)
    (java / "A.java").write_text("class A {}")
    (tmp_path / "sources" / "pom.xml").write_text("<project/>")
    return tmp_path / "sources"


def build(tmp_path: Path, sources: Path) -> Path:
    return plugins.build(tmp_path / "cache", "/usr/bin/java", lambda line: None, sources)


def folders(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_they_are_built_once_and_a_filled_cache_needs_no_maven(
    maven: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Path
) -> None:
    maven(GOOD)
    first = build(tmp_path, sources)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert build(tmp_path, sources) == first
    assert [path.name for path in first.iterdir()] == [plugins.JAR]
    (run,) = (tmp_path / "runs").read_text().splitlines()
    assert "-Dmaven.test.skip=true" in run
    assert folders(tmp_path) == [first], "nothing else is kept"
    assert not (sources / "target").exists(), "and nothing is written beside the sources"


def test_the_s3_connectors_are_a_plugin_folder_that_is_built_once(
    maven: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Path
) -> None:
    maven(ZIPPED)
    cache = tmp_path / "cache"
    made = plugins.build_s3(cache, "/usr/bin/java", lambda line: None, sources)
    assert [path.relative_to(made).as_posix() for path in sorted(made.rglob("*"))] == ["plugin", "plugin/a.jar"]
    (run,) = (tmp_path / "runs").read_text().splitlines()
    assert "-Pzip" in run
    found = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert plugins.build_s3(cache, "/usr/bin/java", lambda line: None, sources) == made
    assert made != plugins.folder(cache, sources)
    (sources / "src" / "assembly").mkdir()
    (sources / "src" / "assembly" / "plugin.xml").write_text("<assembly/>")
    assert plugins.s3_folder(cache, sources) != made, "another ZIP"
    monkeypatch.setenv("PATH", found)
    maven(BAD)
    with pytest.raises(StackError, match="cannot find symbol"):
        plugins.build_s3(cache, "/usr/bin/java", lambda line: None, sources)


def test_other_sources_get_another_folder(tmp_path: Path, sources: Path) -> None:
    seen = {plugins.folder(tmp_path, sources)}
    (sources / "src" / "main" / "java" / "A.java").write_text("class A { int b; }")
    seen.add(plugins.folder(tmp_path, sources))
    (sources / "src" / "main" / "java" / "B.java").write_text("class B {}")
    seen.add(plugins.folder(tmp_path, sources))
    (sources / "pom.xml").write_text("<project>2</project>")
    seen.add(plugins.folder(tmp_path, sources))
    assert len(seen) == 4
    (sources / "src" / "test").mkdir()
    (sources / "src" / "test" / "ATest.java").write_text("class ATest {}")
    assert plugins.folder(tmp_path, sources) in seen, "a test changes nothing in the JAR"


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        (BAD, StackError, "cannot find symbol"),
        ("#!/bin/sh\necho made nothing\n", StackError, "made nothing"),
        (RUNTIME_ONLY, plugins.NoCompiler, "apt-get install openjdk-17-jdk-headless"),
    ],
    ids=["exit 1", "no jar", "no compiler"],
)
def test_a_failed_build_shows_mavens_words_and_leaves_nothing(
    maven: Callable[[str], None], tmp_path: Path, sources: Path, script: str, kind: type[StackError], words: str
) -> None:
    maven(script)
    with pytest.raises(kind, match=words):
        build(tmp_path, sources)
    assert folders(tmp_path) == []


def test_without_maven_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="apt-get install maven"):
        build(tmp_path, sources)


def test_they_come_behind_kafka_on_the_class_path() -> None:
    command = java_command("java", Path("/kafka"), "Main", "x", plugins=Path("/ours"))
    assert command[command.index("-cp") + 1] == "/kafka/*:/ours/*"
    command = java_command("java", Path("/kafka"), "Main")
    assert command[command.index("-cp") + 1] == "/kafka/*"


def test_one_folder_for_all_jars(tmp_path: Path) -> None:
    kafka, ours, libs = tmp_path / "kafka", tmp_path / "ours", tmp_path / "stack" / "libs"
    for jar in (kafka / "a.jar", kafka / "b.jar", ours / "c.jar"):
        jar.parent.mkdir(exist_ok=True)
        jar.write_text(jar.name)

    plugins.link_jars(libs, kafka, tmp_path / "not built")
    assert sorted(path.name for path in libs.iterdir()) == ["a.jar", "b.jar"]
    kept = (libs / "a.jar").lstat().st_ino
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "b.jar").write_text("another")
    (kafka / "b.jar").unlink()
    plugins.link_jars(libs, kafka, newer, ours)

    assert {path.name: path.read_text() for path in libs.iterdir()} == {
        "a.jar": "a.jar",
        "b.jar": "another",
        "c.jar": "c.jar",
    }
    assert (libs / "a.jar").lstat().st_ino == kept, "a process may be reading it"
