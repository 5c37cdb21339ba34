"""When is everything below the frozen end of the source on the target? Offsets, never states. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import DataLossError, FerryError


class ConvergenceStalled(FerryError):
    """Nothing moved for longer than ``no_progress_timeout``."""


@dataclass(frozen=True)
class Frozen:
    """The source as it was when the wait began; what must arrive.

    :param begins: log start offsets. ``ends``: end offsets under the engine's isolation level.
    :param source_ids: topic ids by source topic; ``target_ids``: by target topic, which guard against recreated topics.
    :param record_bytes: mean bytes of a record by source topic, for byte figures in progress lines.
    :param held_back: high watermarks where an open transaction kept the end (the last stable offset) below them.
    """

    begins: Mapping[Partition, int]
    ends: Mapping[Partition, int]
    source_ids: Mapping[str, str]
    target_ids: Mapping[str, str]
    record_bytes: Mapping[str, float] = field(default_factory=dict)
    held_back: Mapping[Partition, int] = field(default_factory=dict)

    def keeping_begins_of(self, earlier: Frozen | None) -> Frozen:
        """This freeze, with the log starts and topic ids a first try saw: what expired or was recreated in between
        stays a failure."""
        if earlier is None:
            return self
        begins = {tp: min(begin, earlier.begins.get(tp, begin)) for tp, begin in self.begins.items()}
        return Frozen(
            begins,
            self.ends,
            {**self.source_ids, **earlier.source_ids},
            {**self.target_ids, **earlier.target_ids},
            self.record_bytes,
            self.held_back,
        )

    def to_json(self) -> dict[str, Any]:
        partitions: dict[str, dict[str, list[int]]] = {}
        for (topic, partition), end in sorted(self.ends.items()):
            partitions.setdefault(topic, {})[str(partition)] = [self.begins[topic, partition], end]
        return {
            "partitions": partitions,
            "source_ids": dict(self.source_ids),
            "target_ids": dict(self.target_ids),
            "record_bytes": dict(self.record_bytes),
            "held_back": [[topic, partition, high] for (topic, partition), high in sorted(self.held_back.items())],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Frozen:
        ranges = {(topic, int(p)): both for topic, ps in data["partitions"].items() for p, both in ps.items()}
        return cls(
            {tp: both[0] for tp, both in ranges.items()},
            {tp: both[1] for tp, both in ranges.items()},
            data["source_ids"],
            data["target_ids"],
            data["record_bytes"],
            {(topic, partition): high for topic, partition, high in data.get("held_back", [])},
        )

    def hanging(self, ends_now: Mapping[Partition, int]) -> list[str]:
        """Open transactions that have not moved since the freeze: what they hold back was neither copied nor compared.

        :param ends_now: last stable offsets.
        """
        return [
            f"{topic}-{partition}: an open transaction holds back offsets {self.ends[topic, partition]} to {high - 1}: "
            "not copied, not compared. Fix: end it (kafka-transactions abort), then clear wait_until_converged"
            for (topic, partition), high in sorted(self.held_back.items())
            if ends_now.get((topic, partition), 0) <= self.ends[topic, partition]
        ]


@dataclass(frozen=True)
class Reading:
    """What one poll saw.

    :param at: seconds on a monotonic clock.
    :param next_offsets: per partition the next source offset to be replicated; absent = nothing replicated yet.
    :param log_starts: of the source, now. ``log_ends``: its high watermarks.
    """

    at: float
    next_offsets: Mapping[Partition, int]
    log_starts: Mapping[Partition, int]
    source_ids: Mapping[str, str]
    target_ids: Mapping[str, str]
    log_ends: Mapping[Partition, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PollResult:
    """One line of progress.

    :param offsets, total_offsets: replicated and to replicate since the log starts: an upper bound of records, as
        markers of transactions and gaps of compacted topics have offsets, too.
    :param offsets_per_second: since the poll before; None on the first.
    :param eta: seconds to go at the mean rate so far; None while unknown.
    :param slowest: topics with most left, with their offsets left.
    :param undecided: partitions that stand still short of their end: probe them.
    """

    converged: bool
    offsets: int
    total_offsets: int
    done_bytes: int
    total_bytes: int
    partitions_done: int
    partitions: int
    offsets_per_second: float | None
    eta: float | None
    slowest: tuple[tuple[str, int], ...]
    undecided: Mapping[Partition, tuple[int, int]]

    def to_json(self) -> dict[str, Any]:
        """For progress.jsonl."""
        return {
            "offsets": self.offsets,
            "total_offsets": self.total_offsets,
            "bytes": self.done_bytes,
            "total_bytes": self.total_bytes,
            "partitions": self.partitions_done,
            "total_partitions": self.partitions,
            "offsets_per_second": self.offsets_per_second,
            "eta_seconds": self.eta,
            "slowest": [list(item) for item in self.slowest],
            "converged": self.converged,
        }


class ConvergenceTracker:
    """Judges one reading after the other.

    Usage::

        result = tracker.update(reading)
        if result.undecided:  # read there: transaction markers and compacted gaps hold no record
            result = tracker.prove(partitions_without_a_record)
    """

    def __init__(self, frozen: Frozen, no_progress_timeout: float) -> None:
        self._frozen = frozen
        self._no_progress_timeout = no_progress_timeout
        self._proven: set[Partition] = set()
        self._reading: Reading | None = None
        self._next: dict[Partition, int] = {}
        self._first: tuple[float, int] | None = None
        self._moved_at: float | None = None
        self._standing: set[Partition] = set()
        self._rate: float | None = None
        self._receded: set[Partition] = set()

    def update(self, reading: Reading) -> PollResult:
        """Take in a reading.

        :raises DataLossError: a topic is gone or was recreated, the source's log start passed what has been
            replicated, or its log end moved back: records were lost.
        :raises ConvergenceStalled: nothing moved for ``no_progress_timeout`` seconds.
        """
        self._guard_topics(reading)
        self._guard_log_ends(reading)
        position = {tp: max(reading.next_offsets.get(tp, begin), begin) for tp, begin in self._frozen.begins.items()}
        self._guard_log_starts(reading, position)
        done = self._sum(position)
        if self._reading is not None:
            self._standing = {tp for tp, offset in position.items() if self._next.get(tp) == offset}
            elapsed = reading.at - self._reading.at
            self._rate = (done - self._sum(self._next)) / elapsed if elapsed > 0 else self._rate
        if self._moved_at is None or position != self._next:
            self._moved_at = reading.at
        self._first = self._first or (reading.at, done)
        self._reading, self._next = reading, position
        result = self._result()
        stalled = reading.at - self._moved_at
        if not result.converged and stalled > self._no_progress_timeout:
            raise ConvergenceStalled(self._stall_text(stalled))
        return result

    def prove(self, empty: set[Partition]) -> PollResult:
        """Count partitions as done whose rest was read and holds no record of the isolation level."""
        if empty and self._reading:
            self._proven |= empty
            self._moved_at = self._reading.at
        return self._result()

    def _guard_topics(self, reading: Reading) -> None:
        for kind, frozen, now in (
            ("source", self._frozen.source_ids, reading.source_ids),
            ("target", self._frozen.target_ids, reading.target_ids),
        ):
            for topic, topic_id in frozen.items():
                if topic not in now:
                    raise DataLossError(f"{kind} topic {topic!r} was deleted during the copy. Fix: start a new run")
                if now[topic] != topic_id:
                    raise DataLossError(
                        f"{kind} topic {topic!r} was deleted and recreated during the copy (its topic id changed): "
                        "what it held before is lost to this run. Fix: start a new run"
                    )

    def _guard_log_ends(self, reading: Reading) -> None:
        """A log that ends before its frozen end lost records: an unclean leader election, or another topic by its name.

        Seen twice in a row, as the first answer may be of a broker that has just become the leader (KIP-207).
        """
        ends = self._frozen.ends
        receded = {tp for tp, end in reading.log_ends.items() if end < ends.get(tp, 0)}
        again, self._receded = receded & self._receded, receded
        for topic, partition in sorted(again)[:1]:
            end, frozen = reading.log_ends[topic, partition], ends[topic, partition]
            more = f" and {len(again) - 1} more partitions" if len(again) > 1 else ""
            raise DataLossError(
                f"{topic}-{partition}{more}: the source's log ended at {frozen} when the copy began and ends at {end} "
                f"now: offsets {end} to {frozen - 1} are gone from the source (an unclean leader election, or the "
                "topic was deleted and recreated). Fix: find the cause, then start a new run"
            )

    def _guard_log_starts(self, reading: Reading, position: Mapping[Partition, int]) -> None:
        for (topic, partition), start in reading.log_starts.items():
            reached = position.get((topic, partition), start)
            if (topic, partition) in self._proven:  # nothing but markers and holes up to the end: no record expires
                reached = max(reached, self._frozen.ends[topic, partition])
            if start > reached:
                raise DataLossError(
                    f"{topic}-{partition}: the source's log start moved to {start}, but replication had reached "
                    f"{reached}: offsets {reached} to {start - 1} expired before they were copied. Fix: raise "
                    "retention on the source, then start a new run"
                )

    def _sum(self, position: Mapping[Partition, int]) -> int:
        frozen = self._frozen
        return sum(min(position[tp], end) - frozen.begins[tp] for tp, end in frozen.ends.items())

    def _left(self) -> dict[Partition, int]:
        left = {tp: end - self._next[tp] for tp, end in self._frozen.ends.items() if tp not in self._proven}
        return {tp: count for tp, count in left.items() if count > 0}

    def _result(self) -> PollResult:
        frozen, left = self._frozen, self._left()
        by_topic: dict[str, int] = {}
        for (topic, _), count in left.items():
            by_topic[topic] = by_topic.get(topic, 0) + count
        totals: dict[str, int] = {}
        for (topic, partition), end in frozen.ends.items():
            totals[topic] = totals.get(topic, 0) + end - frozen.begins[topic, partition]
        total, missing = sum(totals.values()), sum(by_topic.values())
        size = frozen.record_bytes
        total_bytes = sum(count * size.get(topic, 0) for topic, count in totals.items())
        missing_bytes = sum(count * size.get(topic, 0) for topic, count in by_topic.items())
        return PollResult(
            converged=not left,
            offsets=total - missing,
            total_offsets=total,
            done_bytes=round(total_bytes - missing_bytes),
            total_bytes=round(total_bytes),
            partitions_done=len(frozen.ends) - len(left),
            partitions=len(frozen.ends),
            offsets_per_second=self._rate,
            eta=self._eta(missing),
            slowest=tuple(sorted(by_topic.items(), key=lambda item: (-item[1], item[0]))[:3]),
            undecided={tp: (self._next[tp], frozen.ends[tp]) for tp in left if tp in self._standing},
        )

    def _eta(self, missing: int) -> float | None:
        if not missing:
            return 0.0
        if self._first is None or self._reading is None:
            return None
        elapsed, moved = self._reading.at - self._first[0], self._sum(self._next) - self._first[1]
        return missing * elapsed / moved if moved > 0 and elapsed > 0 else None

    def _stall_text(self, seconds: float) -> str:
        left = sorted(self._left().items(), key=lambda item: -item[1])
        named = ", ".join(
            f"{topic}-{partition} at {self._next[topic, partition]} of {self._frozen.ends[topic, partition]}"
            for (topic, partition), _ in left[:5]
        )
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        return (
            f"no progress for {seconds:.0f} s, with {len(left)} partition(s) short of their end: {named}{more}. "
            "The replicator may be RUNNING and yet not read or write. Fix: read the log of its workers, or of the "
            "replicator (wrong password, missing permission, a record larger than the target takes, broker down)"
        )
