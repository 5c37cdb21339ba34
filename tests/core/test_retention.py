"""The hold of limits by age and size: what it sets, and what puts it back without any memory."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.retention import (
    HELD,
    HELD_AS,
    HELD_SIZE,
    HOLDABLE,
    SIZES,
    can_hold,
    configs_after,
    is_held,
    limit,
    to_hold,
    to_put_back,
    topic_defaults,
)
from kafka_ferry.core.topics import TopicState
from kafka_ferry.jobs.migration.rules.provision import topic_changes


def desired(**configs: Any) -> DesiredTopic:
    return DesiredTopic("s", "t", 1, None, {key.replace("_", "."): str(value) for key, value in configs.items()})


def existing(defaults: dict[str, str] | None = None, **configs: Any) -> TopicState:
    own = {key.replace("_", "."): str(value) for key, value in configs.items()}
    return TopicState("t", "id", 1, 1, own, {**(defaults or {}), **own})


def test_defaults_come_from_the_first_broker_key_that_is_set() -> None:
    hours = {"log.retention.hours": "168", "message.max.bytes": "5", "log.cleanup.policy": "compact"}
    assert topic_defaults(hours) == {"retention.ms": "604800000", "max.message.bytes": "5", "cleanup.policy": "compact"}
    assert topic_defaults(hours | {"log.retention.minutes": "2"})["retention.ms"] == "120000"
    assert topic_defaults(hours | {"log.retention.ms": "-1", "log.retention.minutes": "2"})["retention.ms"] == "-1"
    old = topic_defaults({"log.message.timestamp.difference.max.ms": "9"})  # before Kafka 3.6
    assert old == {"message.timestamp.before.max.ms": "9", "message.timestamp.after.max.ms": "9"}


def test_configs_after() -> None:
    broker = {"retention.ms": "1", "max.message.bytes": "2"}
    assert configs_after(desired(), None, broker) == broker
    assert configs_after(desired(retention_ms=7), None, broker)["retention.ms"] == "7"
    assert configs_after(desired(), existing(broker, retention_ms=5), broker)["retention.ms"] == "5"
    assert configs_after(desired(retention_ms=7), existing(broker, retention_ms=5), broker)["retention.ms"] == "7"
    assert configs_after(desired(), existing(broker, retention_ms=HELD), broker)["retention.ms"] == "1"


@pytest.mark.parametrize(("value", "number"), [("-1", None), ("0", 0), ("5", 5), (HELD, None), (str(2**63 - 1), None)])
def test_limit(value: str, number: int | None) -> None:
    assert limit({"retention.ms": value}, "retention.ms") == number
    assert limit({}, "retention.ms") is None


def test_only_what_is_at_risk_is_held_and_only_once() -> None:
    assert to_hold(desired(), existing(), {"retention.ms"}) == {"retention.ms": HELD}
    assert to_hold(desired(), existing(), set()) == {}
    assert to_hold(desired(), existing(retention_ms=HELD), {"retention.ms"}) == {}
    assert to_hold(desired(), existing(), HOLDABLE) == {key: HELD_AS[key] for key in HOLDABLE}


def test_a_hold_of_timestamps_refuses_none_and_that_of_before_is_still_known() -> None:
    """Timestamps reach 2^63 - 1 where a topic allows them: brokers compare them less their clock with the limit."""
    key = "message.timestamp.after.max.ms"
    assert int(HELD_AS[key]) >= 2**63 - 1 - 1
    assert is_held(key, HELD_AS[key])
    assert is_held(key, HELD)
    assert not is_held(key, str(2**63 - 1)), "the brokers' default"
    assert to_put_back([desired()], {"t": existing(message_timestamp_after_max_ms=HELD)}) == {"t": {key: None}}


def test_a_value_that_only_the_target_has_is_never_overwritten() -> None:
    own = existing(retention_ms=5)
    assert not can_hold(desired(), own, "retention.ms")
    assert to_hold(desired(), own, {"retention.ms"}) == {}
    assert can_hold(desired(retention_ms=6), own, "retention.ms"), "the source's value is put back"


def test_put_back_gives_the_sources_value_or_the_default() -> None:
    held = existing(retention_ms=HELD, retention_bytes=HELD, segment_ms=9, message_timestamp_before_max_ms=8)
    assert to_put_back([desired(retention_ms=6)], {"t": held}) == {"t": {"retention.ms": "6", "retention.bytes": None}}
    assert to_put_back([desired()], {"t": existing(retention_ms=5)}) == {}
    assert to_put_back([desired()], {}) == {}


def test_limits_of_size_are_held_with_a_value_that_fits() -> None:
    held = existing(max_message_bytes=HELD_SIZE, segment_bytes=HELD_SIZE)
    assert int(HELD_SIZE) < 2**31, "both configs have 32 bits"
    assert to_hold(desired(), existing(), SIZES) == dict.fromkeys(SIZES, HELD_SIZE)
    assert to_hold(desired(), held, SIZES) == {}
    assert to_put_back([desired(max_message_bytes=9)], {"t": held}) == {
        "t": {"max.message.bytes": "9", "segment.bytes": None}
    }
    assert topic_changes([desired(max_message_bytes=9)], {"t": held})[0].set_configs == ()
    assert not is_held("retention.ms", HELD_SIZE)
    assert not is_held("min.insync.replicas", HELD)


def test_hold_then_put_back_is_where_we_began() -> None:
    for wish, before in [(desired(retention_ms=6), existing(retention_ms=6)), (desired(), existing())]:
        held = existing(**dict(before.configs) | to_hold(wish, before, HOLDABLE))
        back = to_put_back([wish], {"t": held})["t"]
        after = {**held.configs, **back}
        assert {key: value for key, value in after.items() if value is not None} == before.configs


def test_provisioning_leaves_a_hold_alone() -> None:
    (change,) = topic_changes([desired(retention_ms=6)], {"t": existing(retention_ms=HELD)})
    assert change.set_configs == ()
