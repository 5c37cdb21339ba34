"""plan.json of a cutover, and what is found before anything is done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.plan import JobPlan
from kafka_ferry.core.wave_journal import DONE, OPEN, Journal
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.cutover.rules.standstill import OpenTransaction

#: Of the brokers' authorizer: everybody may do everything with what has no ACL.
OPEN_KEY: Final = "allow.everyone.if.no.acl.found"
_NAMED = 20
_TOPICS = 5


class CutoverPlan(JobPlan):
    """
    :param writers, readers: who writes to these topics and who reads them now, in words.
    """

    findings: list[Finding]
    notes: list[str]
    writers: list[str]
    readers: list[str]
    skipped_topics: dict[str, str]
    skipped_groups: dict[str, str]


class RetirePlan(JobPlan):
    """
    :param waves: journals on which the verdict rests, in words.
    """

    notes: list[str]
    waves: list[str]


def producers_by_halves(halves: Iterable[tuple[str, Sequence[str], Sequence[str]]]) -> list[Finding]:
    """A warning for each producer that writes to the wave and beside it: on one client it cannot do both."""
    return _first([
        Finding(
            Severity.WARN, "half_in_wave", who,
            f"writes to {_some(inside)} of the wave, and to {_some(outside)}, which are not in it",
            "move all its topics in one wave, unless it can write to both clusters",
        )
        for who, inside, outside in halves
    ])  # fmt: skip


def groups_by_halves(reads: Mapping[str, Iterable[str]], topics: Iterable[str]) -> list[Finding]:
    """The same for groups that stand on topics of the wave and on others."""
    wave = set(topics)
    return _first([
        Finding(
            Severity.WARN, "half_in_wave", f"group {shown(group)}",
            f"reads {_some(sorted(set(every) & wave))} of the wave, and {_some(sorted(set(every) - wave))}, which are "
            "not in it",
            "move all its topics in one wave, unless its consumers can read both clusters", "groups",
        )
        for group, every in sorted(reads.items())
        if set(every) & wave and set(every) - wave
    ])  # fmt: skip


def first_acls(topics: Sequence[str], *, may_be_open: bool) -> list[Finding]:
    """What a fence of ACLs would do to topics that have none.

    :param may_be_open: whether the brokers' configuration has ``allow.everyone.if.no.acl.found``.
    """
    if not topics:
        return []
    who = f"{number_of(len(topics), 'topic')}: {_some(topics)}"
    if not may_be_open:
        return [Finding(
            Severity.WARN, "fence", who, "no ACL is about them, so only super users may use them, whom no ACL stops",
            "fence: webhook or prove, if anybody writes there",
        )]  # fmt: skip
    return [Finding(
        Severity.REFUSE, "fence", who, f"no ACL is about them, and the brokers' configuration has {OPEN_KEY}: where "
        "that is true everybody may use them until they get their first ACL, and with the fence nobody could read them "
        "either, nor could the replication; where it is false only super users may, whom no ACL stops",
        f"where it is true, kafka-acls --add --allow-principal 'User:*' --operation All --topic {topics[0]}, for each "
        "of them, which lets everybody do what they may do now; or fence: webhook or prove", "fence",
    )]  # fmt: skip


def open_for_long(found: Iterable[tuple[OpenTransaction, int]], seconds: float) -> list[Finding]:
    """A warning for each transaction that nobody works on.

    :param found: with the time of its last record, in ms since 1970. ``seconds``: how long the window would wait.
    """
    return [
        Finding(
            Severity.WARN, "open_transaction", f"transaction on {one}",
            f"its last record is of {datetime.fromtimestamp(last / 1000, UTC).isoformat(timespec='seconds')}: what was "
            "written behind it is read by no consumer of committed records, and copied by no such replication. The "
            f"window waits {seconds:g} s for its end, while nobody can write, and is rolled back then",
            f"end it before: start its application, which aborts what it left; where that is gone, {one.abort}",
            "transaction_timeout",
        )
        for one, last in list(found)[:_NAMED]
    ]  # fmt: skip


def seldom_writers(found: Mapping[int, float], names: Mapping[int, str], silence: float) -> list[Finding]:
    """Where no ACL stops them: a warning for all whose silence would be taken for their end.

    :param found: producer id to seconds since its last record. ``names``: producer id to transactional id. ``silence``:
        seconds without a record after which all are taken as stopped.
    """
    if not found:
        return []
    who = [
        (f"transactional id {names[number]}" if number in names else f"producer id {number}") + f" ({ago:.0f} s ago)"
        for number, ago in found.items()
    ]
    return [Finding(
        Severity.WARN, "seldom", number_of(len(found), "producer"),
        f"wrote last before the {silence:g} s after which one that is silent is taken as stopped: {_some(who)}. "
        "Whoever writes again after the hand-over does so on the source, and is found only then",
        "see that these are stopped, too; or a proof_seconds that is longer than their pauses; or fence: acl",
        "proof_seconds",
    )]  # fmt: skip


def other_waves(journals: Iterable[Journal], own: tuple[str, str], wave: str, topics: Iterable[str]) -> list[Finding]:
    """Refusals for topics that another wave has handed over, or works on.

    :param own: DAG id and run id.
    """
    mine, found = set(topics), []
    for journal in journals:
        shared = sorted(mine & journal.topics.keys())
        if journal.own == own or not shared:
            continue
        if journal.state in DONE:
            found.append(Finding(
                Severity.REFUSE, "handed_over", f"topics {_some(shared)}",
                f"were handed over to the target by wave {journal.wave} at {journal.handed_over_at} (run "
                f"{journal.run_id})", "leave them out (exclude_topics): they are on the target", "topics",
            ))  # fmt: skip
        elif journal.state in OPEN and journal.wave != wave:
            found.append(Finding(
                Severity.REFUSE, "fenced", f"topics {_some(shared)}",
                f"are fenced by wave {journal.wave} (run {journal.run_id})",
                f"wait until that run has ended, or run wave {journal.wave} again, which takes the fence away",
            ))  # fmt: skip
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_TOPICS]) + f" and {len(names) - _TOPICS} more" * (len(names) > _TOPICS)


def _first(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= _NAMED:
        return findings
    rest = Finding(
        Severity.WARN, "half_in_wave", number_of(len(findings) - _NAMED, "more such finding"), "are not listed here",
        "choose waves by application",
    )  # fmt: skip
    return [*findings[:_NAMED], rest]
