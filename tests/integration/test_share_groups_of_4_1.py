"""Brokers of Kafka 4.1: share groups are off there, and once on, the start of a group that is not there is not set."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from own_stacks import own_stack
from stack import Stack, jars
from stack.java import find_java
from stack.service import java_command
from stack.stack import PROJECT
from streams_app import eventually

pytestmark = [pytest.mark.integration, pytest.mark.nightly]


@pytest.fixture(scope="module")
def old() -> Iterator[Stack]:
    with own_stack("share-4-1", target="4.1.1") as stack:
        yield stack


def test_what_brokers_of_4_1_say_and_do(old: Stack) -> None:
    admin = KafkaAdmin({"bootstrap.servers": old.target_bootstrap}, "old")
    admin.create_topics([DesiredTopic("jobs", "jobs", 1, 1, {})])
    admin.wait_until_usable([("jobs", 0)], 30)
    assert (admin.capabilities.tells_share_starts, admin.capabilities.makes_share_groups) == (True, False)
    assert admin.no_share_starts == "old: its share groups are switched off (feature share.version)"
    assert admin.set_share_starts({"g": {("jobs", 0): 0}}).keys() == {"g"}
    assert admin.share_starts(["g"]) == {"g": {}}

    libs = jars.jars_folder(jars.cache_folder(PROJECT))
    command = java_command(
        find_java(), libs, "org.apache.kafka.tools.FeatureCommand", "--bootstrap-server", old.target_bootstrap,
        "upgrade", "--feature", "share.version=1",
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    eventually(lambda: not KafkaAdmin({"bootstrap.servers": old.target_bootstrap}, "old").no_share_starts, lambda: done)

    # It answers without an error, and does nothing.
    refused = admin.set_share_starts({"g": {("jobs", 0): 0}})
    assert admin.share_starts(["g"]) == {"g": {}}
    assert "with Kafka 4.1, which sets starts of groups that are there only" in refused["g"]
