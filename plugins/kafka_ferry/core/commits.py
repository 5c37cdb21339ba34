"""Where a group stands on a partition: a committed offset, or the start of a share group. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Commit(NamedTuple):
    """What a group committed on a partition; of a share group (KIP-932) the start that the cluster keeps.

    :param metadata: the group's own words; Kafka Streams keeps its stream time there. Empty: none, which brokers do
        not tell from null.
    :param lag: of a share group: records from its start on that it has still to get, as the brokers count them; None:
        they do not tell (before Kafka 4.2).

    The leader epoch of a commit is left where it is: epochs count a partition's leaders on one cluster. Another
    cluster's would make a consumer there believe that the log was cut (KIP-320). MirrorMaker 2 writes none either.
    """

    offset: int
    metadata: str = ""
    lag: int | None = None

    def acknowledged(self, end: int) -> int | None:
        """Of a share group: records behind its start that it is done with, which it would get again from there.

        :param end: log end. None: not known.
        """
        return None if self.lag is None else max(0, end - self.offset - self.lag)

    def __str__(self) -> str:
        return f"{self.offset}" + f" with {len(self.metadata):,} characters of metadata" * bool(self.metadata)


def metadata_difference(wanted: str, found: str) -> str:
    """In words, without what stands in them: that is the application's; empty when they are the same."""
    if wanted == found:
        return ""
    sizes = [f"{len(text):,} characters" if text else "none" for text in (wanted, found)]
    return f"commit metadata differs: {sizes[0]} on the source, {sizes[1]} on the target"
