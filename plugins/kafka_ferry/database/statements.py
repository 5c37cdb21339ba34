"""Which statements of a binary log change a captured table. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

_COMMENT = re.compile(r"/\*(?!!).*?\*/|--[ \t][^\n]*|#[^\n]*", re.DOTALL)
_TABLES = re.compile(
    r"^(ALTER|CREATE(?:\s+OR\s+REPLACE)?|DROP|TRUNCATE|RENAME)\s+(?:(?:ONLINE|IGNORE)\s+)*TABLES?\s+"
    r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<names>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_TRUNCATE = re.compile(r"^TRUNCATE\s+(?:TABLE\s+)?(?P<names>.+)$", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r"(?:(?P<db>`[^`]+`|[\w$]+)\s*\.\s*)?(?P<table>`[^`]+`|[\w$]+)")


def normal(statement: str) -> str:
    """Without comments, needless space and a semicolon at the end: the same statement looks the same."""
    return " ".join(_COMMENT.sub(" ", statement).split()).rstrip("; ")


def is_truncate(statement: str) -> bool:
    """Whether it empties a table."""
    return bool(_TRUNCATE.match(normal(statement)))


def tables_of(statement: str, database: str) -> list[str]:
    """``database.table`` of each table that a statement makes, changes or drops; empty for other statements.

    :param database: in which it was said.
    """
    text = normal(statement)
    found = _TABLES.match(text) or _TRUNCATE.match(text)
    if not found:
        return []
    names: list[str] = []
    rest = found["names"]
    while told := _NAME.match(rest):
        names.append(f"{(told['db'] or database).strip('`')}.{told['table'].strip('`')}")
        rest = rest[told.end() :].lstrip()
        # DROP TABLE a, b; RENAME TABLE a TO b, c TO d
        if not (more := re.match(r"(,|TO\s)\s*", rest, re.IGNORECASE)):
            break
        rest = rest[more.end() :]
    return names


def touches(statement: str, database: str, tables: Collection[str]) -> bool:
    """Whether it is about one of these tables."""
    return any(name in tables for name in tables_of(statement, database))
