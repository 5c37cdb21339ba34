"""The records that a careless copy changes: nulls, empties, bytes, tombstones, aborted transactions, big values."""

from __future__ import annotations

from itertools import product
from random import Random

from demo.spec import Headers, Record, TopicSpec, Transaction

KEEP = {"retention.ms": "-1"}
START = 1_356_998_400_000  # 2013-01-01T00:00Z, where the flights start too

KEYS: tuple[bytes | None, ...] = (None, b"", b"plain", bytes(range(256)), "Zürich ✈".encode())
VALUES: tuple[bytes | None, ...] = (None, b"", b'{"json": true}', bytes(range(255, -1, -1)), b"\xff\xfe\x00", b"0")
HEADERS: tuple[Headers | None, ...] = (
    None,
    [],
    [("trace", b"1")],
    [("null", None)],
    [("empty", b"")],
    [("null", None), ("empty", b"")],
    [("twice", b"first"), ("twice", b"second")],
    [("twice", b"same"), ("twice", b"same"), ("other", b"between"), ("twice", None)],
    [("", b"a header without a name")],
    [("bytes", bytes(range(256))), ("über", "✈".encode())],
    [("number", b"6"), ("json", b'{"a":1}')],  # what SimpleHeaderConverter would re-type
    [(f"h{i:02d}", bytes([i])) for i in range(40)],
)
PARTITIONS_BINARY, PARTITIONS_COMPACTED, PARTITIONS_TX, PARTITIONS_BIG = 3, 2, 3, 2


def binary() -> TopicSpec:
    """Every key with every value with every header list; each record twice in a row, which is legal and no duplicate.

    Timestamps run backwards in blocks, as they do when producers batch.
    """
    cases = [case for case in product(KEYS, VALUES, HEADERS) for _ in range(2)]
    records = [
        Record(key, value, START + (i ^ 7) * 1000 + 1, headers, i // 2 % PARTITIONS_BINARY)
        for i, (key, value, headers) in enumerate(cases)
    ]
    return TopicSpec.of("hard.binary", PARTITIONS_BINARY, KEEP | {"message.timestamp.type": "CreateTime"}, records)


def compacted(scale: float) -> TopicSpec:
    """200 keys rewritten many times; every seventh ends in a tombstone.

    The log grows past several 1 MiB segments (the least that Kafka 4 allows, KIP-1030), so the cleaner may act at
    any time: what stays equal on both clusters is the last value of each key, not the offsets.
    """
    config = {
        "cleanup.policy": "compact",
        "segment.bytes": "1048576",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "86400000",
    }
    random = Random(4)  # noqa: S311 - the same bytes on every load
    keys = [f"account-{i:03d}" for i in range(200)]
    rounds = max(2, int(40 * scale))
    records = [
        Record(key.encode(), random.randbytes(700), START + n * 60_000 + i, None, i % PARTITIONS_COMPACTED)
        for n in range(rounds)
        for i, key in enumerate(keys)
    ]
    records += [
        Record(key.encode(), None, START + rounds * 60_000 + i, [("deleted", b"")], i % PARTITIONS_COMPACTED)
        for i, key in enumerate(keys)
        if i % 7 == 0
    ]
    return TopicSpec.of("hard-compacted", PARTITIONS_COMPACTED, config, records)


def transactions(count: int = 24) -> TopicSpec:
    """Every fourth transaction is aborted, the last one too: the log then ends in records nobody may read."""
    made = []
    for number in range(count):
        aborted = number % 4 == 3
        word = "aborted" if aborted else "committed"
        made.append(
            Transaction(
                tuple(
                    Record(
                        f"tx-{number:03d}".encode(),
                        f"{word} {number}/{i}".encode(),
                        START + number * 1000 + i,
                        [("transaction", str(number).encode())],
                        i % PARTITIONS_TX,
                    )
                    for i in range(30)
                ),
                committed=not aborted,
            )
        )
    return TopicSpec.transactional("hard_transactions", PARTITIONS_TX, KEEP, tuple(made))


def big(scale: float) -> TopicSpec:
    """Values just under the 1 MB that a stock producer may send; they do not compress."""
    random = Random(900)  # noqa: S311 - the same bytes on every load
    records = [
        Record(f"big-{i}".encode(), random.randbytes(900_000 + i), START + i, None, i % PARTITIONS_BIG)
        for i in range(max(4, int(20 * scale)))
    ]
    config = KEEP | {"max.message.bytes": "2097152", "segment.bytes": "8388608"}
    return TopicSpec.of("hard-big_records", PARTITIONS_BIG, config, records)


def empty() -> TopicSpec:
    """Partitions, no records: the count that must be zero on both sides."""
    return TopicSpec("hard.empty", 2, KEEP)


def topics(scale: float) -> list[TopicSpec]:
    """All hard cases; ``scale`` shrinks only the bulky ones."""
    return [binary(), compacted(min(scale, 1.0)), transactions(), big(min(scale, 1.0)), empty()]
