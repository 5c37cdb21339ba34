"""What a store says of single objects."""

from __future__ import annotations

from kafka_ferry.exceptions import FerryError, TransientError


class ObjectMissing(FerryError):
    """There is no such object."""


class ObjectThere(FerryError):
    """There is an object of this key already."""


class ObjectTooLarge(FerryError):
    """An object has more bytes than the caller takes; none of them was read."""


class UploadGone(TransientError):
    """A multipart upload ended without us: its end was asked for twice, or somebody cleaned up."""


def refuse_large(location: str, key: str, size: int, limit: int) -> None:
    """:raises ObjectTooLarge: it is."""
    if size > limit:
        raise ObjectTooLarge(f"{location}: {key} has {size} bytes, at most {limit} are read")
