"""The spec: a typing error must never become a default, and every refusal says what to write instead."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Naming


def spec(**params: Any) -> MigrationSpec:
    return MigrationSpec.from_params({"topics": ["orders"], **params})


def refusal(**params: Any) -> BadParam:
    with pytest.raises(BadParam) as caught:
        spec(**params)
    return caught.value


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"topcis": ["orders"]}, "topcis"),
        ({"Isolation_Level": "read_committed"}, "Isolation_Level"),
        ({"topics": []}, "topics"),
        ({"topics": None}, "topics"),
        ({"topics": "orders"}, "topics"),
        ({"topics": ["  "]}, "topics"),
        ({"migration": "a b"}, "migration"),
        ({"migration": "-a"}, "migration"),
        ({"migration": ""}, "migration"),
        ({"source_alias": "a.b"}, "source_alias"),
        ({"tasks_max": 0}, "tasks_max"),
        ({"tasks_max": "many"}, "tasks_max"),
        ({"replication_factor": 0}, "replication_factor"),
        ({"naming": "same"}, "naming"),
        ({"naming": "rename", "topic_rename_format": "replica"}, "topic_rename_format"),
        ({"principals": {"User:(.*": "User:x"}}, "principals"),
        ({"principals": {"User:(a+)+b": "User:x"}}, "principals"),
        ({"principals": {"User:(.*)": "x"}}, "principals"),
        ({"principals": {"User:.*": r"User:\1"}}, "principals"),
        ({"acl_scope": "everything"}, "acl_scope"),
        ({"quotas": "mirror"}, "quotas"),
        ({"delete_acls_of": ["User:a"]}, "delete_acls_of"),
        ({"delete_acls_of": ["User:a"], "acls": "copy"}, "delete_acls_of"),
        ({"delete_acls_of": ["User:a"], "acl_scope": "cluster"}, "delete_acls_of"),
        ({"delete_acls_of": ["User:("], "acls": "copy", "acl_scope": "cluster"}, "delete_acls_of"),
        ({"scram_users": "copy"}, "scram_users"),
        ({"scram_users": "create"}, "scram_conn_id"),
        ({"scram_conn_id": "new_users"}, "scram_conn_id"),
        ({"naming": "rename", "topic_rename_format": "${topic}-${topic}"}, "topic_rename_format"),
        ({"naming": "rename", "topic_rename_format": "${topic} x"}, "topic_rename_format"),
        ({"naming": "rename", "topic_rename_format": None}, "topic_rename_format"),
        ({"topic_rename_format": "eu.${topic}"}, "topic_rename_format"),
        ({"naming": "prefix", "topic_rename_format": "eu.${topic}"}, "topic_rename_format"),
        ({"throughput": "fast"}, "throughput"),
        ({"isolation_level": "committed"}, "isolation_level"),
        ({"verification": "none"}, "verification"),
        ({"duplicates": "ignore"}, "duplicates"),
        ({"group_offsets": "ours"}, "group_offsets"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"no_progress_timeout": 1}, "no_progress_timeout"),
        ({"exclude_topics": [""]}, "exclude_topics"),
    ],
)
def test_each_refusal_names_the_param_and_a_cure(params: dict[str, Any], named: str) -> None:
    error = refusal(**params)
    assert error.param == named
    assert error.fix
    assert repr(named) in str(error)
    assert "Fix: " in str(error)
    assert not error.retriable


def test_an_unknown_param_is_answered_with_the_known_ones() -> None:
    error = refusal(topic="orders")
    assert "unknown" in error.problem
    assert "topics" in error.fix
    assert "exclude_topics" in error.fix


def test_missing_topics_say_so() -> None:
    with pytest.raises(BadParam) as caught:
        MigrationSpec.from_params({})
    assert (caught.value.param, caught.value.problem) == ("topics", "is missing")


def test_a_bad_value_is_shown() -> None:
    assert "'fast'" in refusal(throughput="fast").problem


def test_a_refusal_survives_a_process_border() -> None:
    error = refusal(tasks_max=0)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own error
    assert (str(again), again.param, again.fix) == (str(error), error.param, error.fix)


def test_null_lists_are_empty_and_entries_are_stripped() -> None:
    made = spec(topics=[" orders "], groups=None, exclude_topics=None, exclude_groups=None)
    assert made.topics == ["orders"]
    assert made.groups == made.exclude_topics == made.exclude_groups == []


def test_the_spec_cannot_be_changed_under_a_task() -> None:
    with pytest.raises(ValueError, match="frozen"):
        spec().migration = "other"  # type: ignore[misc]


def test_alias_is_the_migrations_own_name_unless_given() -> None:
    # Two migrations with one alias mix their offset-syncs topics.
    assert spec(migration="wave-1").alias == "wave-1"
    assert spec(migration="wave-1", source_alias="old").alias == "old"


def test_target_topic_keeps_names_or_puts_the_alias_before_them() -> None:
    assert spec().target_topic("a.b-c_d") == "a.b-c_d"
    assert spec(naming="prefix", source_alias="old").target_topic("a.b") == "old.a.b"
    assert spec(naming="prefix", migration="m").target_topic("a") == "m.a"
    assert spec(naming="prefix").naming is Naming.PREFIX


def test_target_topic_follows_the_format() -> None:
    assert spec(naming="rename").target_topic("a.b") == "a.b.replica"
    made = spec(naming="rename", topic_rename_format=" eu.${topic}.v2 ")
    assert made.target_topic("a") == "eu.a.v2"
    assert made.topic_rename is not None
    assert made.topic_rename.format == "eu.${topic}.v2"


def test_a_format_that_changes_nothing_is_the_same_as_identity() -> None:
    made = spec(naming="rename", topic_rename_format="${topic}")
    assert made.target_topic("a") == "a"
    assert made.topic_rename is None
    assert spec().topic_rename is None
    assert spec(naming="prefix").topic_rename is None


def test_a_format_that_would_not_act_is_refused_with_the_cure() -> None:
    error = refusal(topic_rename_format="eu.${topic}")
    assert "naming is identity" in error.problem
    assert "naming: rename" in error.fix


def test_a_bad_format_says_what_a_good_one_is() -> None:
    error = refusal(naming="rename", topic_rename_format="replica")
    assert "${topic} exactly once" in error.problem
    assert "${topic}.replica" in error.fix


@pytest.mark.parametrize("naming", ["prefix", "rename"])
def test_a_spec_survives_json(naming: str) -> None:
    made = spec(naming=naming, replication_factor=3, poll_interval=0.5)
    assert MigrationSpec.from_params(made.model_dump(mode="json")) == made


def test_prefixes_of_topics_are_those_of_their_names_on_the_target() -> None:
    assert spec().target_prefix("ord") == "ord"
    assert spec(naming="prefix", migration="old").target_prefix("ord") == "old.ord"
    renamed = spec(naming="rename", topic_rename_format="eu.${topic}.v2")
    assert renamed.target_prefix("ord") == "eu.ord"
    assert renamed.target_topic("orders").startswith("eu.ord")
    compared = {"topics": ["orders"]}
    assert ComparisonSpec.from_params(compared).target_prefix("ord") == "ord"
    assert ComparisonSpec.from_params(compared | {"rename": {"orders": "x"}}).target_prefix("ord") is None


def test_a_principals_name_says_what_would_do() -> None:
    error = refusal(principals={"User:(.*)": r"\1"})
    assert "is no principal" in error.problem
    assert "User:\\1" in error.fix
