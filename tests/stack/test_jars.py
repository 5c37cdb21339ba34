"""The jar cache, with a small script in Maven's place."""

from __future__ import annotations

import pytest

from stack import jars
from stack.errors import StackError

GOOD = """#!/bin/sh
echo run >> "$MAVEN_RUNS"
for argument; do case $argument in -DoutputDirectory=*) touch "${argument#*=}/$JAR-1.jar";; esac; done
"""
BAD = """#!/bin/sh
echo "Could not resolve org.apache.kafka:connect-mirror"
exit 1
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MAVEN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("JAR", "connect-mirror")

    def maven(script):
        (tmp_path / "bin" / "mvn").write_text(script)
        (tmp_path / "bin" / "mvn").chmod(0o755)

    return maven


def resolve(tmp_path, said=None):
    return jars.resolve(tmp_path / "cache", "/usr/bin/java", (said if said is not None else []).append)


def test_without_maven_the_command_for_each_system_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StackError, match=r"apt-get install maven(.|\n)*dnf install maven(.|\n)*brew install maven"):
        resolve(tmp_path)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_jars_are_fetched_once(machine, tmp_path):
    machine(GOOD)

    first, second = resolve(tmp_path), resolve(tmp_path)

    assert first == second
    assert (first / "connect-mirror-1.jar").exists()
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_filled_cache_needs_no_maven(machine, monkeypatch, tmp_path):
    machine(GOOD)
    folder = resolve(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    assert resolve(tmp_path) == folder


def test_another_pom_gets_another_folder(tmp_path):
    one, two = tmp_path / "one.xml", tmp_path / "two.xml"
    one.write_text("<project>1</project>")
    two.write_text("<project>2</project>")

    assert jars.jars_folder(tmp_path, one) != jars.jars_folder(tmp_path, two)


@pytest.mark.parametrize("script", [BAD, "#!/bin/sh\necho nothing was copied\n"], ids=["exit 1", "no jars"])
def test_a_failed_download_shows_mavens_words_and_leaves_nothing(machine, tmp_path, script):
    machine(script)

    with pytest.raises(StackError, match=r"Could not resolve org.apache.kafka|nothing was copied"):
        resolve(tmp_path)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_mirror_maker_1_has_a_folder_of_its_own_filled_only_when_asked(machine, monkeypatch, tmp_path):
    machine(GOOD)
    monkeypatch.setenv("JAR", "kafka_2.13")
    cache, said = tmp_path / "cache", []

    assert not jars.mm1_jars(cache).exists()
    folder = jars.resolve_mm1(cache, "/usr/bin/java", said.append)

    assert folder == jars.mm1_jars(cache) != jars.jars_folder(cache)
    assert [path.name for path in folder.iterdir()] == ["kafka_2.13-1.jar"]
    assert "MirrorMaker 1" in said[0]


def test_the_cache_folder_is_a_setting(monkeypatch, tmp_path):
    monkeypatch.delenv("FERRY_CACHE", raising=False)
    assert jars.cache_folder(tmp_path) == tmp_path / ".cache"
    monkeypatch.setenv("FERRY_CACHE", str(tmp_path / "elsewhere"))
    assert jars.cache_folder(tmp_path) == tmp_path / "elsewhere"
