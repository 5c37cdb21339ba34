"""Brokers that are too old, said before anything changes."""

from __future__ import annotations

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.migration.rules.old_brokers import too_old_for_the_engine, too_old_to_change


@pytest.mark.parametrize("version", ["4.3.1", "8.0.0-ccs"])
def test_kafka_4_is_refused_with_the_way_out(version: str) -> None:
    (found,) = too_old_for_the_engine("kafka_source", "source_conn_id", version)
    assert (found.severity, found.param) == (Severity.REFUSE, "source_conn_id")
    assert version in found.what
    assert "3.9" in found.fix
    assert "mirror_maker1" in found.fix


def test_an_older_engine_may_and_an_unknown_one_is_warned_of() -> None:
    assert too_old_for_the_engine("kafka_source", "source_conn_id", "3.9.2") == []
    assert too_old_for_the_engine("kafka_source", "source_conn_id", "7.9.0-ccs") == []
    (found,) = too_old_for_the_engine("kafka_source", "source_conn_id", None)
    assert (found.severity, "kafka_libs" in found.fix) == (Severity.WARN, True)


def test_a_target_whose_configs_cannot_be_changed_is_refused() -> None:
    found = too_old_to_change("kafka_target")
    assert (found.severity, found.param) == (Severity.REFUSE, "target_conn_id")
