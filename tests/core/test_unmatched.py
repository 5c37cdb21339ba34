"""A typing error in topics or groups is seen before the run, with the name that was meant."""

from __future__ import annotations

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.unmatched import unmatched_findings
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

THERE = ["orders.eu", "orders.us", "__consumer_offsets"]


def test_each_entry_is_a_warning_with_the_nearest_name() -> None:
    (found,) = unmatched_findings("topics", ["ordrs.us"], THERE)
    assert (found.severity, found.param) == (Severity.WARN, "topics")
    assert "did you mean orders.us" in found.what


def test_a_part_of_a_name_is_told_that_the_whole_must_match() -> None:
    (found,) = unmatched_findings("topics", ["rders"], ["some.long.orders.eu"])
    assert ".*rders.*" in found.what


def test_what_is_like_nothing_is_only_said_to_match_nothing() -> None:
    (found,) = unmatched_findings("groups", ["zzz"], THERE)
    assert found.what == "matches nothing on the source"
    assert unmatched_findings("groups", [], THERE) == []


def test_a_misspelt_param_is_told_which_was_meant() -> None:
    with pytest.raises(BadParam, match="did you mean 'throughput'"):
        MigrationSpec.from_params({"topics": ["a"], "troughput": "lan"})
