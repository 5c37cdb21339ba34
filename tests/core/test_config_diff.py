"""Desired against actual connector config."""

from __future__ import annotations

from kafka_ferry.core.config_diff import Change, ChangeKind, config_diff


def test_no_difference_in_what_connect_would_store() -> None:
    desired = {"tasks.max": 2, "sync.topic.acls.enabled": False, "left.out": None, "a": "b"}
    actual = {"name": "c", "tasks.max": "2", "sync.topic.acls.enabled": "false", "a": "b"}
    assert config_diff(desired, actual) == []


def test_create_update_delete_in_key_order() -> None:
    changes = config_diff({"b": "2", "c": "3"}, {"a": "1", "b": "1", "name": "x"})
    assert changes == [
        Change(ChangeKind.DELETE, "a", "1", None),
        Change(ChangeKind.UPDATE, "b", "1", "2"),
        Change(ChangeKind.CREATE, "c", None, "3"),
    ]
    assert [str(change) for change in changes] == ["- a = 1", "~ b: 1 -> 2", "+ c = 3"]


def test_absent_connector_is_all_create() -> None:
    assert [change.kind for change in config_diff({"a": "1", "b": "2"}, None)] == [ChangeKind.CREATE] * 2


def test_a_changed_secret_is_a_change_that_shows_nothing() -> None:
    (change,) = config_diff({"x.password": "new-hunter2"}, {"x.password": "old-hunter2"})
    assert change == Change(ChangeKind.UPDATE, "x.password", "***", "***")
    assert "hunter2" not in f"{change} {change!r}"


def test_long_values_are_cut_in_the_log_line() -> None:
    (change,) = config_diff({"topics": "t," * 500}, None)
    assert len(str(change)) < 250
    assert "1000 characters" in str(change)
