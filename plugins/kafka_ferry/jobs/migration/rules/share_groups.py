"""What carrying share groups (KIP-932) does not carry, said before anything changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.words import number_of, shown

_CODE, _NAMED, _PARTITIONS = "share_groups", 20, 10


@dataclass(frozen=True)
class ShareGroup:
    """One that the params mean.

    :param starts: how many partitions of the migration it has a start on.
    :param done: records behind these starts that it is done with; None: the brokers do not tell (before Kafka 4.2).
    :param startless: partitions, of topics on which it has a start, where it has none.
    :param at_work: it has members on the source.
    :param is_settable: False where the target's brokers set starts of groups that are there alone, and it is not.
    """

    name: str
    starts: int
    done: int | None = 0
    startless: Sequence[Partition] = ()
    at_work: bool = False
    is_settable: bool = True


def share_group_findings(groups: Iterable[ShareGroup], *, goes_on: bool) -> list[Finding]:
    """Warnings, then advice for each that is carried; of each the first twenty, and how many more.

    :param goes_on: the replication stays after the run (keep_replicating).
    """
    all_of = sorted(groups, key=lambda one: one.name)
    warnings = [_not_settable(one) for one in all_of if one.starts and not one.is_settable]
    warnings += [_startless(one) for one in all_of if one.startless or not one.starts]
    return [*_first(warnings), *_first([_carried(one, goes_on) for one in all_of if one.starts])]


def _not_settable(one: ShareGroup) -> Finding:
    return _finding(
        one, Severity.WARN,
        "is a share group, and the target's brokers (Kafka 4.1) can set the start only of one that is there",
        "start its consumers on the target once and stop them before translate_groups, or Kafka 4.2 there",
    )  # fmt: skip


def _startless(one: ShareGroup) -> Finding:
    if one.startless:
        more = len(one.startless) - _PARTITIONS
        where = " on " + ", ".join(f"{topic}-{number}" for topic, number in one.startless[:_PARTITIONS])
        where += f" and {more:,} more partitions" * (more > 0)
    else:
        where = " on these topics"
    return _finding(
        one, Severity.WARN,
        f"is a share group that has no start{where}, as it was done with no record there yet: on the target its "
        "consumers start by share.auto.offset.reset, latest by default, and would not get what waits for them here",
        "let its consumers get a record of each first; or share.auto.offset.reset=earliest for it on the target "
        f"(kafka-configs --alter --entity-type groups --entity-name {shown(one.name)})",
    )  # fmt: skip


def _carried(one: ShareGroup, goes_on: bool) -> Finding:
    again = "a number of records that its brokers do not tell" if one.done is None else number_of(one.done, "record")
    busy = ". It is at work: stop its consumers before the last run, then fewer are in flight" * one.at_work
    stays = ". MirrorMaker 2 does not move it on: run again, or clear fingerprint, before the switch" * goes_on
    return _finding(
        one, Severity.ADVISE,
        "is a share group (KIP-932): its start is copied, and what it has in flight is delivered again from there (at "
        f"least once); records behind its start that it is done with: {again}{busy}{stays}",
        "copy its own settings by hand, such as share.isolation.level (kafka-configs --describe --entity-type groups "
        f"--entity-name {shown(one.name)})",
    )  # fmt: skip


def _finding(one: ShareGroup, severity: Severity, what: str, fix: str) -> Finding:
    return Finding(severity, _CODE, f"group {one.name!r}", what, fix, "groups")


def _first(findings: list[Finding]) -> list[Finding]:
    more = len(findings) - _NAMED
    if more <= 0:
        return findings
    rest = Finding(
        findings[0].severity, _CODE, f"{more:,} more share groups", "are not listed here", "look at them one by one",
        "groups",
    )  # fmt: skip
    return [*findings[:_NAMED], rest]
