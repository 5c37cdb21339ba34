"""How numbers of things are said. Pure."""

from __future__ import annotations


def number_of(number: int, noun: str) -> str:
    """``1 group``, ``2,000 groups``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
