"""A file of the store as a file of this machine: read as memory, which the system takes back when it is short."""

from __future__ import annotations

import hashlib
import mmap
import shutil
import tempfile
from typing import Any, Final

from kafka_ferry.core.object_key import ForeignKey
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.objects.errors import ObjectMissing, ObjectTooLarge
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.records.damage import DamagedSegment

MOST_BYTES: Final = 8 * 1024**3
"""Of one file; sinks make some megabytes, up to a few hundred."""


def load(store: ObjectStore, key: str, size: int) -> tuple[Any, str]:
    """(its bytes, their SHA-256). The file has no name on this machine, and is gone when nobody holds the bytes.

    :raises DamagedSegment: it is missing, or has another size than it had in the listing.
    """
    if size > MOST_BYTES:
        raise DamagedSegment(f"{key}: {size:,} bytes; at most {MOST_BYTES:,} are read of one file")
    if shutil.disk_usage(tempfile.gettempdir()).free < size:
        raise TransientError(
            f"{key}: there is no room for its {size:,} bytes in {tempfile.gettempdir()}. Fix: room there, or TMPDIR"
        )
    with tempfile.TemporaryFile() as file:
        try:
            store.load(key, file, size)
        except ObjectMissing:
            raise DamagedSegment(f"{key}: it is gone since it was listed") from None
        except ObjectTooLarge:
            raise DamagedSegment(f"{key}: it has grown since it was listed, from {size:,} bytes") from None
        except ForeignKey as error:
            raise DamagedSegment(f"{key}: {error}") from None
        file.flush()
        if file.tell() != size:
            raise DamagedSegment(f"{key}: {file.tell():,} bytes, {size:,} when it was listed")
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"", digest
