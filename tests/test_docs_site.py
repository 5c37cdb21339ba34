"""docs/ builds as a site, and a link that leads nowhere fails the build."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

PROJECT = Path(__file__).resolve().parents[1]
KEPT = ("docs", "include/examples", "include/deploy")


def build(project: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` does."""
    making = re.search(r"^docs:.*\n\t\$\(PY\) (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert making
    return subprocess.run(
        [sys.executable, *making[1].split()], cwd=project, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages and what they link to, built."""
    folder = tmp_path_factory.mktemp("site")
    for kept in KEPT:
        if (PROJECT / kept).is_dir():
            shutil.copytree(PROJECT / kept, folder / kept)
    for file in (*PROJECT.glob("*.md"), PROJECT / "pyproject.toml", PROJECT / "docker-compose.yaml"):
        shutil.copyfile(file, folder / file.name)
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """What a page has and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def test_every_page_is_there_and_each_of_its_links_leads_somewhere(copy: Path) -> None:
    site = copy / "site"
    pages = {file: Page(file.read_text()) for file in site.rglob("*.html")}
    assert {file.name for file in site.glob("docs/*.html")} == {f"{p.stem}.html" for p in PROJECT.glob("docs/*.md")}
    assert pages[site / "index.html"].links == pages[site / "README.html"].links
    dead, seen = [], 0
    for file, page in pages.items():
        for link in page.links:
            where = urlsplit(link)
            if where.scheme or where.netloc:
                continue
            target = (file.parent / unquote(where.path)).resolve() if where.path else file
            there = target.is_file() and (
                not where.fragment or target not in pages or where.fragment in pages[target].ids
            )
            dead += [] if there else [f"{file.name}: {link}"]
            seen += 1
    assert seen > 1000
    assert dead == []


NOWHERE = {
    "[a page](nope.md)": "target not found: 'nope.md'",
    "[an anchor](report.md#nope)": "'docs/report': 'nope'",
    "[an anchor here](#nope)": "target not found: 'nope'",
    "[a file](../include/examples/nope.json)": "target not found: '../include/examples/nope.json'",
    "![an image](img/nope.png)": "image file not readable: docs/img/nope.png",
}


def test_what_leads_nowhere_fails_the_build_and_is_named(copy: Path) -> None:
    with (copy / "docs" / "engines.md").open("a") as page:
        page.write("\n" + "\n".join(NOWHERE) + "\n")
    done = build(copy)
    assert done.returncode != 0
    assert [text for text, warning in NOWHERE.items() if warning not in done.stderr] == []
    assert done.stderr.count("WARNING") == len(NOWHERE)
