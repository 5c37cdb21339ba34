"""Cures for whoever still replicates a wave name params that ``fail_back`` has."""

from __future__ import annotations

import pytest

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec
from kafka_ferry.jobs.cutover.rules.one_way import in_words_of_fail_back
from kafka_ferry.jobs.migration.rules.loops import ALIAS, LOOP
from kafka_ferry.jobs.migration.rules.replicators import OTHER

SHOP, REST = "mm.shop.MirrorSourceConnector", "mm.rest.MirrorSourceConnector"
OLD = "exclude_topics; naming: prefix on both"


def loop(*flows: str, severity: Severity = Severity.REFUSE) -> Finding:
    return Finding(severity, LOOP, "topic a", "the same records would come back", OLD, "topics", flows)


def test_all_connectors_that_are_at_work_are_to_be_named_with_those_that_are() -> None:
    found = [loop(f"connector {SHOP}"), loop(f"connector {REST}")]
    for made in in_words_of_fail_back(found, ["mine"], same_connect=True):
        assert made.fix.startswith(f'forward_connectors: ["mine", "{REST}", "{SHOP}"], if')
        assert made.param == "forward_connectors"


@pytest.mark.parametrize("flow", ["migration 'x' of DAG d (a to b)", "the dedicated MirrorMaker 2 of topic t"])
def test_what_is_no_connector_is_to_be_stopped(flow: str) -> None:
    (made,) = in_words_of_fail_back([loop(flow)], [], same_connect=True)
    assert made.fix.startswith(f"stop {flow} first")


def test_connectors_are_looked_for_on_the_other_connect() -> None:
    (made,) = in_words_of_fail_back([loop(f"connector {SHOP}")], [], same_connect=False)
    assert made.fix.startswith(f"stop connector {SHOP} first")


def test_no_cure_names_a_param_that_there_is_not() -> None:
    others = [
        Finding(severity, code, "x", "what", OLD, "exclude_topics")
        for code in (OTHER, ALIAS, LOOP)
        for severity in (Severity.REFUSE, Severity.WARN)
    ]
    for made in in_words_of_fail_back(others, [], same_connect=True):
        assert made.param in FailBackSpec.model_fields
        assert made.param not in FailBackSpec.form_without
        assert "exclude_topics" not in made.fix
        assert "naming" not in made.fix
