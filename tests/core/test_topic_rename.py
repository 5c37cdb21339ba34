"""Rename formats: the same names as the Java policy makes, each of which leads back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kafka_ferry.core.topic_rename import DEFAULT_FORMAT, RENAME_KEY, RENAME_POLICY, TopicRename, name_problem

JAVA = Path(__file__).resolve().parents[2] / "include" / "connect-plugins" / "src"
#: Format, source topic, target topic: also in RenameReplicationPolicyTest.java.
CASES = [
    ("${topic}.replica", "orders", "orders.replica"),
    ("${topic}.replica", "orders.replica", "orders.replica.replica"),
    ("eu.${topic}", "orders", "eu.orders"),
    ("eu-${topic}_v2", "a.b-c_d", "eu-a.b-c_d_v2"),
    ("a${topic}a", "a", "aaa"),
    ("x.${topic}.x", "x.x", "x.x.x.x"),
]


@pytest.mark.parametrize(("form", "topic", "target"), CASES)
def test_a_name_is_made_and_led_back(form: str, topic: str, target: str) -> None:
    rename = TopicRename(form)
    assert rename.target(topic) == target
    assert rename.source(target) == topic
    assert not rename.changes_nothing


def test_the_java_policy_is_tested_with_the_same_names_and_has_the_same_keys() -> None:
    test = (JAVA / "test/java/kafkaferry/connect/RenameReplicationPolicyTest.java").read_text()
    lines = [tuple(line.split(", ")) for line in re.findall(r'^\s+"(\S+, \S+, \S+)",$', test, re.M)]
    assert lines == CASES
    policy = (JAVA / "main/java/kafkaferry/connect/RenameReplicationPolicy.java").read_text()
    assert f'FORMAT_CONFIG = "{RENAME_KEY}"' in policy
    assert f'FORMAT_DEFAULT = "{DEFAULT_FORMAT}"' in policy
    package, name = RENAME_POLICY.rsplit(".", 1)
    assert f"package {package};" in policy
    assert f"class {name} " in policy


@pytest.mark.parametrize("target", ["orders", "orders.replicas", ".replica", "replica"])
def test_a_name_the_format_cannot_have_made(target: str) -> None:
    assert TopicRename(DEFAULT_FORMAT).source(target) is None


def test_before_and_after_may_not_share_characters() -> None:
    assert TopicRename("ab${topic}ba").source("aba") is None
    assert TopicRename("ab${topic}ba").source("abba") is None


@pytest.mark.parametrize("form", ["", "replica", "${topic}${topic}", "${topic}-${topic}", "$topic", "${Topic}"])
def test_the_topic_must_be_in_it_once(form: str) -> None:
    with pytest.raises(ValueError, match="exactly once"):
        TopicRename(form)


@pytest.mark.parametrize("form", ["${topic} x", "${topic}/x", "${cluster}.${topic}", "ü${topic}", "${topic}\n"])
def test_what_kafka_allows_in_no_name(form: str) -> None:
    with pytest.raises(ValueError, match="only letters"):
        TopicRename(form)


def test_a_format_that_leaves_no_room_for_a_name() -> None:
    assert TopicRename("x" * 248 + "${topic}").target("a")
    with pytest.raises(ValueError, match="249"):
        TopicRename("x" * 249 + "${topic}")


def test_a_format_may_keep_the_names() -> None:
    assert TopicRename("${topic}").changes_nothing
    assert TopicRename("${topic}").source("a") == "a"


@pytest.mark.parametrize("name", ["", ".", "..", "a" * 250, "a b", "ü"])
def test_names_that_kafka_refuses(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("name", ["a", "a" * 249, "A.b-c_9", "..."])
def test_names_that_kafka_takes(name: str) -> None:
    assert name_problem(name) is None
