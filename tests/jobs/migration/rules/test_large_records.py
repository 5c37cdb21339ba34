"""Records of a sample against the limits that will be in force on the target during the copy."""

from __future__ import annotations

from typing import Any

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.largest_record import Limit, Record, producer_limits
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.large_records import record_findings
from kafka_ferry.jobs.migration.rules.preflight import TopicFacts
from kafka_ferry.jobs.migration.rules.sample import Sample

CONFIGS = {"max.message.bytes": "1000", "segment.bytes": str(2**30)}


def findings(
    packed: int, size: int = 2000, *, hold: bool = True, refused: dict[str, str] | None = None,
    broker: dict[str, str] | None = None, engine: list[Limit] | None = None, configs: dict[str, str] | None = None,
    existing: Any = None,
) -> list[Finding]:  # fmt: skip
    state = TopicState("t", "id", 1, 1, {}, {})
    facts = TopicFacts(state, DesiredTopic("t", "copy", 1, None, {}), existing, configs or CONFIGS)
    none = TopicFacts(
        TopicState("empty", "id", 1, 1, {}, {}), DesiredTopic("empty", "empty", 1, None, {}), None, CONFIGS
    )
    samples = {"t": Sample(100, 5000, Record(0, 7, size, packed), None)}
    found = record_findings([facts, none], samples, broker or {}, refused or {}, engine or [], "lz4", hold=hold)
    return list(found)


def kinds(found: list[Finding]) -> list[Severity]:
    return [one.severity for one in found]


def test_where_the_limit_is_lifted_it_is_good_to_know() -> None:
    assert kinds(findings(1001)) == [Severity.ADVISE]
    assert findings(900, 1000) == []


def test_where_it_stays_it_is_told_with_the_reason() -> None:
    for about in ({"hold": False}, {"refused": {"copy": "a policy"}}):
        (found,) = findings(1001, **about)  # type: ignore[arg-type]
        assert found.severity is Severity.REFUSE
        assert found.subject == "topic t (on the target copy)"
        assert "of a sample of 100 (partition 0, offset 7)" in found.what
        assert "max.message.bytes=1001 or more on the target topic" in found.fix
        assert kinds(findings(1000, **about)) == [Severity.WARN]  # type: ignore[arg-type]
        assert findings(1000, 1000, **about) == []  # type: ignore[arg-type]
    own = TopicState("copy", "id", 1, 1, {"max.message.bytes": "1000"}, {})
    (found,) = findings(1001, existing=own)
    assert "nobody could know later what to restore" in found.what


def test_segments_of_some_size_are_not_lifted_and_refuse_too() -> None:
    large = {"max.message.bytes": "1000", "segment.bytes": str(20_000_000)}
    assert kinds(findings(20_000_001, 20_000_001, configs=large)) == [Severity.REFUSE]
    assert kinds(findings(20_000_000, 20_000_000, configs=large)) == [Severity.ADVISE]
    small = {"max.message.bytes": "1000", "segment.bytes": "5000"}
    assert kinds(findings(6000, 6000, configs=small)) == [Severity.ADVISE], "these are lifted"


def test_what_brokers_take_in_one_request_and_producers_hold() -> None:
    broker = {"socket.request.max.bytes": "1500"}
    assert kinds(findings(1501, broker=broker)) == [Severity.REFUSE]
    assert kinds(findings(1500, broker=broker)) == [Severity.WARN]
    assert kinds(findings(5, 1500, broker=broker)) == [Severity.ADVISE]
    engine = producer_limits({"buffer.memory": "1999"})
    assert kinds(findings(5, engine=engine)) == [Severity.REFUSE]
