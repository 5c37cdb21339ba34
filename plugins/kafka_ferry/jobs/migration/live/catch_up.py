"""Wait until a target that somebody else fills has reached the frozen ends, judged by its records alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.migration.live.jobs import by_topic
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.convergence import Frozen
from kafka_ferry.records.content import PartitionRange

log = logging.getLogger(__name__)

_TAIL = 64  # source records before the frozen end: among them is the last one, unless all are transaction markers
_WINDOW = 2000  # target records from the end among which the last one is looked for
_POLL_SECONDS = 2.0


def wait_for_tails(
    migration: Migration, frozen: Frozen, timeout: float, look: Callable[[], None] = lambda: None
) -> list[Partition]:
    """Wait until the source's last record below each frozen end is among the target's last records.

    That shows nothing but that it makes sense to compare now. Returns the partitions where it was not seen in time;
    what they lack is for the comparison to say. Partitions whose timestamps are not their writers' are not waited for.

    :param look: called before each wait: it may say that what copies has failed.
    """
    spec = migration.spec
    source, target = migration.topics.topics, migration.target_topics()
    waiting = {
        tp: end
        for tp, end in frozen.ends.items()
        if end > frozen.begins[tp]
        and (name := spec.target_topic(tp[0])) in target
        and (by_topic(migration) or tp[1] < target[name].partitions)
        and source[tp[0]].has_writers_time
        and target[name].has_writers_time
    }
    spans = [PartitionRange(*tp, max(frozen.begins[tp], end - _TAIL), end) for tp, end in waiting.items()]
    with migration.source.reader(spec.isolation_level, few=True) as reader:
        tails = {tp: content.hashes[-1] for tp, content in reader.read(spans).items() if len(content)}
    deadline = time.monotonic() + timeout
    while tails:
        reached = _reached(migration, tails)
        tails = {tp: last for tp, last in tails.items() if tp not in reached}
        if tails and time.monotonic() > deadline:
            break
        if tails:
            look()
            log.info("%d partitions have not reached their frozen end yet", len(tails))
            time.sleep(_POLL_SECONDS)
    return sorted(tails)


def _reached(migration: Migration, tails: dict[Partition, int]) -> set[Partition]:
    places = {tp: [(migration.spec.target_topic(tp[0]), tp[1])] for tp in tails}
    if by_topic(migration):  # the record may be in any partition
        states = migration.target_topics()
        places = {tp: [(at[0], place) for place in range(states[at[0]].partitions)] for tp, (at,) in places.items()}
    every = {at for some in places.values() for at in some}
    begins = migration.target.admin.offsets(every, "earliest", "read_committed")
    ends = migration.target.admin.offsets(every, "latest", "read_committed")
    spans = [PartitionRange(*at, max(begins[at], ends[at] - _WINDOW), ends[at]) for at in every]
    with migration.target.reader("read_committed") as reader:
        contents = reader.read(spans)
    return {tp for tp, some in places.items() if any((contents[at].hashes == tails[tp]).any() for at in some)}
