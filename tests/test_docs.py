"""What docs/ and the README show works: Python runs, shell and JSON parse, and what they name exists."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forms import DAGS

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").glob("*.md"))]


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


FOLDERS = ("dags", "docs", "include", "plugins", "tests")
#: What is built, not kept.
BUILT = ("include/connect-plugins/target", "include/connect-plugins/s3/target")
VARIABLE = re.compile(r"\bFERRY_[A-Z0-9_]*[A-Z0-9]\b")


@cache
def kept() -> list[str]:
    """Paths of all files and folders of ours, from the top of the project; a folder's ends with a slash."""
    tops = [PROJECT / folder for folder in FOLDERS]
    found = [*tops, *(path for top in tops for path in top.rglob("*") if "__pycache__" not in path.parts)]
    return [f"{path.relative_to(PROJECT).as_posix()}{'/' if path.is_dir() else ''}" for path in found]


@cache
def variables() -> set[str]:
    """Our variables of the environment, in all that can read one."""
    files = [PROJECT / path for path in kept() if path.endswith((".py", ".sh", ".json", ".yaml", "Dockerfile"))]
    files += [PROJECT / "Makefile", PROJECT / "docker-compose.yaml"]
    return {name for file in files if file != Path(__file__) for name in VARIABLE.findall(file.read_text())}


def quoted(text: str, pattern: str) -> set[str]:
    """What a page has between single backticks, outside blocks of code, and matches the whole of a pattern."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return {found for found in re.findall(r"`([^`\n]+)`", text) if re.fullmatch(pattern, found)}


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", head.lower()) for head in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)]
    return {head.replace(" ", "-") for head in plain}


def missing_paths(text: str) -> list[str]:
    """Backticked paths of files and folders of ours that there are not, ``*`` and ``<any>`` standing for any name."""
    rooms = "|".join((*FOLDERS, "core", "records", "hooks", "operators", "sensors", "triggers", "report", "jobs"))
    names = quoted(text, rf"(?:{rooms})/[\w./*<>-]*|[\w./*<>-]+\.py")
    wanted = {name: re.sub(r"<\w+>", "*", name) for name in names if not name.startswith(BUILT)}
    found = {
        name
        for name, glob in wanted.items()
        if any(fnmatch(path, one) for path in kept() for one in (glob, f"*/{glob}", f"{glob}/", f"*/{glob}/"))
    }
    return sorted(names - found - {name for name in names if name.startswith(BUILT)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    assert missing_paths(page.read_text()) == []


def test_a_file_that_does_not_exist_is_found() -> None:
    there = "`hooks/kafka/admin.py`, `jobs/*/dag.py`, `jobs/<job>/dag.py`, `core/`, `registry.py`"
    text = f"{there}, `hooks/gone.py`, `gone.py`"
    assert missing_paths(text) == ["gone.py", "hooks/gone.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_and_classes_that_a_page_names_exist(page: Path) -> None:
    for name in quoted(page.read_text(), r"kafka_ferry(?:\.\w+)+"):
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_variables_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z][\w-]*)", page.read_text(), re.MULTILINE)) <= targets
    assert set(VARIABLE.findall(page.read_text())) <= variables()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def messages(text: str) -> list[str]:
    """What a page quotes, in bold, of an error or a remark of ours."""
    return re.findall(r'\*\*"([^"]+)"\*\*', " ".join(text.split()))


def test_messages_that_a_page_quotes_are_those_of_the_package() -> None:
    """Up to numbers and what the page leaves out: a reader searches the page for what the log says."""
    code = "\n".join(path.read_text() for path in sorted((PROJECT / "plugins").rglob("*.py")))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # one text over several lines
    quotes = [message for page in PAGES for message in messages(page.read_text())]
    assert len(quotes) >= 8
    parts = {part.strip() for quote in quotes for part in re.split(r"…|\d[\d,]*", quote) if len(part.strip()) > 1}
    assert {part for part in parts if part not in code} == set()
