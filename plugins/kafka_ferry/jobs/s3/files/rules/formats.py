"""How records stand in the files of others, as the params say. Pure; loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Layout = Literal["confluent", "aiven", "lenses"]
Kind = Literal["json", "avro", "parquet", "csv"]
Field = Literal["key", "value", "offset", "timestamp", "headers"]
Format = Literal["json", "string", "base64"]
"""``json``: the JSON that stands there. ``string``: the text of a string. ``base64``: what a string of base64 means,
or bytes as they are."""

#: Aiven's own default.
TEMPLATE: Final = "{{topic}}-{{partition}}-{{start_offset}}"


@dataclass(frozen=True)
class Formats:
    """Whose files they are, and how keys, values and headers stand in them.

    :param envelope: of Aiven: whether a line has fields, or is a value. ``fields``: of its CSV, in order.
    :param template: of Aiven: of names. ``kind``: what is in files whose names do not say.
    """

    layout: Layout
    key: Format = "string"
    value: Format = "json"
    header: Format = "string"
    envelope: bool = True
    fields: tuple[Field, ...] = ()
    template: str = TEMPLATE
    kind: Kind | None = None
