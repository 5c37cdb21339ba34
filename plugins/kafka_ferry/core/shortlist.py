"""Many names in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def shortlist(names: Iterable[str], most: int = 3) -> str:
    """``a, b, c and 4 more``: the first few in their order, each once."""
    found = list(dict.fromkeys(names))
    left = len(found) - most
    return ", ".join(found[:most]) + (f" and {left} more" if left > 0 else "")
