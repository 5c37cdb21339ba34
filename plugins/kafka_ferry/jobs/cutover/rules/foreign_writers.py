"""Who else writes on the target, told from its last records: what the source lacks no replication brought. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.cutover.rules.standstill import told
from kafka_ferry.records.compare import PartitionComparison
from kafka_ferry.records.content import Offsets, PartitionContent

_IDS = 5


@dataclass(frozen=True)
class ForeignWriter:
    """What somebody else wrote to one partition of the target.

    :param records: found among its last ones, from offset ``first`` to ``last``. ``rate``: records/s now.
    :param producers: ids of those who wrote them, -1 for one without; none where it is not told.
    :param names: producer id to transactional id.
    """

    topic: str
    partition: int
    records: int
    first: int
    last: int
    rate: float
    producers: Sequence[int] = ()
    names: Mapping[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        who = shortlist(map(self._who, self.producers), _IDS)
        where = f"offset {self.first}" if self.first == self.last else f"offsets {self.first} to {self.last}"
        now = f"{self.rate:.1f} records/s" if self.rate else "nothing"
        place = f"{self.topic}-{self.partition}: {number_of(self.records, 'record')} at {where}"
        return f"{place}{f' by {who}' * bool(who)}, {now} now"

    def _who(self, number: int) -> str:
        if number < 0:
            return "a producer without an id (enable.idempotence=false)"
        name = self.names.get(number)
        return f"producer id {number}" + f" (transactional id {name})" * (name is not None)


def strange(source: PartitionContent, target: PartitionContent) -> Offsets:
    """Offsets of target records that the source surely does not have, though it was read to its end, and later.

    The last records of both are at hand, not all. A replication writes in the source's order: what stands on the target
    behind a record that was found is one of those behind it on the source, or nobody's there. Before the first that was
    found nothing can be told, unless the source was read from its first record on.
    """
    known = np.isin(target.hashes, source.hashes)
    if source.begin > 0:
        known[: known.argmax() if known.any() else len(known)] = True
    return target.offsets[~known]


def unknown(source: PartitionContent, target: PartitionContent) -> Offsets:
    """Offsets of all target records that are not among these of the source."""
    return target.offsets[~np.isin(target.hashes, source.hashes)]


def only_more(one: PartitionComparison) -> bool:
    """Whether the target has all that it must have, and records beside that: no replication that loses does that."""
    return one.unexpected > 0 and not (one.lost or one.reordered or one.altered)


def foreign_writer_findings(
    found: Sequence[ForeignWriter], journals: Iterable[Journal], source: str, target: str
) -> list[Finding]:
    """A warning: the comparison that follows has the last word.

    :param source, target: names of their connections.
    """
    if not found:
        return []
    topics = sorted({one.topic for one in found})
    return [
        Finding(
            Severity.WARN, "target_written", f"topic {shortlist(topics)} on {target}",
            f"somebody writes or wrote there beside the replication, what {source} does not have: {told(found)}",
            how_to_recover(topics, journals, target),
        )
    ]  # fmt: skip


def how_to_recover(topics: Iterable[str], journals: Iterable[Journal], target: str, *, back: bool = False) -> str:
    """What to do about others' records among the copies.

    :param topics: of the target. ``journals``: of the source's waves. ``back``: of a way back, to what was the source.
    """
    if back:
        return (
            f"stop whoever writes on {target}, and decide what becomes of these records, which stay among the others; "
            "then migrate the topics of the cluster that is left to new ones, and cut over to these"
        )
    names = set(topics)
    gone_back = [one for one in journals if one.state is State.FAILED_BACK and names & set(one.topics.values())]
    if gone_back:
        last = max(gone_back, key=lambda one: one.handed_over_at)
        first = (
            f"wave {last.wave} was handed over at {last.handed_over_at} and went back since (fail_back): move whoever "
            f"stayed on {target}"
        )
    else:
        first = (
            "if a cutover has handed these topics over already, they are the applications' own: run with the "
            "FERRY_ARTIFACTS that has its journal, where fail_back takes them back. Else stop whoever writes there"
        )
    return (
        f"{first}. The records stay among the copies, and would fail the comparison: keep what is needed of them, and "
        f"have these topics copied again (with the replication stopped, delete them on {target}, then begin it again)"
    )
