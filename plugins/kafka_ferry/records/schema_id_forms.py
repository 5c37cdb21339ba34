"""How a record names the schemas of its key and its value, and what it names. Pure.

Sources: confluentinc/schema-registry ``SchemaId``, ``DualSchemaIdDeserializer``; Apicurio ``DefaultHeadersHandler``,
``DefaultSchemaResolver``; awslabs/aws-glue-schema-registry ``GlueSchemaRegistryDeserializerDataParser``. As their
deserializers do, the last header of a name counts, headers go before the payload, and a key or value that is null has
no schema. Bytes behind an id are its client's: Confluent's Protobuf has indexes of messages there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import numpy as np

from kafka_ferry.records.record_hash import Headers

#: In the order of a record.
PARTS: Final = ("key", "value")
_MOST_LONG: Final = 1 << 63


class Form(StrEnum):
    """How."""

    ID = "id"  # the payload begins with a zero byte and four bytes
    GLUE = "glue"  # with a 3, a 0 or 5, and the 16 bytes of a schema version of AWS Glue's
    GUID = "guid"  # Confluent's header, with a 1 and 16 bytes
    HEADER_ID = "header id"  # the same header, with a zero byte and four bytes
    CONTENT_ID = "content id"  # Apicurio's headers, with eight bytes
    GLOBAL_ID = "global id"
    NAME = "name"  # Apicurio's headers, with a hash, or the name of an artifact
    MALFORMED = "malformed"  # one of these headers, with what no client can read


#: Where a form stands here is its number in columns; 0: there is none.
FORMS: Final = (None, *Form)
#: Those that a payload has by chance, too.
OF_PAYLOAD: Final = (Form.ID, Form.GLUE)
#: Those that say which schema.
WITH_ID: Final = (Form.ID, Form.GLUE, Form.GUID, Form.HEADER_ID, Form.CONTENT_ID, Form.GLOBAL_ID)
ID, GLUE, GUID, HEADER_ID, CONTENT_ID, GLOBAL_ID, NAME, MALFORMED = range(1, len(FORMS))


def header_names(part: str) -> tuple[str, ...]:
    """Those that count, of a key or a value: the first of them that a record has says it."""
    apicurio = ("contentId", "contentHash", "globalId", "artifactId")
    return (f"__{part}_schema_id", *(f"apicurio.{part}.{name}" for name in apicurio))


@dataclass(frozen=True, eq=False)
class Found:
    """What the keys, or the values, of a run of records name.

    :param forms: int8. ``high``, ``low``: the halves of 16 bytes, or of a number the low one, uint64.
    """

    forms: Any
    high: Any
    low: Any

    def __len__(self) -> int:
        return len(self.forms)

    def part(self, rows: Any) -> Found:
        """Of some of the records."""
        return Found(self.forms[rows], self.high[rows], self.low[rows])


def id_of(form: Form, high: int, low: int) -> int | str:
    """The number, or the text of a UUID."""
    return str(UUID(int=high << 64 | low)) if form in (Form.GLUE, Form.GUID) else low


def found_in(part: str, contents: Iterable[bytes | None], headers: Iterable[Headers | None]) -> Found:
    """Of keys or values, one record after the other."""
    names = header_names(part)
    rows = [_of_record(names, content, some) for content, some in zip(contents, headers, strict=True)]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Found(np.array(columns[0], np.int8), np.array(columns[1], np.uint64), np.array(columns[2], np.uint64))


def _of_record(names: tuple[str, ...], content: bytes | None, headers: Headers | None) -> tuple[int, int, int]:
    if content is None:
        return 0, 0, 0
    last = {name: value for name, value in headers if name in names} if headers else {}
    return (_of_headers(names, last) if last else None) or _of_payload(content)


def _of_headers(names: tuple[str, ...], last: dict[str, bytes | None]) -> tuple[int, int, int] | None:
    confluent, content_id, content_hash, global_id, artifact_id = names
    value = last.get(confluent)
    if value is not None:  # a null is no header to Confluent's clients
        if value[:1] == b"\1" and len(value) >= 17:
            return GUID, int.from_bytes(value[1:9]), int.from_bytes(value[9:17])
        if value[:1] == b"\0" and len(value) >= 5:
            return HEADER_ID, 0, int.from_bytes(value[1:5])
        return MALFORMED, 0, 0
    for name, form in ((content_id, CONTENT_ID), (content_hash, NAME), (global_id, GLOBAL_ID), (artifact_id, NAME)):
        if name in last:
            return _of_apicurio(form, last[name])
    return None


def _of_apicurio(form: int, value: bytes | None) -> tuple[int, int, int]:
    if form == NAME:
        return form, 0, 0
    number = int.from_bytes(value[:8]) if value is not None and len(value) >= 8 else _MOST_LONG
    return (MALFORMED, 0, 0) if number >= _MOST_LONG else (form, 0, number)


def _of_payload(content: bytes) -> tuple[int, int, int]:
    if content[:1] == b"\0" and len(content) >= 5:
        return ID, 0, int.from_bytes(content[1:5])
    if content[:2] in (b"\3\0", b"\3\5") and len(content) >= 18:
        return GLUE, int.from_bytes(content[2:10]), int.from_bytes(content[10:18])
    return 0, 0, 0
