"""What is said of share groups before they are carried."""

from __future__ import annotations

from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.migration.rules.share_groups import ShareGroup, share_group_findings


def test_what_is_delivered_again_is_told() -> None:
    quiet, busy = share_group_findings([ShareGroup("b", 1, None, at_work=True), ShareGroup("a", 2)], goes_on=False)
    assert (quiet.severity, quiet.subject) == (Severity.ADVISE, "group 'a'")
    assert "at least once" in quiet.what
    assert "0 records" in quiet.what
    assert "at work" not in quiet.what
    assert "do not tell" in busy.what
    assert "at work" in busy.what
    assert "MirrorMaker" not in busy.what
    assert "--entity-name b" in busy.fix
    (stays,) = share_group_findings([ShareGroup("a", 1, 12)], goes_on=True)
    assert "12 records" in stays.what
    assert "MirrorMaker 2 does not move it on" in stays.what


def test_a_target_that_sets_starts_of_existing_groups_only_is_told() -> None:
    warned, advised = share_group_findings([ShareGroup("a", 1, is_settable=False)], goes_on=False)
    assert (warned.severity, advised.severity) == (Severity.WARN, Severity.ADVISE)
    assert "Kafka 4.1" in warned.what


def test_partitions_without_a_start_are_a_warning_as_what_waits_there_is_not_delivered() -> None:
    """KAFKA-20742: a partition that is new to the group has none, and its consumers would begin at its end."""
    some = [("jobs", number) for number in range(12)]
    warned, _ = share_group_findings([ShareGroup("a", 3, startless=some)], goes_on=False)
    assert warned.severity is Severity.WARN
    assert "no start on jobs-0, jobs-1, " in warned.what
    assert "jobs-9 and 2 more partitions, as" in warned.what
    assert "share.auto.offset.reset=earliest" in warned.fix
    (none,) = share_group_findings([ShareGroup("a", 0, is_settable=False)], goes_on=False)
    assert "no start on these topics" in none.what


def test_twenty_of_each_are_named_and_the_rest_counted() -> None:
    found = share_group_findings([ShareGroup(f"s{n:03}", 1, startless=[("t", 0)]) for n in range(50)], goes_on=False)
    assert [item.severity for item in found] == [Severity.WARN] * 21 + [Severity.ADVISE] * 21
    assert "30 more" in found[20].subject
    assert "30 more" in found[-1].subject
