"""Which statements of a binary log change a captured table, and whether Debezium reported them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum

# What is quoted is no comment.
_COMMENT = re.compile(
    r"""(?P<kept>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`)|/\*.*?\*/|--[ \t][^\n]*|#[^\n]*""", re.DOTALL
)
# /*!50000 IF EXISTS */ and /*M! … */ are said, by servers that are new enough.
_CONDITIONAL = re.compile(r"/\*M?!\d*(.*?)\*/", re.DOTALL)
_TABLES = re.compile(
    r"^(?P<verb>ALTER|CREATE(?:\s+OR\s+REPLACE)?|DROP|TRUNCATE|RENAME)\s+(?:(?:ONLINE|OFFLINE|IGNORE)\s+)*TABLES?\s+"
    r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<names>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_TRUNCATE = re.compile(r"^(?P<verb>TRUNCATE)\s+(?:TABLE\s+)?(?P<names>.+)$", re.IGNORECASE | re.DOTALL)
_PART = r'`(?:[^`]|``)+`|"(?:[^"]|"")+"|[\w$]+'  # with double quotes where sql_mode has ANSI_QUOTES
_NAME = re.compile(rf"(?:(?P<db>{_PART})\s*\.\s*)?(?P<table>{_PART})")
_WAIT = re.compile(r"(?:(?:NO)?WAIT\b\s*\d*\s*)?", re.IGNORECASE)
_MORE = re.compile(r"(,|TO\b)\s*", re.IGNORECASE)
_RENAMED = re.compile(
    rf"""\bRENAME\s+(?:(?:TO|AS|=)\s*)?(?!(?:COLUMN|INDEX|KEY|TO|AS)\b)(?P<name>(?:(?:{_PART})\s*\.\s*)?(?:{_PART}))""",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*\"""")
_UNLOGGED = re.compile(
    r"\b(?:(?:TRUNCATE|DROP|EXCHANGE)\s+PARTITION|(?:DISCARD|IMPORT)\s+(?:PARTITION\b.*)?TABLESPACE)\b",
    re.IGNORECASE | re.DOTALL,
)


class Verb(StrEnum):
    """What a statement does to tables."""

    ALTER = "ALTER"
    CREATE = "CREATE"
    DROP = "DROP"
    TRUNCATE = "TRUNCATE"
    RENAME = "RENAME"


def normal(statement: str) -> str:
    """Without comments, needless space and a semicolon at the end: the same statement looks the same."""
    return " ".join(_COMMENT.sub(lambda found: found["kept"] or " ", statement).split()).rstrip("; ")


def is_truncate(statement: str) -> bool:
    """Whether it empties a table."""
    return bool(_TRUNCATE.match(normal(statement)))


def is_unlogged(statement: str) -> bool:
    """Whether it takes rows of a table away, or puts some there, of which no row event tells."""
    verb, _ = _read(statement)
    return verb is Verb.ALTER and bool(_UNLOGGED.search(_QUOTED.sub("''", normal(statement))))


def is_recreation(statement: str) -> bool:
    """Whether behind it no row of before is in the tables that it names."""
    verb, _ = _read(statement)
    only_where_none_is = re.search(r"\bIF\s+NOT\s+EXISTS\b", statement, re.IGNORECASE)
    return verb is Verb.DROP or (verb is Verb.CREATE and not only_where_none_is)


def verb_of(statement: str) -> Verb | None:
    """What it does to tables; None: it is about something else."""
    return _read(statement)[0]


def tables_of(statement: str, database: str) -> list[str]:
    """``database.table`` of each table that a statement makes, changes or drops; empty for other statements.

    :param database: in which it was said.
    """
    verb, rest = _read(statement)
    names = list(_names(rest, database))
    if verb is Verb.ALTER and (found := _RENAMED.search(_QUOTED.sub("''", rest))):
        names += _names(found["name"], database)
    return names


def renames_of(statement: str, database: str) -> list[tuple[str, str]]:
    """Old and new ``database.table`` of each table that it renames, in their order."""
    verb, _ = _read(statement)
    names = tables_of(statement, database)
    if verb is Verb.RENAME or (verb is Verb.ALTER and len(names) > 1):
        return list(zip(names[::2], names[1::2], strict=False))
    return []


def is_reported(statement: str, database: str, reported: Collection[tuple[str, str]], tables: Collection[str]) -> bool:
    """Whether Debezium's events about one place of the binary log tell its statement.

    It tells a RENAME or a DROP of several tables as one each (measured on 3.5.0), and names the database.

    :param reported: database and statement of each event. ``tables``: those that must be reported.
    """
    verb = verb_of(statement)
    if verb not in (Verb.RENAME, Verb.DROP):
        return normal(statement) in {normal(one) for _, one in reported}
    said = [(verb_of(one), tables_of(one, where)) for where, one in reported]
    if verb is Verb.DROP:
        there = {name for kind, names in said if kind is Verb.DROP for name in names}
        return all(name in there for name in tables_of(statement, database) if name in tables)
    pairs = {pair for where, one in reported for pair in renames_of(one, where)}
    return all(pair in pairs for pair in renames_of(statement, database) if any(name in tables for name in pair))


def _read(statement: str) -> tuple[Verb | None, str]:
    text = normal(_CONDITIONAL.sub(r" \1 ", statement))
    found = _TABLES.match(text) or _TRUNCATE.match(text)
    if not found:
        return None, ""
    return Verb(found["verb"].split()[0].upper()), found["names"]


def _names(rest: str, database: str) -> Iterator[str]:
    # DROP TABLE a, b; RENAME TABLE a WAIT 5 TO b, c TO d
    while found := _NAME.match(rest):
        yield f"{_bare(found['db'] or database)}.{_bare(found['table'])}"
        rest = rest[found.end() :].lstrip()
        rest = rest[match.end() :] if (match := _WAIT.match(rest)) else rest
        if not (more := _MORE.match(rest)):
            return
        rest = rest[more.end() :]


def _bare(name: str) -> str:
    quote = name[0] if name[0] in '`"' else ""
    return name[1:-1].replace(quote * 2, quote) if quote else name
