"""Words that a Kafka operator stumbles at stay out of what users and maintainers read: messages, forms, pages.

Each has a word of the field in its place, which the failure names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READ = ("plugins/kafka_ferry/**/*", "include/**/*.py", "dags/*.py", "docs/*.md", "README.md")
WORDS = {
    r"\banew\b": "again, recreated, over",
    r"\b(?:held|holds?|holding) \w* ?against\b": "compared with, checked against",
    r"\bwished\b": "desired, up to date",
    r"\bCure:": "Fix:",
    r"\bOutsideFault\b": "TransientError",
    r"\bLossDetected\b": "DataLossError",
    r"\b(?:brokers?|clusters?|databases?|hosts?|servers?|services?|stores?|workers?) (?:is|are|was|were) away\b": (
        "unavailable, unreachable"
    ),
    r"\bforgiven?\b": "ignored",
    r"\b(?:is|are) no matter\b": "does not matter",
    r"\blet go of\b": "released",
    r"\bshall be called\b": "must have the name",
    r"\bwound[ _]back\b": "rewound",
    r"\bstrangers?\b": "foreign, unknown",
    r"\b(?:thereof|whereby|wherein|thereby)\b": "plain words",
}


def files() -> Iterator[Path]:
    for pattern in READ:
        for path in sorted(ROOT.glob(pattern)):
            if path.suffix in (".py", ".md", ".html", ".js", ".css") and not path.name.endswith(".min.js"):
                yield path


def found(pattern: str, text: str) -> list[int]:
    """Numbers of the lines that have it; a word at a line's end and one at the next's begin are neighbours too."""
    return [text.count("\n", 0, hit.start()) + 1 for hit in re.finditer(pattern.replace(" ", r"\s+"), text)]


@pytest.mark.parametrize("pattern", WORDS)
def test_a_word_that_the_field_does_not_use_is_nowhere(pattern: str) -> None:
    hits = [f"{path.relative_to(ROOT)}:{line}" for path in files() for line in found(pattern, path.read_text())]
    assert not hits, f"the field says: {WORDS[pattern]}"


def test_an_import_has_a_target_and_no_sink() -> None:
    for path in (ROOT / "plugins/kafka_ferry/jobs/s3").glob("*.py"):
        assert not found(r"\bsinks?\b", path.read_text()), path.name


def test_all_kinds_of_files_are_read() -> None:
    suffixes = [path.suffix for path in files()]
    least = {".py": 400, ".md": 20, ".html": 5}
    assert [suffix for suffix, files_of in least.items() if suffixes.count(suffix) < files_of] == []


@pytest.mark.parametrize(
    ("pattern", "text", "lines"),
    [
        (r"\banew\b", "a\nmade anew, a new one", [2]),
        (r"\bare no matter\b", "they are\nno matter; no matter", [1]),
    ],
)
def test_a_word_is_found_where_it_is(pattern: str, text: str, lines: list[int]) -> None:
    assert found(pattern, text) == lines
