"""Each key of a profile is one that acts: the records' producer is the worker's, the consumer lives in the task."""

from __future__ import annotations

import re

import pytest

from kafka_ferry.jobs.migration.engines.throughput_config import PROFILES
from kafka_ferry.jobs.migration.rules.spec import Throughput

ACTS = re.compile(r"^(producer\.override|source\.consumer)\.[a-z.]+$")


def test_the_profiles_are_those_of_the_form() -> None:
    assert PROFILES.keys() == {value.value for value in Throughput}


@pytest.mark.parametrize("name", list(PROFILES))
def test_each_key_acts(name: str) -> None:
    profile = PROFILES[name]
    assert profile.settings
    for key, value in profile.settings.items():
        assert ACTS.match(key), f"{key} does nothing in MirrorMaker 2 on Kafka Connect"
        assert isinstance(value, str)
    assert profile.sync_seconds > 0
    assert profile.refresh_seconds > 0


def test_wan_opens_the_receive_window_and_advises_what_is_not_ours() -> None:
    assert PROFILES["wan"].settings["source.consumer.receive.buffer.bytes"] == "-1"
    assert "socket.send.buffer.bytes" in (PROFILES["wan"].advice or "")


def test_profiles_cannot_be_changed_for_everyone() -> None:
    with pytest.raises(TypeError):
        PROFILES["lan"].settings["x"] = "y"  # type: ignore[index]


def test_gentle_is_one_task_and_says_that_it_limits_no_rate() -> None:
    assert PROFILES["gentle"].tasks(8) == 1
    assert PROFILES["lan"].tasks(8) == PROFILES["wan"].tasks(8) == 8
    assert "consumer_byte_rate" in (PROFILES["gentle"].advice or "")
