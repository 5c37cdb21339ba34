"""What is timed: stock without any client key, ours as the DAG would deploy it."""

from __future__ import annotations

import pytest

from bench.__main__ import parser
from bench.profiles import VARIANTS, Variant
from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES

CLIENT_KEYS = ("producer.", "source.consumer.", "consumer.", "target.producer.")


def config(text: str) -> dict[str, str]:
    return Variant.parse(text).config("b1", "source:1", "target:2")


def test_stock_sets_no_client_key_and_keeps_bytes() -> None:
    made = config("stock")
    assert [key for key in made if key.startswith(CLIENT_KEYS)] == []
    assert made["header.converter"].endswith("ByteArrayConverter")


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_profile_is_what_the_dag_deploys(name: str) -> None:
    made = config(name)
    assert PROFILES[name].settings.items() <= made.items()
    assert made["source.cluster.alias"] == "b1", "the target topic is called by the alias"
    assert made["replication.policy.class"].endswith("DefaultReplicationPolicy")


def test_every_profile_is_measured() -> None:
    assert set(VARIANTS) == {"stock", *PROFILES}
    assert [variant.name for variant in parser().parse_args(["profiles"]).variants] == list(VARIANTS)


def test_keys_can_be_tried() -> None:
    made = config("lan,source.consumer.max.poll.records=7,producer.override.batch.size=")
    assert made["source.consumer.max.poll.records"] == "7"
    assert "producer.override.batch.size" not in made
    with pytest.raises(ValueError, match="none of"):
        Variant.parse("fast")
