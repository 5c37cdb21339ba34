"""What is to be carried to a schema registry, in the words of who asked for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Ids(StrEnum):
    """What becomes of the ids of schemas."""

    KEEP = "keep"
    MAP = "map"


@dataclass(frozen=True)
class Asked:
    """
    :param ids: what becomes of them. ``subjects``: names or regular expressions, each for a whole name.
    :param ids_param, subjects_param, source_param, target_param: what findings name.
    :param side: where the schemas come from: ``the source``; ``at_side``: ``at the source``.
    :param leave_out: how one leaves a subject out. ``may_be_empty``: a source without any is no mistake.
    """

    ids: Ids
    subjects: Sequence[str] = (".*",)
    ids_param: str = "ids"
    subjects_param: str = "subjects"
    source_param: str = "source_registry_conn_id"
    target_param: str = "target_registry_conn_id"
    side: str = "the source"
    at_side: str = "at the source"
    leave_out: str = "leave the subject out"
    may_be_empty: bool = False

    @property
    def mapped(self) -> str:
        """How one asks for ids that the target gives."""
        return f"{self.ids_param}: {Ids.MAP.value}"

    def wants(self, subject: str) -> bool:
        """Whether a subject is among those asked for."""
        return any(matches(pattern, subject) for pattern in self.subjects)


def matches(pattern: str, subject: str) -> bool:
    """Whether an entry means a subject."""
    return pattern == subject or re.fullmatch(pattern, subject) is not None
