"""The canary: a topic of our own whose arrival shows that new topics and new records arrive. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.records.compare import PartitionComparison

#: Canary topics are never anyone's data; plans leave them out.
PREFIX: Final = "ferry-canary-"
PARTITIONS: Final = 2
RECORDS: Final = 20  # of each of the two batches, over all partitions


def canary_topic(migration: str, dag_id: str) -> str:
    """The canary's name on the source; the same for each run of a migration, so that any run can clean it up.

    Two DAGs may have migrations of one name, from one source to two targets: the digest tells them apart.
    """
    return f"{PREFIX}{migration}-{hashlib.sha256(dag_id.encode()).hexdigest()[:8]}"


def other_canaries(canary: str) -> str:
    """Regex, as MirrorMaker 2 takes it, of the canaries of other migrations."""
    return f"{PREFIX}(?!{re.escape(canary.removeprefix(PREFIX))}$).*"


def batch(number: int) -> list[tuple[bytes, bytes | None, list[tuple[str, bytes]], int]]:
    """Key, value, headers and partition of each record of one batch; a tombstone among them."""
    return [
        (f"canary-{number}-{i}".encode(), f"record {i}".encode() if i else None, [("batch", str(number).encode())],
         i % PARTITIONS)
        for i in range(RECORDS)
    ]  # fmt: skip


def skipped_checks(reason: str) -> list[Check]:
    """Both checks when no canary could be sent."""
    return [Check(name=name, status=Status.SKIPPED, detail=reason) for name in ("new_topics", "new_records")]


def patience_for(refresh_seconds: float, partitions: int) -> float:
    """Seconds to wait for a batch.

    An engine that finds a new topic gives out all its partitions again: with 2,000 the canary took 38 s where it takes
    some seconds else (measured on a busy machine with two cores).

    :param refresh_seconds: how often the engine looks for new topics. ``partitions``: what it copies beside.
    """
    return 3 * refresh_seconds + 45 + partitions / 20


def canary_checks(
    topic: str,
    seconds: float | None,
    comparisons: Mapping[int, PartitionComparison],
    second: float | None,
    patience: float,
) -> list[Check]:
    """The checks ``new_topics`` and ``new_records``.

    :param seconds: until the topic with its first batch was on the target; None: never within ``patience``.
    :param comparisons: by partition, of all records of both batches.
    :param second: until the second batch was there; None: never.
    """
    late = f"did not arrive within {patience:.0f} s"
    wrong = [f"{topic}-{p}: {found.detail}" for p, found in comparisons.items() if found.status != "pass"]
    arrived = sum(found.target_records for found in comparisons.values())
    return [
        Check(
            name="new_topics",
            status=Status.FAIL if seconds is None else Status.PASS,
            expected=f"{topic}, created after the start",
            actual=late if seconds is None else f"there after {seconds:.1f} s",
        ),
        Check(
            name="new_records",
            status=Status.FAIL if second is None or wrong else Status.PASS,
            expected=f"{2 * RECORDS} records",
            actual=late if second is None else f"{arrived}, the last after {second:.1f} s",
            differences=wrong,
        ),
    ]


def without_new_topics(check: Check, engine: str) -> Check:
    """The check as it is where the engine makes no topics, so that the canary's was made by us on both sides."""
    if check.name != "new_topics":
        return check
    return Check(name="new_topics", status=Status.SKIPPED, detail=f"{engine} does not create topics")
