"""Topics chosen and renamed by Kafka's own transforms."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.rules.vendors.transforms import steps


def routed(topic: str, made: dict[str, str]) -> str | None:
    """What becomes of a topic, as ``Filter`` and ``RegexRouter`` do it; None: its records are dropped."""
    for name in made.get("transforms", "").split(","):
        if name == "chosen" and not re.fullmatch(made["predicates.chosen.pattern"], topic):
            return None
        if name.startswith("rename") and re.fullmatch(made[f"transforms.{name}.regex"], topic):
            topic = made[f"transforms.{name}.replacement"]
    return topic


def test_only_chosen_topics_stay_and_a_dot_is_a_dot() -> None:
    made = steps(("a.b", "c"), {})
    assert [routed(topic, made) for topic in ("a.b", "axb", "c", "cc")] == ["a.b", None, "c", None]
    assert made["transforms.chosen.negate"] == "true"


@pytest.mark.parametrize("renames", list(permutations([("a", "b"), ("b", "c"), ("x", "y")])))
def test_no_router_sees_what_another_has_renamed(renames: list[tuple[str, str]]) -> None:
    made = steps((), dict(renames))
    assert {old: routed(old, made) for old in "abxz"} == {"a": "b", "b": "c", "x": "y", "z": "z"}


def test_a_name_that_stays_is_no_circle() -> None:
    assert routed("a", steps((), {"a": "a", "b": "c"})) == "a"


@pytest.mark.parametrize("renames", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}])
def test_names_in_a_circle_are_refused(renames: dict[str, str]) -> None:
    with pytest.raises(BadParam, match=r"'rename'.*circle \(.* -> .*Fix: other names"):
        steps((), renames)


def test_further_transforms_come_last() -> None:
    made = steps(("a",), {"a": "b"}, {"own": {"type": "x.Y", "field": "f"}})
    assert made["transforms"] == "chosen,rename0,own"
    assert (made["transforms.own.type"], made["transforms.own.field"]) == ("x.Y", "f")
    assert steps((), {}) == {}
