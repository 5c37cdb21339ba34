"""How records stand in the files of others, as the params say. Pure; loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["confluent"]
Format = Literal["json", "string", "base64"]
"""``json``: the JSON that stands there. ``string``: the text of a string. ``base64``: what a string of base64 means,
or bytes as they are."""


@dataclass(frozen=True)
class Formats:
    """Whose files they are, and how keys and values stand in them."""

    layout: Layout
    key: Format
    value: Format
