"""Whether records would come back to where they were taken from, by way of whoever else replicates. Pure.

MirrorMaker 2 looks for cycles by the names of topics only (``MirrorSourceConnector.isCycle``, Kafka 4.3.1): under its
default policy a topic whose prefix is the target's alias is left out. ``IdentityReplicationPolicy`` and our rename
policy cannot tell, nor can prefixes when the two directions call the clusters by other aliases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.core.topic_rename import LONGEST_NAME
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.migration.rules.flow import Flow, FlowRecord
from kafka_ferry.jobs.migration.rules.replicators import OTHER
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

LOOP, AGGREGATION, ALIAS = "loop", "aggregation", "alias"
_ROUNDS = 3  # a topic that comes by so often, under ever other names, comes without an end


@dataclass(frozen=True)
class Loop:
    """A topic's way round.

    :param flows: whom it passes, from ours on.
    :param names: its names on the way, from the first source on.
    :param same_name: it comes back under a name it had there before: the very same records again.
    """

    flows: tuple[Flow, ...]
    names: tuple[str, ...]
    same_name: bool


def loop_findings(ours: Flow, others: Sequence[Flow]) -> list[Finding]:
    """One finding for each way that leads back, with the topics that take it."""
    # What is sure first: of several ways the first is told.
    on_way = sorted(_on_the_way_back(ours, others), key=lambda flow: not flow.sure)
    ways: dict[tuple[str, ...], list[tuple[str, Loop]]] = {}
    for topic in _seeds(ours, on_way) if on_way else ():
        if loop := find_loop(ours, on_way, topic):
            ways.setdefault(tuple(flow.name for flow in loop.flows), []).append((topic, loop))
    return [_loop_finding(ours, found) for found in ways.values()]


def find_loop(ours: Flow, others: Sequence[Flow], topic: str) -> Loop | None:
    """The way on which the records of a topic come back into our own flow again and again; None when they do not."""
    first = ours.copied_as(topic)
    if first is None:
        return None
    return _follow((ours, *others), (ours,), (topic, first), {(ours.name, topic)})


def _follow(
    flows: Sequence[Flow], passed: tuple[Flow, ...], names: tuple[str, ...], seen: set[tuple[str, str]]
) -> Loop | None:
    ours, place, name = flows[0], passed[-1].target, names[-1]
    for flow in flows:
        if not flow.source & place or (becomes := flow.copied_as(name)) is None:
            continue
        entered = [as_ for one, as_ in zip(passed, names, strict=False) if one is ours]
        if flow is ours and (name in entered or len(entered) >= _ROUNDS):
            return Loop(passed, names, name in entered)
        if (flow.name, name) in seen or len(becomes) > LONGEST_NAME:
            continue  # been there; or Kafka would not take the name
        seen.add((flow.name, name))
        if loop := _follow(flows, (*passed, flow), (*names, becomes), seen):
            return loop
    return None


def _on_the_way_back(ours: Flow, others: Sequence[Flow]) -> list[Flow]:
    """Flows that start somewhere our records may come to; none when no way leads back to our source."""
    reached, found = set(ours.target), list[Flow]()
    waiting = list(others)
    while near := [flow for flow in waiting if flow.source & reached]:
        for flow in near:
            reached |= flow.target
        found += near
        waiting = [flow for flow in waiting if flow not in near]
    return found if reached & ours.source else []


def _seeds(ours: Flow, others: Iterable[Flow]) -> list[str]:
    """Our topics, and what others are known to bring to our source: it may not be there yet."""
    brought = {
        name
        for flow in others
        if flow.target & ours.source
        for topic in flow.topics
        if (name := flow.copied_as(topic)) is not None and ours.copied_as(name) is not None
    }
    return [*sorted(ours.topics), *sorted(brought - set(ours.topics))]


def _loop_finding(ours: Flow, found: Sequence[tuple[str, Loop]]) -> Finding:
    loop = found[0][1]
    back = list(dict.fromkeys(flow for flow in loop.flows if flow is not ours))
    way = " -> ".join(repr(name) for name in loop.names[: len(back) + 2])
    if loop.same_name:
        renamed = f" ({way})" if len(set(loop.names)) > 1 else ""
        what = f"the same records would come back and be copied again, for ever{renamed}"
    else:
        what = f"each copy would come back and be copied again under another name, without an end ({way} -> …)"
    by = ", then ".join(map(str, back))
    return Finding(
        Severity.REFUSE if all(flow.sure for flow in back) else Severity.WARN, LOOP,
        f"topic {shortlist([one for one, _ in found])}",
        f"{what}: by {ours.name}, then {by}",
        f"end {back[-1].name} first, or leave the topics out of one of the two (exclude_topics). Both directions at "
        "once need names that show where a topic comes from: naming: prefix on both, and each must leave out "
        "prefixed topics",
        flows=tuple(flow.name for flow in back),
    )  # fmt: skip


def shares_alias(other: FlowRecord, alias: str, target: Collection[str]) -> bool:
    """Whether it names MirrorMaker 2's own topics so, on this cluster; a note that cannot be read: no."""
    try:
        return other.spec.alias == alias and bool(set(target) & set(other.target))
    except FerryError:
        return False


def shared_alias_findings(spec: MigrationSpec, topics: Sequence[str], others: Iterable[Flow]) -> list[Finding]:
    """The removal of one would delete what the other's group offsets are translated by.

    :param topics: of the engine's own; ``others``: which have the same, and are there.
    """
    return [
        Finding(
            Severity.REFUSE if other.sure else Severity.WARN, ALIAS, other.name,
            f"also calls the source {spec.alias!r}: both would share {shortlist(topics)}"
            + (f" ({other.remark})" if other.remark else ""),
            "another migration name or source_alias; or end the other first",
            "source_alias" if spec.source_alias else "migration",
        )
        for other in others
    ]  # fmt: skip


def shared_target_findings(ours: Flow, others: Iterable[Flow]) -> list[Finding]:
    """Flows that bring other or the same records into the same topics of the same cluster."""
    mine = {name for topic in ours.topics if (name := ours.copied_as(topic)) is not None}
    findings = []
    for other in others:
        theirs = {name for topic in other.topics if (name := other.copied_as(topic)) is not None}
        shared = sorted(mine & theirs)
        if not shared or not ours.target & other.target:
            continue
        if ours.source & other.source:
            findings.append(
                Finding(
                    Severity.REFUSE if other.sure else Severity.WARN, OTHER, other.name,
                    f"copies {shortlist(shared)} too: each record would be written twice"
                    + (f" ({other.remark})" if other.remark else ""),
                    "wait until it has ended, or leave its topics out (exclude_topics); to resume its work, use "
                    "its DAG and migration name",
                    flows=(other.name,),
                )
            )  # fmt: skip
        else:
            findings.append(
                Finding(
                    Severity.WARN, AGGREGATION, other.name,
                    f"writes the records of another source into {shortlist(shared)} too, where both mix: "
                    "neither can be compared with its source alone, and the other's records will count as unexpected",
                    "naming: prefix, with another source_alias for each source",
                    "naming", (other.name,),
                )
            )  # fmt: skip
    return findings
