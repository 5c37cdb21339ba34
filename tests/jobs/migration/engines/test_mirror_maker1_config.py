"""What MirrorMaker 1 is told: nothing that loses, reorders or repeats records, and no secret on the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.mirror_maker1_config import (
    MirrorMaker1Intent,
    arguments,
    consumer_properties,
    include,
    producer_properties,
)

LOGIN = {"bootstrap.servers": "a:9092", "security.protocol": "SASL_PLAINTEXT", "sasl.jaas.config": "hush-hush"}


def intent(**more: Any) -> MirrorMaker1Intent:
    fields: dict[str, Any] = {
        "name": "mirror_maker1.m",
        "source": LOGIN,
        "target": LOGIN | {"bootstrap.servers": "b:9092"},
        "topics": ["orders.v1", "bills"],
        "streams": 2,
        "throughput": "lan",
        "isolation_level": "read_committed",
    }
    return MirrorMaker1Intent(**fields | more)


def test_offsets_are_committed_by_nobody_before_records_are_there() -> None:
    keys = consumer_properties(intent())
    assert keys["enable.auto.commit"] == "false"
    assert keys["auto.offset.reset"] == "earliest"
    assert keys["isolation.level"] == "read_committed"
    assert keys["group.id"] == "mirror_maker1.m"
    assert keys["bootstrap.servers"] == "a:9092"


def test_the_producer_keeps_order_and_waits_for_all_replicas() -> None:
    keys = producer_properties(intent())
    assert (keys["acks"], keys["enable.idempotence"]) == ("all", "true")
    assert int(keys["max.in.flight.requests.per.connection"]) <= 5, "the most that idempotence keeps in order"
    assert keys["bootstrap.servers"] == "b:9092"
    assert keys["compression.type"] == "lz4"
    assert not [key for key in keys if key.startswith("producer.")]


@pytest.mark.parametrize("largest, room", [(0, 1048576), (20_000_000, 20_000_000)])
def test_the_largest_record_fits(largest: int, room: int) -> None:
    keys = producer_properties(intent(max_record_bytes=largest))
    assert keys["max.request.size"] == "2147483647", "it is compared with records before they are compressed"
    assert int(keys["buffer.memory"]) > room


def test_no_secret_is_on_the_command_line_or_in_repr() -> None:
    words = arguments(intent(), "/folder")
    assert "hush-hush" not in " ".join(words)
    assert "hush-hush" not in repr(intent())
    assert words[words.index("--consumer.config") + 1] == "/folder/consumer.properties"
    assert words[words.index("--abort.on.send.failure") + 1] == "true"
    assert words[words.index("--num.streams") + 1] == "2"
    assert "--include" not in words, "Kafka before 2.8 does not know it"
    assert words[words.index("--whitelist") + 1] == include(intent().topics)


def test_exactly_the_topics_are_included() -> None:
    pattern = re.compile(include(["orders.v1", "a-b_c"]))
    assert [
        name for name in ("orders.v1", "a-b_c", "ordersxv1", "orders.v12", "xa-b_c") if pattern.fullmatch(name)
    ] == [
        "orders.v1",
        "a-b_c",
    ]


def test_more_topics_than_an_argument_takes_are_refused() -> None:
    with pytest.raises(BadParam, match="several migrations"):
        include([f"{'x' * 200}{number}" for number in range(1000)])


def test_overrides_reach_their_side_only() -> None:
    chosen = intent(overrides={"producer.linger.ms": "10", "consumer.max.poll.records": "100"})
    assert producer_properties(chosen)["linger.ms"] == "10"
    assert consumer_properties(chosen)["max.poll.records"] == "100"
    assert "max.poll.records" not in producer_properties(chosen)


@pytest.mark.parametrize(
    "key", ["linger.ms", "producer.", "producer.acks", "consumer.group.id", "consumer.enable.auto.commit",
            "producer.sasl.jaas.config", "consumer.isolation.level"]
)  # fmt: skip
def test_an_override_that_would_lose_records_or_means_nothing_is_refused(key: str) -> None:
    with pytest.raises(BadParam, match="overrides"):
        consumer_properties(intent(overrides={key: "x"}))
