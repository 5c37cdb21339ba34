"""What a target takes of a hold, asked of one that refuses some of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.jobs.backup.store.holding import Holding

LIFTED = {"retention.ms": "1", "max.message.bytes": "2"}


class Survey:
    """Refuses the configs named, of topics that are there and of topics to be made."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.asked = refused, 0

    def try_configs(self, configs: Mapping[str, Mapping[str, str]], validate_only: bool) -> dict[str, str]:
        assert validate_only
        assert all(configs.values()), "a client raises on a topic without any"
        self.asked += len(configs)
        return {topic: "no" for topic, own in configs.items() if set(own) & set(self.refused)}

    def not_to_be_made(self, topics: Iterable[DesiredTopic]) -> dict[str, str]:
        return self.try_configs({one.name: one.configs for one in topics}, True)  # type: ignore[arg-type]


def asked(*refused: str) -> tuple[Holding, Any]:
    def desired(**configs: str) -> DesiredTopic:
        return DesiredTopic("s", "new", 1, None, {key.replace("_", "."): value for key, value in configs.items()})

    survey: Any = Survey(*refused)
    absent = {"new": (desired(retention_ms="1", max_message_bytes="2"), desired(retention_ms="1"))}
    return Holding.asked(survey, {"there": LIFTED, "as it shall be": {}}, absent), survey


def test_a_target_that_takes_all_is_asked_once() -> None:
    found, survey = asked()
    assert (found, survey.asked) == (Holding(), 2)
    assert found.of("there", LIFTED) == LIFTED


def test_limits_of_size_stay_where_they_alone_are_refused() -> None:
    found, _ = asked("max.message.bytes")
    assert (found.refused, found.sizes_stay) == ({}, {"there": "no", "new": "no"})
    assert found.of("there", LIFTED) == {"retention.ms": "1"}


def test_what_holds_records_must_be_taken() -> None:
    found, _ = asked("retention.ms")
    assert (found.refused, found.sizes_stay) == ({"there": "no", "new": "no"}, {})


def test_a_try_that_follows_finds_all_but_sizes_held() -> None:
    survey: Any = Survey("max.message.bytes")
    found = Holding.asked(survey, {"there": {"max.message.bytes": "2"}}, {})
    assert (found.refused, found.sizes_stay) == ({}, {"there": "no"})
    assert found.of("there", {"max.message.bytes": "2"}) == {}
