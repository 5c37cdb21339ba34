from __future__ import annotations

import base64

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import BYTES_AS_THEY_ARE, check, content, parse, problems

GOOD = {
    **BYTES_AS_THEY_ARE,
    "offset.storage.topic": "orders-offsets",
    "offset.storage.partitions": "1",
    "producer.compression.type": "zstd",
    "consumer.auto.offset.reset": "earliest",
    "config.providers": "secrets",
    "tasks.shutdown.graceful.timeout.ms": "10000",
}


def test_what_msk_connect_takes() -> None:
    assert problems(GOOD) == []
    check(GOOD)


@pytest.mark.parametrize(
    "key",
    [
        "bootstrap.servers", "group.id", "plugin.path", "status.storage.topic", "config.storage.topic",
        "connector.client.config.override.policy", "sasl.mechanism", "security.protocol", "rest.port",
        "producer.sasl.jaas.config", "consumer.group.id", "producer.acks.x", "admin.retries", "client.id",
    ],
)  # fmt: skip
def test_what_it_refuses(key: str) -> None:
    (problem,) = problems({**GOOD, key: "hunter2"})
    assert problem.startswith(f"{key} is ")
    with pytest.raises(BadParam) as refusal:
        check({**GOOD, key: "hunter2"})
    assert "hunter2" not in str(refusal.value)


def test_converters_are_required() -> None:
    assert problems({"key.converter": "x"}) == ["value.converter is required"]


def test_content_is_a_file_in_base64_that_does_not_depend_on_order() -> None:
    back = dict(reversed(GOOD.items()))
    assert content(GOOD) == content(back)
    assert parse(content(GOOD)) == GOOD
    assert parse(content({"a": "ü=: x\\"})) == {"a": "ü=: x\\"}


@pytest.mark.parametrize("encoded", ["not base64!", base64.b64encode(b"\xff\xfe").decode()])
def test_content_that_is_none(encoded: str) -> None:
    with pytest.raises(BadParam, match="not a properties file"):
        parse(encoded)
