"""Ids of a schema registry in records of format 2 where they lie, in machine code. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from kafka_ferry.records.raw_records import RawRecords

u64: Any = types.uint64
i64: Any = types.int64
_copy: Any = types.ExternalFunction("memcpy", types.intp(types.intp, types.uint64, types.uint64))


def raw_schema_ids(run: RawRecords, part: int) -> Any:
    """The id of a schema that each ``KEY`` or ``VALUE`` begins with, int64; -1 where there is none."""
    return _schema_ids(run.places, run.sizes, part)


@njit(cache=True, nogil=True)
def _schema_ids(places: Any, sizes: Any, part: Any) -> Any:
    result, head = np.full(len(places), -1, np.int64), np.empty(5, np.uint8)
    for at in range(len(places)):
        if sizes[at, part] >= 5:
            _copy(head.ctypes.data, places[at, part], u64(5))
            if head[0] == 0:
                result[at] = (i64(head[1]) << 24) | (i64(head[2]) << 16) | (i64(head[3]) << 8) | i64(head[4])
    return result
