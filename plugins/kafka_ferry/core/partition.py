"""A partition of a topic. Pure."""

from __future__ import annotations

Partition = tuple[str, int]
"""Topic and number."""
