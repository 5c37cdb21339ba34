"""How far the waves of a source have come, and which applications still use it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.core.words import number_of, shown

_NAMED = 10


@dataclass(frozen=True)
class Waves:
    """Of one source cluster.

    :param by_state: state to names of waves.
    :param handed_over: topics that are on the target. ``left``: those that are not; Kafka's own are neither.
    :param groups: groups that stand on a topic that is left, to these topics; the name says whether they are at work.
    :param producers: producers that brokers know on a topic that is left, to these topics.
    """

    by_state: Mapping[str, Sequence[str]]
    handed_over: Sequence[str]
    left: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    producers: Mapping[str, Sequence[str]]

    @classmethod
    def of(
        cls, journals: Iterable[Journal], topics: Iterable[str], reads: Mapping[str, Iterable[str]],
        states: Mapping[str, str], writes: Mapping[str, Iterable[str]],
    ) -> Waves:  # fmt: skip
        """
        :param topics: of the source. ``reads``: group to topics on which it stands, ``states``: group to its state.
        :param writes: producer, in words, to topics.
        """
        by_state: dict[str, list[str]] = {}
        done: set[str] = set()
        for journal in sorted(journals, key=lambda one: (one.handed_over_at, one.wave)):
            by_state.setdefault(journal.state.value, []).append(journal.wave)
            if journal.state in (State.HANDED_OVER, State.HANDING_OVER):
                done |= journal.topics.keys()
        there = {name for name in topics if not name.startswith("__")}
        left = there - done
        groups = {
            f"{shown(group)} ({states.get(group, '') or 'state not told'})": sorted(set(every) & left)
            for group, every in sorted(reads.items())
        }
        producers = {who: sorted(set(every) & left) for who, every in sorted(writes.items())}
        return cls(
            by_state,
            sorted(there & done),
            sorted(left),
            {who: every for who, every in groups.items() if every},
            {who: every for who, every in producers.items() if every},
        )

    def lines(self) -> list[str]:
        """For the plan."""
        told = [f"{len(names):,} {state.replace('_', ' ')} ({_some(names)})" for state, names in self.by_state.items()]
        every = len(self.handed_over) + len(self.left)
        found = [
            f"waves of this source: {'; '.join(told) or 'none yet'}",
            f"{len(self.handed_over):,} of {number_of(every, 'topic')} handed over"
            + (f"; left: {_some(self.left)}" if self.left else ""),
        ]
        for what, users in (("groups", self.groups), ("producers", self.producers)):
            if users:
                found.append(f"{what} on topics that are left: {_some([*users])}")
        return found


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
