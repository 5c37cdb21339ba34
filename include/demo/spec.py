"""What one demo topic or consumer group should look like. Pure values, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Headers = list[tuple[str, str | bytes | None]]


class Record(NamedTuple):
    """One record as a producer sends it.

    :param timestamp: ms since 1970. Never 0: librdkafka reads 0 as "now".
    :param headers: None and [] both mean a record without headers on the wire.
    :param partition: None lets the key decide (murmur2, as the Java producer does).
    """

    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers | None = None
    partition: int | None = None


@dataclass(frozen=True)
class Transaction:
    """Records that are committed or aborted together. Every record names its partition."""

    records: tuple[Record, ...]
    committed: bool

    @property
    def offsets(self) -> int:
        """Offsets this transaction uses: one a record, and one marker for each partition it touched."""
        return len(self.records) + len({record.partition for record in self.records})


@dataclass(frozen=True)
class TopicSpec:
    """A topic and all its records.

    :param count: records that the topic holds, aborted ones included.
    :param offsets: sum of the partitions' log end offsets once loaded; more than ``count`` where markers stand.
    """

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    offsets: int = 0
    records: Callable[[], Iterable[Record]] = tuple
    transactions: tuple[Transaction, ...] = ()

    @classmethod
    def of(cls, name: str, partitions: int, config: Mapping[str, str], records: list[Record]) -> TopicSpec:
        """A plain topic from a list of records."""
        return cls(name, partitions, config, len(records), len(records), lambda: records)

    @classmethod
    def transactional(
        cls, name: str, partitions: int, config: Mapping[str, str], transactions: tuple[Transaction, ...]
    ) -> TopicSpec:
        """A topic written only by transactions."""
        count = sum(len(t.records) for t in transactions)
        return cls(name, partitions, config, count, sum(t.offsets for t in transactions), transactions=transactions)

    def all_records(self) -> Iterator[Record]:
        """Every record in the order it is sent, aborted ones included."""
        yield from self.records()
        for transaction in self.transactions:
            yield from transaction.records


@dataclass(frozen=True)
class GroupSpec:
    """A consumer group that has committed at ``position`` of each topic: 0.0 is the start, 1.0 the end.

    :param partitions: only these partitions have a commit; None means all.
    """

    name: str
    topics: tuple[str, ...]
    position: float
    partitions: tuple[int, ...] | None = None
