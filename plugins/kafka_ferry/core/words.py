"""How numbers of things, and names that others gave, are said. Pure."""

from __future__ import annotations


def number_of(number: int, noun: str) -> str:
    """``1 group``, ``2,000 groups``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown(name: str) -> str:
    """A name as it is, or quoted and escaped where it would not be seen whole: empty, with blanks at an end or control
    characters in it. A group id may be any string, and a line end in one must not begin a line of a log."""
    return name if name and name.isprintable() and name == name.strip() else repr(name)
