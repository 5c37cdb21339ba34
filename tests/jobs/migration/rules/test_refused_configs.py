"""Configs that the target does not take: named once each, with all their topics; left out where that is asked."""

from __future__ import annotations

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.migration.rules.refused_configs import RefusedConfigs, settings_to_try

OLD = ("message.format.version", "2.6-IV0")
KEEP = ("retention.ms", "5")
TOPICS = [DesiredTopic(f"t{n}", f"t{n}", 1, None, dict([OLD, KEEP])) for n in range(7)]
FOUND = RefusedConfigs(configs={topic.name: [OLD] for topic in TOPICS}, reasons={OLD: "Unknown topic config name."})


def test_each_setting_is_tried_once() -> None:
    assert settings_to_try(TOPICS).keys() == {OLD, KEEP}


def test_a_refusal_names_the_setting_the_topics_and_the_param() -> None:
    (found,) = FOUND.findings("kafka_target", skip=False)
    assert (found.severity, found.param, found.subject) == (
        Severity.REFUSE, "refused_configs", "config message.format.version=2.6-IV0",
    )  # fmt: skip
    assert "Unknown topic config name; it is set on 7 topics: t0, t1, t2, t3, t4 and 2 more" in found.what
    assert "refused_configs: skip" in found.fix


def test_what_is_skipped_is_left_out_and_listed() -> None:
    (found,) = FOUND.findings("kafka_target", skip=True)
    assert (found.severity, "left out there" in found.what) == (Severity.ADVISE, True)
    assert {tuple(topic.configs.items()) for topic in FOUND.without(TOPICS)} == {(KEEP,)}
    check = FOUND.explain(Check(name="configs", status=Status.PASS))
    assert (check.status, check.detail) == (Status.EXPLAINED, "7 settings left out (refused_configs: skip)")
    assert "message.format.version=2.6-IV0, on 7 topics" in check.differences[0]


def test_a_difference_stays_a_failure() -> None:
    check = FOUND.explain(Check(name="configs", status=Status.FAIL, detail="1 difference", differences=["t0: x"]))
    assert (check.status, check.differences[0]) == (Status.FAIL, "t0: x")


def test_where_nothing_is_refused_nothing_is_said() -> None:
    check = Check(name="configs", status=Status.PASS)
    assert RefusedConfigs().explain(check) is check
    assert RefusedConfigs().findings("kafka_target", skip=False) == []
    assert RefusedConfigs().without(TOPICS) == TOPICS


def test_a_topic_that_cannot_be_made_is_refused_either_way() -> None:
    bad = RefusedConfigs(topics={"orders": "policy: at most 10 partitions"})
    for skip in (False, True):
        (found,) = bad.findings("kafka_target", skip=skip)
        assert (found.severity, found.subject) == (Severity.REFUSE, "topic orders")
        assert "at most 10 partitions" in found.what
