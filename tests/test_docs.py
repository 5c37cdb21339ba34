"""What docs/ and the README show works: Python runs, shell and JSON parse, and params are params."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from forms import DAGS

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def snippets(*languages: str) -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
            if match[2] in languages:
                line = text[: match.start()].count("\n") + 1
                body = re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
                found.append(pytest.param(page, body, id=f"{page.name}:{line}"))
    return found


def test_snippets_are_found() -> None:
    assert len(snippets("python")) >= 6
    assert len(snippets("sh")) >= 5
    assert len(snippets("json")) >= 3


@pytest.mark.parametrize(("page", "text"), snippets("python"))
def test_python_runs_as_it_stands(page: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a DAG file of a user: no name comes from anywhere but its own imports."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    exec(compile(text, str(page), "exec"), {"__name__": "a_users_dag"})  # noqa: S102  # our own text


@pytest.mark.parametrize(("page", "text"), snippets("sh", "bash"))
def test_shell_parses(page: Path, text: str) -> None:
    text = re.sub(r"<[\w .-]+>", "x", text)  # <run>: for the reader to fill in
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "text"), snippets("json"))
def test_json_parses_and_names_params_that_there_are(page: Path, text: str) -> None:
    try:
        values = [json.loads(text)]
    except json.JSONDecodeError:  # one object a line
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    if page.stem not in DAGS:
        return
    fields = DAGS[page.stem][0].model_fields
    for value in values:
        if isinstance(value, dict) and set(value) & set(fields):
            assert set(value) <= set(fields), set(value) - set(fields)
