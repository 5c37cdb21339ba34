"""A Kafka Streams application as a whole: its group, its inputs and its own topics, of which half is no use. Pure.

Streams calls its own topics ``<application.id>-<name>-changelog`` and ``…-repartition``, those of foreign-key joins
``<application.id>-<name>-topic``; its group is called by the application's id (Kafka's docs, "Managing Streams
application topics"; ``StreamsResetter.matchesInternalTopicFormat``). They are found by their names alone, so a topic
that somebody else calls so is taken for one of an application.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.group_types import STREAMS, has_members
from kafka_ferry.core.words import shown

#: What Streams puts behind the names of its own topics.
_OWN = re.compile(
    r".+(-changelog|-repartition|-subscription-registration-topic|-subscription-response-topic"
    r"|-KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\d+-topic)"
)
#: A name of a store or node that Streams made up: what stands before it is the application's id.
_MADE_UP = re.compile(r"(.+?)-(KSTREAM|KTABLE|STATE-STORE)-.*\d{10}.*")
_SHOWN = 5  # topics named in a finding
_NAMED = 20  # applications named


@dataclass(frozen=True)
class StreamsApplication:
    """One application, as far as a cluster tells.

    :param id: its ``application.id``; where no group is called so, what its topics' names begin with.
    :param state: of its group, as brokers call it; None: there is no such group.
    :param own: its changelogs and repartition topics. ``inputs``: other topics on which its group has committed.
    """

    id: str
    state: str | None
    own: tuple[str, ...]
    inputs: tuple[str, ...] = ()

    @property
    def is_at_work(self) -> bool:
        return bool(self.state) and has_members(self.state or "")


def is_own_topic(name: str) -> bool:
    """Whether Streams calls its own topics so."""
    return _OWN.fullmatch(name) is not None


def applications(
    topics: Iterable[str],
    states: Mapping[str, str],
    types: Mapping[str, str],
    reads: Mapping[str, Iterable[str]],
    compacted: Collection[str] = (),
) -> list[StreamsApplication]:
    """Every application of a cluster, by id.

    :param topics: of the cluster, all. ``states``: of all groups; ``types``: of those whose type was told.
    :param reads: group to topics on which it has committed offsets, of groups that were asked.
    :param compacted: topics that are known to be compacted: a changelog whose group is gone is told from a topic that
        happens to end so by that, or by a name that Streams made up.
    """
    own: dict[str, list[str]] = {name: [] for name, kind in types.items() if kind == STREAMS}
    orphans: dict[str, list[str]] = {}
    for topic in sorted(topics):
        if not is_own_topic(topic):
            continue
        if (group := _group_of(topic, states)) is not None:
            own.setdefault(group, []).append(topic)
        elif (made_up := _MADE_UP.fullmatch(topic)) or topic in compacted:
            orphans.setdefault(made_up[1] if made_up else topic, []).append(topic)
    found = [
        StreamsApplication(group, states[group], tuple(mine), tuple(sorted({*reads.get(group, ())} - {*mine})))
        for group, mine in own.items()
        if group in states
    ]
    found += [StreamsApplication(name, None, tuple(mine)) for name, mine in orphans.items()]
    return sorted(found, key=lambda one: one.id)


def _group_of(topic: str, groups: Collection[str]) -> str | None:
    """The longest group id that the name begins with, before a dash: ids may have dashes, too."""
    at = len(topic)
    while (at := topic.rfind("-", 0, at)) > 0:
        # Between the id and the last word there is the name of a store.
        if topic[:at] in groups and "-" in topic[at + 1 :]:
            return topic[:at]
    return None


def halves(
    application: StreamsApplication,
    selected: Collection[str],
    carried: Collection[str],
    target_topic: Callable[[str], str] = lambda name: name,
) -> list[str]:
    """What of an application is left behind or would not be found, in words; empty: it is whole, or not meant at all.

    :param selected: topics that are copied. ``carried``: groups whose offsets are.
    :param target_topic: a topic's name on the target.
    """
    mine = [name for name in application.own if name in selected]
    has_group = application.id in carried and application.state is not None
    if not mine and not has_group:
        return []
    found = []
    if application.state is None:
        found.append(
            "there is no group of its id on the source (its offsets may have expired): it starts at its "
            "auto.offset.reset, beside a state that has these records already"
        )
    elif not has_group:
        found.append(
            f"its group {shown(application.id)} is not carried: it starts at its auto.offset.reset, beside a state "
            "that has these records already, or lacks them"
        )
    if absent := [name for name in application.own if name not in selected]:
        found.append(
            f"not selected of its changelogs and repartition topics: {_some(absent)}: it starts without their content"
        )
    if unread := [name for name in application.inputs if name not in selected]:
        found.append(f"not selected of what it reads: {_some(unread)}")
    if mine and target_topic(mine[0]) != mine[0]:
        found.append(
            f"its own topics get other names on the target ({mine[0]} becomes {target_topic(mine[0])}): Kafka Streams "
            "finds them by its application.id, and makes new, empty ones"
        )
    return found


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + f" and {more} more" * (more > 0)


def application_findings(
    found: Iterable[StreamsApplication],
    selected: Collection[str],
    carried: Collection[str],
    target_topic: Callable[[str], str] = lambda name: name,
) -> list[Finding]:
    """A warning for each application of which half is left behind, or which is at work; advice for each whole one: what
    to do with its state. The first twenty, and how many more.
    """
    findings = []
    for one in found:
        meant = one.id in carried or any(name in selected for name in one.own)
        if not meant:
            continue
        wrong = halves(one, selected, carried, target_topic)
        if wrong:
            findings.append(_finding(
                one, Severity.WARN, f"would be moved by half: {'; '.join(wrong)}",
                "select all of it (topics, groups), or none of it",
            ))  # fmt: skip
        if one.is_at_work:
            findings.append(_finding(
                one, Severity.WARN,
                "is at work: its offsets and its changelogs would be of different moments, and it deletes from its "
                "repartition topics what it has read, copied or not",
                "stop all its instances before the last run",
            ))  # fmt: skip
        elif not wrong and one.own:
            findings.append(_finding(
                one, Severity.ADVISE,
                f"is moved as a whole: its group, {len(one.own)} topics of its own, {len(one.inputs)} that it reads",
                "delete the state directory (state.dir) of its instances before they start on the target: it holds "
                "offsets of the source's changelogs",
            ))  # fmt: skip
    if len(findings) <= _NAMED:
        return findings
    rest = Finding(
        Severity.WARN, "streams_applications", f"{len(findings) - _NAMED} more findings about Kafka Streams "
        "applications", "are not listed", "select fewer topics at a time", "topics",
    )  # fmt: skip
    return [*findings[:_NAMED], rest]


def _finding(one: StreamsApplication, severity: Severity, what: str, fix: str) -> Finding:
    return Finding(severity, "streams_applications", f"Kafka Streams application {shown(one.id)}", what, fix, "topics")
