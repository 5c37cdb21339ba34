"""What preflight says about topics and groups, from facts alone."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.retention import HELD_SIZE
from kafka_ferry.core.topics import Selection, Skipped, TopicState
from kafka_ferry.jobs.migration.rules.preflight import (
    Cutoffs,
    TopicFacts,
    cutoffs,
    group_findings,
    size_findings,
    streams_group_findings,
    to_lift,
    topic_findings,
)

DAY = 86_400_000
NOW = 1_800_000_000_000
NO_LIMIT = str(2**63 - 1)
DEFAULTS = {
    "cleanup.policy": "delete",
    "retention.ms": str(7 * DAY),
    "retention.bytes": "-1",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": NO_LIMIT,
    "message.timestamp.after.max.ms": "3600000",
    "max.message.bytes": "1048588",
}


def dotted(values: dict[str, Any]) -> dict[str, str]:
    return {key.replace("_", "."): str(value) for key, value in values.items()}


def state(partitions: int = 3, own: dict[str, str] | None = None, **effective: Any) -> TopicState:
    return TopicState("t", "id", partitions, 1, own or {}, DEFAULTS | dotted(effective) | (own or {}))


def facts(
    source: TopicState | None = None,
    existing: TopicState | None = None,
    configs: dict[str, Any] | None = None,
    **numbers: int,
) -> TopicFacts:
    source = source or state()
    desired = DesiredTopic(source.name, source.name, source.partitions, None, source.configs)
    return TopicFacts(source, desired, existing, DEFAULTS | dotted(configs or {}), **numbers)


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def test_a_right_topic_gives_nothing() -> None:
    assert topic_findings([facts()], hold=True) == []


@pytest.mark.parametrize("hold", [True, False])
def test_what_only_the_target_would_delete_is_refused_whether_held_or_not(hold: bool) -> None:
    found = only(topic_findings([facts(expiring=10, overdue=4)], hold=hold))
    assert (found.severity, found.param) == (Severity.REFUSE, "topics")
    assert "up to 6 records" in found.what


def test_what_is_overdue_on_both_sides_is_held() -> None:
    found = only(topic_findings([facts(expiring=10, overdue=10)], hold=True))
    assert (found.severity, "nothing to do" in found.fix) == (Severity.ADVISE, True)


def test_a_limit_of_the_targets_own_that_nobody_could_put_back_is_not_held() -> None:
    own = state(own={"retention.ms": str(DAY)})
    found = only(topic_findings([facts(existing=own, expiring=10, overdue=10)], hold=True))
    assert found.severity is Severity.WARN


@pytest.mark.parametrize("number", ["too_old", "in_future"])
def test_records_outside_the_timestamp_limits(number: str) -> None:
    assert only(topic_findings([facts(**{number: 3})], hold=False)).severity is Severity.REFUSE
    assert only(topic_findings([facts(**{number: 3})], hold=True)).severity is Severity.ADVISE
    key = f"message.timestamp.{'before' if number == 'too_old' else 'after'}.max.ms"
    own = state(own={key: str(DAY)})
    found = only(topic_findings([facts(existing=own, **{number: 3})], hold=True))
    assert found.severity is Severity.REFUSE, "the target's own limit cannot be held"
    assert key in found.fix


def test_timestamp_type() -> None:
    stamping = {"message_timestamp_type": "LogAppendTime"}
    assert only(topic_findings([facts(configs=stamping)], hold=True)).severity is Severity.WARN
    both = facts(state(**stamping), configs=stamping)
    assert only(topic_findings([both], hold=True)).severity is Severity.ADVISE
    assert topic_findings([facts(state(**stamping))], hold=True) == [], "the target keeps the source's times"
    found = only(topic_findings([facts(state(message_format_version="0.9.0"))], hold=True))
    assert (found.severity, "no timestamp" in found.what) == (Severity.ADVISE, True)
    assert topic_findings([facts(state(message_format_version="0.10.2"))], hold=True) == []


def test_a_smaller_limit_of_size_is_lifted_or_warned_of() -> None:
    found = only(topic_findings([facts(state(max_message_bytes=5_000_000))], hold=True))
    assert (found.severity, "nothing to do" in found.fix) == (Severity.ADVISE, True)
    found = only(topic_findings([facts(state(max_message_bytes=5_000_000))], hold=False))
    assert (found.severity, "max.message.bytes=5000000" in found.fix) == (Severity.WARN, True)
    assert topic_findings([facts(configs={"max_message_bytes": 5_000_000})], hold=True) == []


def test_where_limits_of_size_stay_in_force_is_said_once_for_each_reason() -> None:
    own = facts(existing=state(own={"max.message.bytes": "2000000"}), configs={"max_message_bytes": 2_000_000})
    assert size_findings([facts()], {}, {}, hold=True) == []
    found = only(size_findings([facts(), facts()], {}, {}, hold=False))
    assert (found.severity, found.code) == (Severity.WARN, "record_sizes")
    assert "hold_retention is off" in found.what
    assert "1,048,588" in found.what
    assert "set on the target topic alone" in only(size_findings([own], {}, {}, hold=True)).what
    assert "policy says no" in only(size_findings([facts()], {}, {"t": "policy says no"}, hold=True)).what


def test_a_batch_that_no_request_of_the_target_can_hold_is_named() -> None:
    large = facts(state(max_message_bytes=200_000_000), configs={"max_message_bytes": 200_000_000})
    found = only(size_findings([large], {"socket.request.max.bytes": "104857600"}, {}, hold=True))
    assert (found.code, found.subject, found.severity) == ("request_size", "topic t", Severity.WARN)
    assert "200,000,000 on the source" in found.what
    assert "104,857,600" in found.what
    assert size_findings([large], {}, {}, hold=True) == []


def test_only_what_is_there_already_can_be_asked_for_its_limits() -> None:
    assert to_lift([facts()]) == {}
    assert to_lift([facts(existing=state())]) == {"t": {"max.message.bytes": HELD_SIZE}}
    assert to_lift([facts(existing=state(), configs={"segment_bytes": 1_048_576})]) == {
        "t": {"max.message.bytes": HELD_SIZE, "segment.bytes": HELD_SIZE}
    }
    assert to_lift([facts(existing=state(own={"max.message.bytes": HELD_SIZE}))]) == {}, "it is lifted already"


def test_null_keys_and_partitions() -> None:
    found = only(topic_findings([facts(sampled=40, null_keys=1, configs={"cleanup_policy": "compact"})], hold=True))
    assert (found.severity, "1 of 40 sampled records" in found.what) == (Severity.REFUSE, True)
    found = only(topic_findings([facts(existing=state(2))], hold=True))
    assert (found.severity, "2 partitions and will get 3" in found.what) == (Severity.WARN, True)
    assert topic_findings([facts(existing=state(3))], hold=True) == []


def test_moments_of_a_plain_topic() -> None:
    asked = cutoffs(state(), DEFAULTS, NOW)
    assert (asked.expiring, asked.soon, asked.overdue) == (NOW - 7 * DAY, NOW - 6 * DAY, NOW - 7 * DAY)
    assert (asked.too_old, asked.in_future) == (None, NOW + 3_600_000)


def test_moments_where_the_source_keeps_longer() -> None:
    assert cutoffs(state(retention_ms=30 * DAY), DEFAULTS, NOW).overdue == NOW - 30 * DAY
    untimed = cutoffs(state(message_format_version="0.9.0", retention_ms=DAY), DEFAULTS, NOW)
    assert untimed == Cutoffs(None, None, None, None, None), "brokers refuse to look for times that are not there"
    assert cutoffs(state(retention_ms=-1), DEFAULTS, NOW).overdue is None, "nothing is overdue there"
    assert cutoffs(state(retention_ms=DAY), DEFAULTS, NOW).overdue == NOW - 7 * DAY, "nor twice counted"
    assert cutoffs(state(cleanup_policy="compact"), DEFAULTS, NOW).overdue is None


@pytest.mark.parametrize(
    "target",
    [{"retention.ms": "-1"}, {"cleanup.policy": "compact"}, {"message.timestamp.type": "LogAppendTime"}],
)
def test_moments_where_nothing_expires(target: dict[str, str]) -> None:
    asked = cutoffs(state(), DEFAULTS | target, NOW)
    assert (asked.expiring, asked.soon, asked.overdue) == (None, None, None)


def test_moments_of_timestamp_limits() -> None:
    asked = cutoffs(state(), DEFAULTS | {"message.timestamp.before.max.ms": str(DAY)}, NOW)
    assert asked.too_old == NOW - DAY
    asked = cutoffs(state(), DEFAULTS | {"message.timestamp.type": "LogAppendTime"}, NOW)
    assert (asked.too_old, asked.in_future) == (None, None), "the broker does not look at them"


def test_at_risk() -> None:
    size = {"max.message.bytes"}  # always: how large a batch becomes is known when it is packed
    assert facts().at_risk() == size
    assert facts(soon=1).at_risk() == {"retention.ms"} | size
    assert facts(too_old=1, in_future=1).at_risk() == size | {
        "message.timestamp.before.max.ms",
        "message.timestamp.after.max.ms",
    }
    assert facts(configs={"retention_bytes": 10**9}).at_risk() == {"retention.bytes"} | size
    assert facts(configs={"retention_bytes": 10**9, "cleanup_policy": "compact"}).at_risk() == size
    assert facts(configs={"segment_bytes": 1_048_576}).at_risk() == {"segment.bytes"} | size


def test_only_sinks_groups_left_out_by_default_and_with_commits_are_told() -> None:
    left_out = "MirrorMaker 2 leaves sink connectors' groups (connect-*) out by default"
    selection = Selection(
        (),
        (
            Skipped("connect-a", left_out),
            Skipped("connect-idle", left_out),
            Skipped("connect-unwanted", "param exclude_groups", excluded=True),
            Skipped("console-consumer-1", "…"),
        ),
        (),
    )
    found = only(group_findings(selection, ["connect-a", "connect-unwanted", "console-consumer-1"]))
    assert (found.severity, found.subject, found.param) == (Severity.ADVISE, "group connect-a", "groups")


def test_a_streams_group_for_brokers_that_would_keep_it_classic_is_told() -> None:
    """KAFKA-19570: only Kafka 4.2 and later turn an empty classic group into a streams group."""
    first, second = streams_group_findings(["b", "a"])
    assert (first.subject, first.severity) == ("group 'a'", Severity.WARN)
    assert "group.protocol=classic" in second.fix
    assert streams_group_findings([]) == []
