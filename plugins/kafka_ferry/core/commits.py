"""A committed offset with what its group noted beside it. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Commit(NamedTuple):
    """What a group committed on a partition.

    :param metadata: the group's own words; Kafka Streams keeps its stream time there. Empty: none, which brokers do
        not tell from null.

    The leader epoch of a commit is left where it is: epochs count a partition's leaders on one cluster. Another
    cluster's would make a consumer there believe that the log was cut (KIP-320). MirrorMaker 2 writes none either.
    """

    offset: int
    metadata: str = ""

    def __str__(self) -> str:
        return f"{self.offset}" + f" with {len(self.metadata):,} characters of metadata" * bool(self.metadata)


def metadata_difference(wanted: str, found: str) -> str:
    """In words, without what stands in them: that is the application's; empty when they are the same."""
    if wanted == found:
        return ""
    sizes = [f"{len(text):,} characters" if text else "none" for text in (wanted, found)]
    return f"commit metadata differs: {sizes[0]} on the source, {sizes[1]} on the target"
