"""What all decoders of segments hold to: bounded memory, and each error named. Pure.

An object may come from somebody who wants its reader to fail: packed so that it grows without end, cut, with other
columns, with text that is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from kafka_ferry.exceptions import FerryError
from kafka_ferry.records.damage import DamagedSegment

DECODED_BYTES: Final = 1024 * 1024 * 1024
"""What one portion of an object may become: a row group, a line, a block. Ours are 16 MB, or one large record."""


@contextmanager
def named(what: str, kind: str) -> Iterator[None]:
    """Whatever a library says of bytes that it cannot read is a damaged segment.

    :param what: the object. ``kind``: its format.
    :raises DamagedSegment: anything went wrong inside.
    """
    try:
        yield
    except FerryError:
        raise
    except Exception as error:  # noqa: BLE001  # libraries raise what they like on hostile bytes
        said = str(error).strip().splitlines()[:1]
        text = f"{type(error).__name__}: {said[0][:200]}" if said else type(error).__name__
        raise DamagedSegment(f"{what}: cannot be read as {kind}: {text}") from None


def refuse_large(what: str, size: int) -> None:
    """:raises DamagedSegment: a portion would become too large."""
    if size > DECODED_BYTES:
        raise DamagedSegment(
            f"{what}: a part of it would unpack to {size:,} bytes; at most {DECODED_BYTES:,} are taken"
        )


def whole(number: Any) -> int:
    """A number of 64 bits with its sign.

    :raises ValueError: it is none.
    """
    if type(number) is not int or not -(2**63) <= number < 2**63:
        raise ValueError(f"{str(number)[:40]} is not a 64-bit number")
    return number


def text(name: Any) -> str:
    """:raises ValueError: it is no text that can be written as UTF-8."""
    if type(name) is not str:
        raise ValueError(f"a name of type {type(name).__name__}")
    name.encode()
    return name


def place_of(key: str) -> tuple[str, int] | None:
    """Topic and partition that a segment's key says; None when it is no such key."""
    parts = key.split("/")
    return (parts[2], int(parts[4])) if len(parts) == 6 and parts[4].isdigit() else None


def check_place(what: str, topic: Any, partition: Any) -> None:
    """:raises DamagedSegment: an object says it is of another topic or partition than its key."""
    place = place_of(what)
    if place is not None and place != (topic, partition):
        raise DamagedSegment(f"{what}: it is the object of {str(topic)[:260]}-{str(partition)[:20]}")


def check_about(what: str, about: bytes | str | None) -> None:
    """The same, from the JSON that an object has with it.

    :raises DamagedSegment: it has none, or is another one.
    """
    if place_of(what) is None:
        return
    found = json.loads(about) if about else None
    if not isinstance(found, dict):
        raise DamagedSegment(f"{what}: it carries no description")
    check_place(what, found.get("topic"), found.get("partition"))
