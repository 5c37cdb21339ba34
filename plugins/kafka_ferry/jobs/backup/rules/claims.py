"""Records of an object as its manifest claims them: so many, in order, in their range. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from kafka_ferry.jobs.backup.rules.decoding import named
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.records.damage import DamagedSegment

Records = TypeVar("Records", bound=Any)
"""``segment.Rows``, or what ``packed.PackedRows`` is."""


def as_claimed(pieces: Iterable[Records], segment: Segment) -> Iterator[Records]:
    """The same pieces; ends with the first that cannot be true, before it is used.

    :raises DamagedSegment: other records than the manifest claims.
    """
    what, count, last = segment.key or "", 0, segment.begin - 1
    for rows in pieces:
        if not len(rows):
            continue
        with named(what, "a segment"):
            offsets = np.asarray(rows.offsets, dtype=np.int64)
        count += len(offsets)
        if count > segment.records:
            raise DamagedSegment(f"{what}: {count} records or more, the manifest says {segment.records}")
        if offsets[0] <= last or offsets[-1] >= segment.end or bool((offsets[1:] <= offsets[:-1]).any()):
            raise DamagedSegment(f"{what}: its offsets are not in order, or outside its range")
        last = int(offsets[-1])
        yield rows
    if count != segment.records:
        raise DamagedSegment(f"{what}: {count} records, the manifest says {segment.records}")
