"""Target names that cannot work are refused before anything is made."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kafka_ferry.core.topics import Selection, default_topic_exclude, mm2_topic_refusal, select
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.naming import check_names, refuse_copies_of_copies, refuse_shared_targets
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


def spec(**params: Any) -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["x"], "naming": "rename", **params})


def targets(made: MigrationSpec, *topics: str) -> dict[str, str]:
    return {topic: made.target_topic(topic) for topic in topics}


@pytest.mark.parametrize(
    ("params", "topic", "param", "words"),
    [
        ({}, "a" * 242, "topic_rename_format", "250 characters"),
        ({"topic_rename_format": "__${topic}"}, "a", "topic_rename_format", "Kafka's own topics"),
        ({"topic_rename_format": ".${topic}"}, "a", "topic_rename_format", "begin with a dot"),
        ({"topic_rename_format": "${topic}.checkpoints.internal"}, "a", "topic_rename_format", "MirrorMaker 2's own"),
        ({"topic_rename_format": "${topic}.heartbeats"}, "a", "topic_rename_format", "heartbeats"),
        ({"naming": "prefix", "source_alias": "old"}, "a" * 246, "source_alias", "250 characters"),
    ],
)
def test_a_bad_name_is_refused_with_its_topic(params: dict[str, Any], topic: str, param: str, words: str) -> None:
    made = spec(**params)
    with pytest.raises(BadParam, match=words) as caught:
        check_names(made, targets(made, topic))
    assert caught.value.param == param
    assert repr(topic) in caught.value.problem
    assert "exclude_topics" in caught.value.fix


@pytest.mark.parametrize("params", [{}, {"naming": "identity"}, {"naming": "prefix"}])
def test_good_names_pass(params: dict[str, Any]) -> None:
    made = spec(**params)
    check_names(made, targets(made, "a", "b.replica", "a" * 241))


def test_two_topics_are_never_one_on_the_target() -> None:
    made = ComparisonSpec.from_params({"topics": ["x"], "rename": {"(a|b)": "c"}})
    with pytest.raises(BadParam, match="a, b would all be 'c'"):
        refuse_shared_targets(targets(made, "a", "b"), "rename")
    with pytest.raises(BadParam, match="a, b would all be 'c'"):
        check_names(made, targets(made, "a", "b"))


def selection(existing: list[str], include: list[str], exclude: list[str]) -> Selection:
    return select(
        "topics", existing, include, exclude, never=mm2_topic_refusal, by_default=default_topic_exclude
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "copy"),
    [
        ({}, "orders.replica"),
        ({"topic_rename_format": "orders-${topic}"}, "orders-orders"),
        ({"naming": "prefix", "source_alias": "orders"}, "orders.orders"),
    ],
)
def test_within_one_cluster_a_copy_may_not_be_copied_again(params: dict[str, Any], copy: str) -> None:
    made = spec(**params)
    with pytest.raises(BadParam, match=re.escape(f"{copy!r}, the copy of 'orders'")) as caught:
        refuse_copies_of_copies(made, selection(["orders"], ["orders.*"], []), targets(made, "orders"))
    # The fix fixes.
    (entry,) = re.findall(r'exclude_topics: \["([^"]+)"\]', caught.value.fix)
    refuse_copies_of_copies(made, selection(["orders"], ["orders.*"], [entry]), targets(made, "orders"))


def test_within_one_cluster_exact_names_and_other_names_are_fine() -> None:
    made = spec()
    refuse_copies_of_copies(made, selection(["orders"], ["orders"], []), targets(made, "orders"))
    made = spec(topic_rename_format="copy-of-${topic}")
    refuse_copies_of_copies(made, selection(["orders"], ["orders.*"], []), targets(made, "orders"))
