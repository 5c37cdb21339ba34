"""A topic as it should be on the target. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DesiredTopic:
    """A topic as it shall be on the target.

    :param replication_factor: None leaves it to the target's ``default.replication.factor`` (KIP-464).
    """

    source: str
    name: str
    partitions: int
    replication_factor: int | None
    configs: Mapping[str, str]
