"""What a store says of single objects."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.exceptions import FerryError, TransientError


class ObjectMissing(FerryError):
    """There is no such object."""


class ObjectThere(FerryError):
    """There is an object of this key already."""


class ObjectTooLarge(FerryError):
    """An object has more bytes than the caller takes; none of them was read."""


class ObjectsKept(FerryError):
    """Objects that were to be deleted and are still there; others of the same call are gone.

    :param kept: key to what the store said of it.
    """

    def __init__(self, location: str, kept: Mapping[str, str]) -> None:
        named = "; ".join(f"{key}: {why}" for key, why in list(kept.items())[:5])
        more = f", and {len(kept) - 5} more" if len(kept) > 5 else ""
        super().__init__(
            f"{location}: may not delete {named}{more}. Fix: allow s3:DeleteObject to the connection's user; a lock or "
            "a legal hold ends by its date, or by whoever set it"
        )
        self.location, self.kept = location, dict(kept)

    def __reduce__(self) -> tuple[type[ObjectsKept], tuple[str, dict[str, str]]]:
        return type(self), (self.location, self.kept)


class UploadGone(TransientError):
    """A multipart upload ended without us: its end was asked for twice, or somebody cleaned up."""


def refuse_large(location: str, key: str, size: int, limit: int) -> None:
    """:raises ObjectTooLarge: it is."""
    if size > limit:
        raise ObjectTooLarge(f"{location}: {key} has {size} bytes, at most {limit} are read")
