"""A source of Kafka 2.0.1, which clients of Kafka 4 cannot talk to (KIP-896): refused, migrated by Connect 3.9."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack, use
from run_by_hand import Run
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]


@pytest.fixture(scope="module")
def ancient() -> Iterator[Stack]:
    with own_stack("ancient-brokers", source="2.0.1", connect="3.9.2") as stack:
        yield stack


@pytest.fixture
def topic(
    ancient: Stack, produce: Callable[..., Any], topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    use(ancient, monkeypatch, tmp_path)
    name, admin = f"{topic_prefix}orders", KafkaAdmin(ancient.client_settings("source"), "source")
    admin.create_topics([DesiredTopic(name, name, 2, 1, {"retention.ms": "-1"})])
    admin.wait_until_usable([(name, 0), (name, 1)], 30)
    produce(ancient.source_bootstrap, name, 500)
    admin.commit({f"{topic_prefix}g": {(name, 0): 11}})
    return name


def test_kafka_4_is_refused_and_names_the_way_out(
    topic: str, topic_prefix: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KAFKA_TARGET", "KAFKA_CONNECT"):  # a worker of today
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", stack.variables()[f"AIRFLOW_CONN_{name}"])
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[], migration=f"{topic_prefix}m")
    with pytest.raises(AirflowFailException, match=r"older than Kafka 2\.1.*Fix: a worker of Kafka Connect 3"):
        run.plan()


def test_connect_3_9_carries_it_over(topic: str, topic_prefix: str, ancient: Stack) -> None:
    names = {"topics": [topic], "groups": [f"{topic_prefix}g"], "migration": f"{topic_prefix}m"}
    plan, report = Run("mirror_maker2_on_connect", **names).whole()
    assert [note for note in plan["notes"] if "no topic ids" in note]
    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    target = KafkaAdmin(ancient.client_settings("target"), "target")
    assert sum(target.offsets([(topic, 0), (topic, 1)], "latest", "read_committed").values()) == 500
    assert target.committed([f"{topic_prefix}g"])[f"{topic_prefix}g"] == {(topic, 0): 11}
