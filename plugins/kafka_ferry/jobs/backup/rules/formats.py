"""How segments are stored: Parquet (backups, and by default exports), JSON lines, Avro. An object's key tells. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import numpy as np

from kafka_ferry.jobs.backup.rules import json_lines, segment
from kafka_ferry.jobs.backup.rules.decoding import named
from kafka_ferry.jobs.backup.rules.layout import SUFFIXES, Format
from kafka_ferry.jobs.backup.rules.segment import Draft, ScratchBuffer
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.rows import Rows


def _avro() -> Any:
    """Loaded where it is used: fastavro takes 25 ms to load (measured)."""
    from kafka_ferry.jobs.backup.rules import avro

    return avro


_DECODERS: Final[dict[str, Callable[[bytes, str], Iterator[Rows]]]] = {
    ".parquet": segment.decode,
    ".jsonl.gz": json_lines.decode,
    ".avro": lambda data, key: _avro().decode(data, key),
}


def encode(
    draft: Draft, kind: Format, about: dict[str, Any], scratch: ScratchBuffer | None = None
) -> bytes | memoryview:
    """The object of a segment.

    :param about: what it is (``topic``, ``topic_id``, ``partition``, ``begin``, ``end``); kept where the format can.
    :param scratch: see ``Draft.encode``.
    """
    if kind == "jsonl":
        return json_lines.encode(draft, about["topic"])
    if kind == "avro":
        return cast("bytes", _avro().encode(draft, about["topic"], about))
    return draft.encode(about, scratch)


def decode(data: bytes, key: str) -> Iterator[Rows]:
    """Yield the records of an object, some at a time.

    :raises DamagedSegment: it is not what was written, or of no format of ours.
    """
    for suffix, decoder in _DECODERS.items():
        if key.endswith(suffix):
            return decoder(data, key)
    raise DamagedSegment(f"{key}: no known format has this suffix")


def offsets_of(data: bytes, key: str) -> Any:
    """Only the offsets, as an array of int64.

    :raises DamagedSegment: as :func:`decode`.
    """
    if key.endswith(SUFFIXES["parquet"]):
        return segment.offsets_of(data, key)
    with named(key, "a segment"):
        return np.array([offset for rows in decode(data, key) for offset in rows.offsets], dtype=np.int64)
