"""What is wrong with a service role, for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAMED = 3  # resources or keys in one sentence


@dataclass(frozen=True)
class RoleProblem:
    """One thing that is wrong with a role.

    :param fix: what to change, with the document to use.
    :param sure: nothing that was not seen could make it right. Otherwise it is a warning.
    """

    what: str
    fix: str
    sure: bool = True


def some(names: Iterable[str]) -> str:
    """The first three, and how many more there are."""
    found: Sequence[str] = list(dict.fromkeys(names))
    left = len(found) - _NAMED
    return ", ".join(found[:_NAMED]) + (f" and {left} more" if left > 0 else "")
