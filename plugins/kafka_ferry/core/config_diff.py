"""What an apply would change in a connector config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kafka_ferry.core.redaction import redact_value

_LONGEST_SHOWN = 160


class ChangeKind(StrEnum):
    """What happens to a key."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """One key of a connector config that an apply changes. Secrets are ``***`` already, so it may be shown and stored.

    :param before: the shown value on the worker, ``None`` for :attr:`ChangeKind.CREATE`.
    :param after: the shown desired value, ``None`` for :attr:`ChangeKind.DELETE`.
    """

    kind: ChangeKind
    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.kind is ChangeKind.CREATE:
            return f"+ {self.key} = {_short(self.after)}"
        if self.kind is ChangeKind.DELETE:
            return f"- {self.key} = {_short(self.before)}"
        return f"~ {self.key}: {_short(self.before)} -> {_short(self.after)}"


def connector_config(config: Mapping[str, Any]) -> dict[str, str]:
    """The config as Connect stores it: string values, booleans in lower case, keys with ``None`` left out."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in config.items()
        if value is not None
    }


def config_diff(desired: Mapping[str, Any], actual: Mapping[str, str] | None) -> list[Change]:
    """The changes that make ``actual`` into ``desired``, by key; empty when there is nothing to do.

    :param actual: ``None`` when the connector does not exist. Its ``name``, which Connect adds, is left out.
    """
    before = {key: value for key, value in (actual or {}).items() if key != "name"}
    after = {key: value for key, value in connector_config(desired).items() if key != "name"}
    changes: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        kind = ChangeKind.CREATE if old is None else ChangeKind.DELETE if new is None else ChangeKind.UPDATE
        changes.append(Change(kind, key, redact_value(key, old), redact_value(key, new)))
    return changes


def _short(value: str | None) -> str:
    text = "" if value is None else value.replace("\n", "\\n")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} characters)"
