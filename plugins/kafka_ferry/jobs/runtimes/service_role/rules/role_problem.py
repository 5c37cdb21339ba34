"""What is wrong with a service role, for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RoleProblem:
    """One thing that is wrong with a role.

    :param fix: what to change, with the document to use.
    :param sure: nothing that was not seen could make it right. Otherwise it is a warning.
    """

    what: str
    fix: str
    sure: bool = True
