"""The verdict: PASS only when something was compared, nothing failed and no stage broke."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from kafka_ferry.core.checks import CHECKS, SCHEMA, Check, GroupLine, Report, Status, complete, verdict
from kafka_ferry.core.leftovers import leftovers_check


def check(name: str, status: Status = Status.PASS) -> Check:
    return Check(name=name, status=status)


def test_nothing_checked_is_fail() -> None:
    assert verdict([], []) == "FAIL"
    assert verdict(complete([], {}, "not made"), []) == "FAIL"
    assert verdict([check("topics"), check("groups")], []) == "FAIL"


@pytest.mark.parametrize("name", ["content", "counts"])
def test_contents_or_counts_must_have_been_checked(name: str) -> None:
    assert verdict([check(name)], []) == "PASS"
    assert verdict([check(name, Status.EXPLAINED)], []) == "PASS"
    assert verdict([check(name, Status.SKIPPED), check("topics")], []) == "FAIL"
    assert verdict([check(name, Status.FAIL)], []) == "FAIL"


def test_of_a_job_that_compares_nothing_any_check_is_a_proof() -> None:
    assert verdict([check("kafka_source")], [], ()) == "PASS"
    assert verdict([check("kafka_source"), check("kafka_target", Status.SKIPPED)], [], ()) == "PASS"
    assert verdict([check("kafka_target", Status.SKIPPED)], [], ()) == "FAIL"
    assert verdict([check("kafka_source"), check("kafka_target", Status.FAIL)], [], ()) == "FAIL"
    assert verdict([check("kafka_source")], ["ask: no answer"], ()) == "FAIL"
    assert verdict([], [], ()) == "FAIL"


@pytest.mark.parametrize("name", CHECKS)
def test_one_failed_check_fails_the_run(name: str) -> None:
    checks = complete([check("content"), check("counts")], {}, "not made")
    assert verdict(checks, []) == "PASS"
    assert verdict([c for c in checks if c.name != name] + [check(name, Status.FAIL)], []) == "FAIL"


def test_a_broken_stage_fails_the_run_whatever_was_checked() -> None:
    assert verdict([check("content")], ["remove: worker unavailable"]) == "FAIL"


def test_complete_is_in_order_and_a_check_not_made_is_skipped_with_its_reason() -> None:
    made = complete([check("groups"), check("topics", Status.FAIL)], {"acls": "not carried"}, "ended before")
    assert tuple(c.name for c in made) == CHECKS
    by_name = {c.name: c for c in made}
    assert by_name["topics"].status is Status.FAIL
    assert (by_name["acls"].status, by_name["acls"].detail) == (Status.SKIPPED, "not carried")
    assert (by_name["content"].status, by_name["content"].detail) == (Status.SKIPPED, "ended before")


def test_a_check_outside_the_checklist_is_not_dropped() -> None:
    made = complete([check("contents", Status.FAIL)], {}, "")
    assert made[-1].name == "contents"
    assert verdict([*made, check("content")], []) == "FAIL"


def test_leftovers() -> None:
    assert leftovers_check().status is Status.PASS
    left = leftovers_check(["connector c"])
    assert (left.status, left.actual, left.differences) == (Status.FAIL, "1", ["connector c"])
    kept = leftovers_check(kept="keep_replicating: …")
    assert (kept.status, kept.detail) == (Status.SKIPPED, "keep_replicating: …")


def report(**more: object) -> Report:
    fields = {
        "dag_id": "d",
        "run_id": "r",
        "engine": "e",
        "verdict": "FAIL",
        "source": {},
        "target": {},
        "started": None,
        "ended": None,
        "checks": [check("topics")],
    }
    return Report.model_validate(fields | more)


def test_report_json_has_the_schema_and_survives_a_round_trip() -> None:
    made = report().to_json()
    assert made["schema"] == SCHEMA == "kafka-ferry.report/2"
    assert Report.model_validate(json.loads(json.dumps(made))).to_json() == made
    for key in ("checks", "topics", "groups", "timeline", "cutover", "throughput", "verdict", "source", "target"):
        assert key in made


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        report(verdcit="PASS")


def test_the_summary_is_small_whatever_broke() -> None:
    line = GroupLine(
        group="g", topic="t", partition=0, source_offset=0, target_offset=0, expected_offset=0, redelivered=0,
        status=Status.PASS,
    )  # fmt: skip
    summary = report(failures=["x" * 10_000] * 1000, groups=[line] * 500).summary("/r.json")
    assert len(json.dumps(summary)) < 5000
    assert (summary["verdict"], summary["groups"], summary["path"]) == ("FAIL", 1, "/r.json")
    assert summary["checks"] == {"topics": "pass"}
    assert summary["goes_on"] is False


def test_the_summary_says_what_keeps_running() -> None:
    kept = leftovers_check(kept="replication continues\ncurl -X DELETE http://connect/x")
    assert report(checks=[kept]).summary("/r.json")["goes_on"] is True
    assert report(checks=[leftovers_check(["connector x"])]).summary("/r.json")["goes_on"] is False
