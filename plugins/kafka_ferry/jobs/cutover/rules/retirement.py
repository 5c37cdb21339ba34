"""May the source be switched off? From what its waves' journals say and how it is now to the lines of the checklist.
Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.tolerant import Tolerant
from kafka_ferry.core.wave_journal import OPEN, Journal, State
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.records.job import PartitionResult

#: Reasons named in one check; the counts beside them are exact.
_NAMED = 1000
#: What MirrorMaker 2 keeps for itself, whichever way it copies.
_REPLICATORS = re.compile(
    r"mm2-(offsets|offset-syncs|configs|status)\..+\.internal|.+\.checkpoints\.internal|heartbeats"
)
#: What a log that changed cannot be proven by any more.
_NO_MORE = "once nobody needs the topic on the source, delete it there: then it is listed as deleted, which is no fault"
#: By so much the clocks of brokers and of ours may differ.
CLOCKS_MS = 60_000


@dataclass(frozen=True)
class HandedOver:
    """What all waves of a source to one target handed over, together.

    :param targets: source topic to target topic. ``ends``: where the source ended, ``target_ends``: where the target
        ended, by source partition.
    :param committed: group to where it stood on the source.
    :param at: topic to when it was handed over, ISO 8601.
    """

    targets: Mapping[str, str]
    ends: Mapping[Partition, int]
    target_ends: Mapping[Partition, int]
    committed: Mapping[str, Mapping[Partition, int]]
    at: Mapping[str, str]

    @classmethod
    def of(cls, waves: Iterable[Journal]) -> HandedOver:
        targets, ends, target_ends = dict[str, str](), dict[Partition, int](), dict[Partition, int]()
        committed: dict[str, dict[Partition, int]] = {}
        at: dict[str, str] = {}
        for wave in waves:
            targets |= wave.topics
            ends |= wave.frozen_ends
            target_ends |= wave.frozen_target_ends
            at |= dict.fromkeys(wave.topics, wave.handed_over_at)
            for group, places in wave.stood.items():
                committed.setdefault(group, {}).update(places)
        return cls(targets, ends, target_ends, committed, at)


def is_replicators(topic: str) -> bool:
    """Whether a topic is a replication's own."""
    return _REPLICATORS.fullmatch(topic) is not None


def handed_over(waves: Iterable[Journal], target_cluster: str) -> list[Journal]:
    """Those that have ended on this target."""
    return [one for one in waves if one.state is State.HANDED_OVER and one.target_cluster == target_cluster]


class Grown(Tolerant, BaseModel):
    """A partition whose log does not end where its wave's fence saw it end.

    :param fence: where it ended then; ``end``: now. ``first``: the first record since, ``first_at``: its time; None:
        nothing but markers of transactions.
    :param writers: producers of which the leader knows, in words.
    """

    topic: str
    partition: int
    fence: int
    end: int
    first: int | None = None
    first_at: str = ""
    writers: list[str] = []


class Moved(Tolerant, BaseModel):
    """A group that does not stand where it stood; ``was`` None: on no offset."""

    group: str
    topic: str
    partition: int
    was: int | None
    now: int


class OtherTopic(Tolerant, BaseModel):
    """A topic that no wave handed over.

    :param offsets: between log starts and ends. ``empty``: no record stands there. ``written``: while it was watched.
    """

    topic: str
    partitions: int
    offsets: int
    empty: bool
    written: bool


class SourceFacts(Tolerant, BaseModel):
    """The source as it was seen.

    :param deleted: topics of waves that are not there any more. ``grown``: also logs that are shorter than they were.
    :param unknown_groups: groups that stand on topics of waves and that no wave moved, to these topics.
    :param members: groups of any type that have members, to client ids and hosts.
    :param writing: who wrote while it was watched, in words.
    :param replication: what still replicates to or from it, in words; None: nobody named where to look.
    :param left_groups: of those groups, what may go with the source.
    """

    seen: str
    seconds: float
    partitions: int
    tells_producers: bool
    deleted: list[str] = []
    grown: list[Grown] = []
    moved: list[Moved] = []
    unknown_groups: dict[str, list[str]] = {}
    members: dict[str, list[str]] = {}
    others: list[OtherTopic] = []
    left_behind: list[str] = []
    left_groups: list[str] = []
    writing: list[str] = []
    replication: list[str] | None = None
    written_internal: list[str] = []


def check_waves(waves: Sequence[Journal], target_cluster: str) -> Check:
    """Every wave is handed over to this target, and none is at work."""
    wrong = []
    for one in waves:
        told = f"wave {one.wave} (run {one.run_id})"
        if one.state in OPEN:
            wrong.append(f"{told} is {one.state.value}: its producers are stopped, and it is not handed over")
        elif one.state is State.HANDING_OVER:
            wrong.append(f"{told}: the hand-over was begun and nobody said yes. Fix: clear its task window")
        elif one.state is State.HANDED_OVER and one.target_cluster != target_cluster:
            wrong.append(
                f"{told} went to cluster {one.target_cluster or 'unknown'}, which is not compared here: its topics are "
                "taken for not handed over"
            )
    done = len(handed_over(waves, target_cluster))
    back = [one.wave for one in waves if one.state is State.ROLLED_BACK]
    return _check(
        "waves", f"{number_of(len(waves), 'wave')} handed over or rolled back", f"{done:,} handed over", wrong,
        detail=f"rolled back: {', '.join(back[:20])}" if back else "",
    )  # fmt: skip


def check_growth(facts: SourceFacts) -> Check:
    """Nothing was written to the topics of waves since. Markers of transactions are nobody's records."""
    wrong, markers = [], []
    for one in facts.grown:
        place = f"{one.topic}-{one.partition}"
        if one.end < one.fence:
            wrong.append(
                f"{place}: its log ends at {one.end}, and ended at {one.fence} at the hand-over: it was made again, or "
                f"lost records. Fix: {_NO_MORE}"
            )
        elif one.first is None:
            markers.append(place)
        else:
            who = f", by {'; '.join(one.writers)}" if one.writers else ""
            wrong.append(
                f"{place}: {number_of(one.end - one.fence, 'offset')} since the hand-over, the first record at "
                f"{one.first}"
                f"{f' ({one.first_at})' if one.first_at else ''}{who}. Fix: stop whoever wrote; "
                f"kafka-console-consumer.sh --bootstrap-server … --topic {one.topic} --partition {one.partition} "
                f"--offset {one.first} shows what came: see whether the target has it, and bring there what is needed. "
                f"{_NO_MORE.capitalize()}"
            )
    notes = [f"markers of transactions alone on {', '.join(markers[:5])}"] if markers else []
    notes += [f"deleted on the source since: {', '.join(facts.deleted[:20])}"] if facts.deleted else []
    check = _check(
        "growth", "no record since the hand-over", f"{number_of(len(wrong), 'partition')} changed", wrong,
        detail="; ".join(notes),
    )  # fmt: skip
    if check.status is Status.PASS and facts.deleted:
        check.status = Status.EXPLAINED
    return check


def check_writers(facts: SourceFacts) -> Check:
    """Nobody writes anywhere on the source."""
    detail = f"watched for {facts.seconds:g} s"
    detail += "" if facts.tells_producers else "; the brokers do not tell who writes (KIP-664)"
    return _check("writers", "nobody writes", number_of(len(facts.writing), "writer"), facts.writing, detail)


def check_commits(facts: SourceFacts) -> Check:
    """No group of a wave committed since its hand-over, and none is forgotten."""
    wrong = [
        f"group {shown(one.group)} on {one.topic}-{one.partition}: from {_at(one.was)} to {one.now}"
        for one in facts.moved
        if one.group not in facts.left_groups
    ]
    wrong += [
        f"group {shown(group)} stands on {', '.join(topics[:5])}, and no wave moved it. Fix: see whether it is needed; "
        "where not, left_groups"
        for group, topics in sorted(facts.unknown_groups.items())
        if group not in facts.left_groups
    ]
    return _check("commits", "none since the hand-over", f"{len(wrong):,}", wrong, _left(facts.left_groups, "left"))


def check_members(facts: SourceFacts) -> Check:
    """No group of the source has members."""
    wrong = [
        f"group {shown(group)}" + (f": {', '.join(who[:5])}" if who else "")
        for group, who in sorted(facts.members.items())
        if group not in facts.left_groups
    ]
    left = [group for group in facts.left_groups if group in facts.members]
    return _check("members", "no group at work", number_of(len(wrong), "group"), wrong, _left(left, "at work, left"))


def check_other_topics(facts: SourceFacts) -> Check:
    """What the source has more than its waves."""
    wrong = []
    for one in facts.others:
        if one.topic in facts.left_behind or (one.empty and not one.written):
            continue
        what = "is written" if one.written else f"holds records in {one.offsets:,} offsets"
        wrong.append(f"{one.topic}: {what}, and no wave handed it over. Fix: cut it over, or left_behind")
    empty = sum(one.empty and not one.written and one.topic not in facts.left_behind for one in facts.others)
    notes = [_left(facts.left_behind, "left behind")] if facts.left_behind else []
    notes += [f"{number_of(empty, 'topic')} without a record"] if empty else []
    check = _check(
        "other_topics", "no topic beside the waves'", number_of(len(wrong), "topic"), wrong, "; ".join(notes)
    )
    if check.status is Status.PASS and facts.left_behind:
        check.status = Status.EXPLAINED
    return check


def check_replication(facts: SourceFacts) -> Check:
    """Nothing is replicated to or from the source any more."""
    wrong = [*(facts.replication or ()), *facts.written_internal]
    if facts.replication is None and not wrong:
        return Check(
            name="replication", status=Status.SKIPPED,
            detail="param connect_conn_id names no Kafka Connect, and no internal topic of a MirrorMaker 2 was written",
        )  # fmt: skip
    return _check("replication", "none", f"{len(wrong):,}", wrong)


@dataclass(frozen=True)
class Limit:
    """What of a partition the target's retention may have deleted.

    :param below: source offsets below it; None: all. ``why``: the topic's setting, in words.
    """

    below: int | None
    why: str


def without_expired(
    result: PartitionResult, limit: Limit | None, first: int | None, *, compacted: bool
) -> PartitionResult:
    """A result whose lost records are those at the head that the target's retention deleted, as explained by it.

    :param limit: None: the target deletes nothing. ``first``: offset of the source's first record.
    """
    found = result.comparison
    others = found.altered + found.reordered + found.unexpected + found.duplicated + found.stale
    lost = [one for one in found.differences if one.kind == "lost"]
    if limit is None or not found.lost or others or sum(one.records for one in lost) != found.lost:
        return result
    spans = [one.source for one in lost if one.source]
    # In a log the oldest goes first: one run from its head. Of a compacted one there are only some left.
    at_head = compacted or (len(spans) == 1 and spans[0][0] == first)
    if not at_head or any(limit.below is not None and span[1] >= limit.below for span in spans):
        return result
    told = f"{found.lost:,} at the head were deleted on the target by its retention ({limit.why})"
    return replace(
        result, comparison=replace(found, status="explained", expired=found.expired + found.lost, lost=0, detail=told)
    )


def only_reasons(every: Check, wrong: Check) -> Check:
    """A check of all topics; where it failed, it names those that failed and not those that differ for a good reason.

    :param wrong: the same check of the topics that failed.
    """
    return every.model_copy(update={"differences": wrong.differences}) if every.status is Status.FAIL else every


def _at(offset: int | None) -> str:
    return "nowhere" if offset is None else str(offset)


def _left(names: Collection[str], what: str) -> str:
    return f"{what} by the params: {', '.join(map(shown, sorted(names)[:20]))}" if names else ""


def _check(name: str, expected: str, actual: str, wrong: Sequence[str], detail: str = "") -> Check:
    return Check(
        name=name,
        status=Status.FAIL if wrong else Status.PASS,
        expected=expected,
        actual=actual,
        detail=detail,
        differences=list(wrong[:_NAMED]),
    )
