"""The page of a run of an earlier version still reads, and calls offsets what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

import report_samples as samples
from kafka_ferry.core.checks import SCHEMA, Report, Throughput
from kafka_ferry.core.plan import PLAN_SCHEMA, Plan
from kafka_ferry.report.artifacts import PLAN, PROGRESS, REPORT, RunArtifacts
from kafka_ferry.report.overview import OVERVIEW_SCHEMA, Overview, overview_of
from kafka_ferry.report.page import Links, render_page
from kafka_ferry.report.pages import write_pages
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.run import read_run
from kafka_ferry.report.upgrade import overview_of as overview_of_now
from kafka_ferry.report.upgrade import plan_of, progress_of, report_of

LINKS = Links("/s", "/r/report.json", "/r/live.json")
OLD_NAMES = {"offsets": "records", "total_offsets": "total_records", "offsets_per_second": "records_per_second"}


def old(found: dict[str, Any]) -> dict[str, Any]:
    """As version 1 wrote it."""
    return {OLD_NAMES.get(key, key): value for key, value in found.items()}


def old_report(engine: str = "mirror_maker2_on_connect") -> dict[str, Any]:
    made = samples.passed().report
    assert made
    found = made.to_json() | {"schema": "kafka-ferry.report/1", "engine": engine}
    del found["words"]
    found["throughput"] = {"records": 1_000_000, "bytes": 120_000_000, "seconds": 38.0}
    return found


def old_overview() -> dict[str, Any]:
    made = samples.passed()
    assert made.report
    found = overview_of(made.report, made.plan, made.progress).model_dump(mode="json", by_alias=True)
    found |= {"schema": "kafka-ferry.report-overview/1", "report": old_report()}
    found["charts"]["progress"] = old(found["charts"]["progress"])
    return found


@pytest.mark.parametrize(
    ("engine", "copied"),
    [
        ("mirror_maker2_on_connect", Throughput(offsets=1_000_000, bytes=120_000_000, seconds=38.0)),
        # A backup and a restore did count records.
        ("kafka_ferry", Throughput(records=1_000_000, bytes=120_000_000, seconds=38.0)),
    ],
)
def test_what_was_called_records_is_called_what_it_is(engine: str, copied: Throughput) -> None:
    report = Report.model_validate(report_of(old_report(engine)))
    assert report.schema_ == SCHEMA != "kafka-ferry.report/1"
    assert report.throughput == copied


def test_an_overview_is_upgraded_with_its_report_and_its_plots() -> None:
    overview = Overview.model_validate(overview_of_now(old_overview()))
    assert (overview.schema_, overview.report.schema_) == (OVERVIEW_SCHEMA, SCHEMA)
    assert overview.report.throughput.offsets == 1_000_000
    assert overview.charts["progress"].keys() == {"lag", "offsets", "bytes"}
    assert len(overview.charts["progress"]["offsets"]) == 39


@pytest.mark.parametrize("converged", [True, False])
def test_a_line_of_progress_is_read_whoever_wrote_it(converged: bool) -> None:
    for line in samples.progress(3, converged=converged):
        assert progress_of(old(line)) == progress_of(line) == line


@pytest.mark.parametrize("upgrade", [report_of, overview_of_now, progress_of])
@pytest.mark.parametrize(
    "found",
    [{}, {"schema": "kafka-ferry.report/9"}, {"schema": None}, {"schema": []}, {"throughput": 5, "charts": "x"}],
)
def test_what_is_of_no_known_version_is_left_to_its_reader(
    upgrade: Callable[[Any], dict[str, Any]], found: dict[str, Any]
) -> None:
    assert upgrade(found) == found


@pytest.mark.parametrize("part", ["throughput", "charts", "report"])
@pytest.mark.parametrize("damage", [None, 5, [], "x", {"progress": 1}])
def test_damage_is_no_reason_to_break(part: str, damage: Any) -> None:
    assert report_of(old_report() | {part: damage})["schema"] == SCHEMA
    assert overview_of_now(old_overview() | {part: damage})["schema"] == OVERVIEW_SCHEMA


def test_the_page_of_an_older_run_reads(tmp_path: Any) -> None:
    """From report.json alone, and from what was written for the page."""
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    artifacts.write_json(PLAN, samples.PLAN)
    for line in samples.progress(30):
        artifacts.append_line(PROGRESS, old(line))
    artifacts.write_json(REPORT, old_report())
    run = read_run(artifacts, "success", samples.SUMMARY)
    assert run.damaged == []
    assert "1,000,000 offsets" in render_page(run, LINKS)

    made = samples.passed().report
    assert made
    pages = write_pages(artifacts, made)
    artifacts.write_json(f"pages/{pages}.overview.json", old_overview())
    run = read_run(artifacts, "success", samples.SUMMARY | {"pages": pages})
    assert run.overview
    html = render_page(run, LINKS)
    assert "1,000,000 offsets" in html
    assert '"offsets": [[' in html


def test_a_run_that_waited_during_an_upgrade_has_one_progress(tmp_path: Any) -> None:
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    lines = samples.progress(10)
    for number, line in enumerate(lines):
        artifacts.append_line(PROGRESS, old(line) if number < 5 else line)
    reader = Reader(artifacts)
    assert reader.progress() == lines
    assert reader.notes == []


def test_a_plan_without_a_schema_is_read_in_the_words_of_today() -> None:
    cured = {"severity": "warn", "code": "retention", "subject": "topic a", "what": "expires", "cure": "raise it"}
    fixed = {"severity": "advise", "code": "idle", "subject": "group g", "what": "sleeps", "fix": "leave it"}
    old_plan = {**samples.PLAN, "findings": [cured, fixed]}
    assert [one.fix for one in Plan.from_json(plan_of(old_plan)).findings] == ["raise it", "leave it"]
    assert "fix" not in cured, "what was read is left as it is"
    named = {**old_plan, "schema": PLAN_SCHEMA}
    assert plan_of(named) == named, "a plan that says its version is held to it"
    with pytest.raises(ValidationError):
        Plan.from_json(plan_of(named | {"findings": [{**cured, "cures": 1}]}))
    for other in ({"findings": "none"}, {"findings": ["x", 1]}, {}):
        assert plan_of(other) == other
