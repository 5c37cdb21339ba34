""".pre-commit-config.yaml runs what `make lint` runs, and downloads nothing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    return [hook for repo in config["repos"] for hook in repo["hooks"]]


def lint() -> list[str]:
    """The commands of `make lint`, as make itself expands them; not what installs the venv before."""
    made = subprocess.run(["make", "-n", "lint"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [line.strip() for line in made.splitlines() if re.search(r" -m (ruff|mypy)\b", line)]


def test_the_commands_are_those_of_make_lint() -> None:
    assert [hook["entry"] for hook in hooks()] == lint()
    assert len(lint()) >= 5


def test_each_is_a_hook_as_pre_commit_wants_it_and_looks_at_all_files() -> None:
    """Ruff and mypy are told what to read: a part of it would hide what a change breaks elsewhere."""
    for hook in hooks():
        assert {"id", "name", "entry", "language"} <= hook.keys()
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)
    assert len({hook["id"] for hook in hooks()}) == len(hooks())
