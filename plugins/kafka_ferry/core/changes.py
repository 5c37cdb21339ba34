"""One line of a plan: what would be created, updated or deleted. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What a change does to the thing it names."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True)
class Change:
    """One line of a plan.

    :param kind: what is changed: ``topic``, ``connector``, ``group`` …
    :param detail: what exactly, for people.
    """

    action: Action
    kind: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.action:<6} {self.kind} {self.name}" + (f": {self.detail}" if self.detail else "")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
