"""Many things in requests of a bearable size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def weighed(items: Iterable[T], weight: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """Chunks whose weights add up to at most ``limit``; an item above it stands alone."""
    chunk: list[T] = []
    total = 0
    for item in items:
        if chunk and total + weight(item) > limit:
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += weight(item)
    if chunk:
        yield chunk


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Chunks of at most ``size``."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
