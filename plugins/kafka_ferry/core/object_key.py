"""The keys that a backup may point to: those of its own objects, and no other. Pure.

A manifest, a journal and a listing come from a bucket that others may write. A key in them is therefore never taken
as it stands: a segment's key follows from what the manifest says of the segment, so it must be that very key. An
absolute key, one with ``..``, another backup's or another partition's object are all something else.
"""

from __future__ import annotations

from typing import Final

from kafka_ferry.exceptions import FerryError

LONGEST: Final = 1024  # bytes of UTF-8; S3's limit ("Creating object key names" in its guide)


class ForeignKey(FerryError):
    """A key that leads out of the place it may stand in."""


def key_problem(key: str) -> str | None:
    """Why a key, relative to a store's location, cannot be one of ours; None when it can.

    A folder would follow ``..``, servers of S3's protocol that keep objects as files do too, and other tools take
    ``\\`` for ``/``.
    """
    if not key:
        return "it is empty"
    if any(letter < " " or letter in "\\\x7f" for letter in key):
        return "it has a backslash or a control character"
    if key.startswith("/"):
        return "it is absolute"
    if any(part in ("", ".", "..") for part in key.split("/")):
        return "it has an empty part, '.' or '..'"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it is not Unicode text"
    return f"it has {size} bytes" if size > LONGEST else None


def check_key(key: str, what: str) -> str:
    """The key, when it leads nowhere else.

    :param what: for the error text: which store.
    :raises ForeignKey: it does.
    """
    problem = key_problem(key)
    if problem:
        raise ForeignKey(f"{what}: the key {key[:200]!r} is refused: {problem}")
    return key
