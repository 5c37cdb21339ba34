"""Have the producers stopped? Told from log ends and producers' states at two moments. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.producers import ProducerState

_NAMED = 10
#: Of what a partition grew by, so much may be told late by the other of the two questions.
_BLUR = 0.2


#: Whoever has not written for so long is not named among those who write.
ASLEEP_MS = 600_000


@dataclass(frozen=True)
class Look:
    """One moment.

    :param at: seconds on a monotonic clock. ``ends``: log ends, whatever is committed.
    :param producers: as the leaders know them; None: the brokers do not tell.
    :param took: seconds that both questions took together, as none is answered at the same moment as the other.
    """

    at: float
    ends: Mapping[Partition, int]
    producers: Mapping[Partition, Sequence[ProducerState]] | None = None
    took: float = 0.0


@dataclass(frozen=True)
class Writer:
    """Whoever wrote between two looks. Without a producer id it is no idempotent producer: brokers know no more."""

    topic: str
    partition: int
    records: int
    rate: float
    producer_id: int | None = None
    epoch: int | None = None
    transactional_id: str = ""

    def __str__(self) -> str:
        who = "a producer without an id (enable.idempotence=false)"
        if self.producer_id is not None:
            who = f"producer id {self.producer_id}, epoch {self.epoch}"
            who += f", transactional id {self.transactional_id}" * bool(self.transactional_id)
        return f"{self.topic}-{self.partition}: {self.rate:.1f} records/s by {who}"


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction that has not ended on a partition: from ``start`` on nothing of it can be read as committed."""

    topic: str
    partition: int
    producer_id: int
    epoch: int
    start: int
    transactional_id: str = ""

    def __str__(self) -> str:
        name = f", transactional id {self.transactional_id}" * bool(self.transactional_id)
        return f"{self.topic}-{self.partition}: open since offset {self.start}, producer id {self.producer_id}, epoch {self.epoch}{name}"  # noqa: E501

    @property
    def abort(self) -> str:
        """Kafka's own tool, for one whose producer is gone."""
        place = f"--topic {shlex.quote(self.topic)} --partition {self.partition}"
        return f"kafka-transactions.sh --bootstrap-server … abort {place} --start-offset {self.start}"


def writers(before: Look, after: Look, names: Mapping[int, str] | None = None) -> list[Writer]:
    """Whoever wrote between the two, the fastest first.

    The end of a transaction writes a marker, which is nobody's record: it makes no writer.

    :param names: producer id to transactional id.
    """
    seconds, found = max(after.at - before.at, 1e-3), []
    for tp, end in after.ends.items():
        grown = end - before.ends.get(tp, end)
        first = _by_id(before, tp)
        moved = {now: _written(first.get(now.producer_id), now) for now in _by_id(after, tp).values()}
        moved = {now: count for now, count in moved.items() if count}
        for now, count in moved.items():
            name = (names or {}).get(now.producer_id, "")
            found.append(Writer(*tp, count, count / seconds, now.producer_id, now.epoch, name))
        known = sum(moved.values())
        rest = grown - _ended(before, after, tp) - known
        # What those that are known may have written between two questions is nobody else's.
        between = 2 * (before.took + after.took) * known / seconds
        if rest > (max(_BLUR * grown, between) if moved else 0):
            found.append(Writer(*tp, rest, rest / seconds))
    return sorted(found, key=lambda one: (-one.rate, one.topic, one.partition))


def open_transactions(look: Look, names: Mapping[int, str] | None = None) -> list[OpenTransaction]:
    """Those that a look saw, by topic and partition."""
    return [
        OpenTransaction(*tp, one.producer_id, one.epoch, one.transaction_start, (names or {}).get(one.producer_id, ""))
        for tp, states in sorted((look.producers or {}).items())
        for one in states
        if one.transaction_start >= 0
    ]


def lingering(
    before: Mapping[Partition, Sequence[ProducerState]],
    after: Mapping[Partition, Sequence[ProducerState]],
    now_ms: int,
    seconds: float,
    names: Mapping[int, str],
) -> list[tuple[OpenTransaction, int]]:
    """Transactions that were open at both looks, in which nothing came between, and whose last record is older than so
    many seconds; with the time of that, in ms since 1970.

    :param now_ms: since 1970. ``names``: producer id to transactional id.
    """
    return [
        (OpenTransaction(*tp, one.producer_id, one.epoch, one.transaction_start, names.get(one.producer_id, "")),
         one.last_timestamp)
        for tp, states in sorted(after.items())
        for one in states
        if one.transaction_start >= 0 and one in before.get(tp, ()) and one.last_timestamp < now_ms - seconds * 1000
    ]  # fmt: skip


def at_work(before: Look, after: Look, between: tuple[int, int]) -> dict[int, int]:
    """Producer ids that wrote between two looks, to when each wrote last, ms since 1970.

    :param between: when the looks were, in ms since 1970. A batch has the time that its producer gave it, of any year.
    """
    ids = {writer.producer_id for writer in writers(before, after) if writer.producer_id is not None}
    last: dict[int, int] = {}
    for states in (after.producers or {}).values():
        for one in states:
            if one.producer_id in ids:
                when = min(max(one.last_timestamp, between[0]), between[1])
                last[one.producer_id] = max(last.get(one.producer_id, -1), when)
    return last


def asleep(
    before: Mapping[Partition, Sequence[ProducerState]], after: Mapping[Partition, Sequence[ProducerState]], now_ms: int
) -> set[int]:
    """Producer ids of whom nothing has come between two looks, nor for long before, and who hold nothing open: brokers
    remember a producer for a day after it is gone. A batch without a known time may be of now.

    :param now_ms: since 1970.
    """
    awake, seen = set[int](), set[int]()
    for tp, states in after.items():
        first = {one.producer_id: one for one in before.get(tp, ())}
        for one in states:
            seen.add(one.producer_id)
            old = 0 <= one.last_timestamp < now_ms - ASLEEP_MS
            if not old or one.transaction_start >= 0 or first.get(one.producer_id) != one:
                awake.add(one.producer_id)
    return seen - awake


def seldom(states: Mapping[Partition, Sequence[ProducerState]], now_ms: int, silence: float) -> dict[int, float]:
    """Producer ids that wrote not long ago, and not within so many seconds, to how many seconds ago: whoever writes as
    seldom may pass for one that has stopped.

    :param now_ms: since 1970. ``silence``: seconds. Records have the times that their producers gave them.
    """
    last: dict[int, int] = {}
    for one in (one for known in states.values() for one in known):
        last[one.producer_id] = max(last.get(one.producer_id, -1), one.last_timestamp)
    return {
        number: (now_ms - when) / 1000
        for number, when in sorted(last.items())
        if when >= 0 and silence * 1000 < now_ms - when < ASLEEP_MS
    }


def told(found: Iterable[object]) -> str:
    """The first ten, and how many more."""
    every = [str(one) for one in found]
    more = f"; and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return "; ".join(every[:_NAMED]) + more


def by_halves(
    states: Mapping[Partition, Sequence[ProducerState]], topics: Iterable[str], names: Mapping[int, str]
) -> list[tuple[str, list[str], list[str]]]:
    """Producers that write to the wave and to other topics: who, topics in the wave, topics beside it.

    :param states: of all partitions of the cluster, as far as they may be read. ``topics``: of the wave.
    """
    wave, where = set(topics), dict[int, set[str]]()
    for (topic, _), known in states.items():
        for one in known:
            if not topic.startswith("__"):
                where.setdefault(one.producer_id, set()).add(topic)
    halves = []
    for number, mine in sorted(where.items()):
        if mine & wave and mine - wave:
            who = f"transactional id {names[number]}" if number in names else f"producer id {number}"
            halves.append((who, sorted(mine & wave), sorted(mine - wave)))
    return halves


def _by_id(look: Look, tp: Partition) -> dict[int, ProducerState]:
    return {one.producer_id: one for one in (look.producers or {}).get(tp, ())}


def _written(before: ProducerState | None, now: ProducerState) -> int:
    """Records between two states of one producer. The end of a transaction may raise the epoch (KIP-890), and forgets
    the sequence (-1)."""
    if now.last_sequence < 0:
        return 0
    if before is None or before.epoch != now.epoch or now.last_sequence < before.last_sequence:
        return now.last_sequence + 1
    return now.last_sequence - before.last_sequence


def _ended(before: Look, after: Look, tp: Partition) -> int:
    """Transactions that ended on a partition, each with a marker."""
    now = _by_id(after, tp)
    return sum(
        one.transaction_start >= 0 and (number not in now or now[number].transaction_start != one.transaction_start)
        for number, one in _by_id(before, tp).items()
    )
