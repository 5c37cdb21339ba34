"""The files behind a page: of one writing, whole, bounded; and reports of before, which have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import report_samples as samples
from kafka_ferry.core.checks import Check, GroupLine, Report, Status
from kafka_ferry.core.plan import Plan
from kafka_ferry.report import run as run_module
from kafka_ferry.report.artifacts import PAGES, PLAN, PROGRESS, REPORT, WATCHED, DamagedArtifact, RunArtifacts
from kafka_ferry.report.findings import FINDINGS
from kafka_ferry.report.lines import PAGE_LINES, TEXT, Answer, Question
from kafka_ferry.report.overview import DIFFERENCES, LISTED, overview_of
from kafka_ferry.report.page import Links, render_page
from kafka_ferry.report.pages import read_lines, write_pages
from kafka_ferry.report.run import RunData, read_run

LINKS = Links("/s", "/r/report.json", "/r/live.json", "/r/lines.json")


@pytest.fixture(params=["folder", "object store"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> RunArtifacts:
    root = f"file://{tmp_path}" if request.param == "object store" else str(tmp_path)
    return RunArtifacts(samples.DAG, samples.RUN, root)


def report(**other: Any) -> Report:
    found = samples.large().report
    assert found
    return found.model_copy(update=other)


def written(artifacts: RunArtifacts, made: Report) -> dict[str, Any]:
    """Write a report as its task does; the XCom."""
    path = artifacts.write_blocks(REPORT, made.blocks())
    return made.summary(path) | {"pages": write_pages(artifacts, made)}


def page(artifacts: RunArtifacts, summary: dict[str, Any]) -> tuple[RunData, str]:
    run = read_run(artifacts, "failed", summary)
    return run, render_page(run, LINKS, samples.START)


def file_of(artifacts: RunArtifacts, name: str) -> Path:
    return Path(artifacts.path(name).removeprefix("file://"))


def asked(artifacts: RunArtifacts, pages: object, question: Question) -> Answer:
    found = read_lines(artifacts, pages, question)
    assert found
    return found


def test_the_page_shows_the_worst_and_how_many_there_are(artifacts):
    artifacts.write_json(PLAN, samples.PLAN)
    for line in samples.progress(30):
        artifacts.append_line(PROGRESS, line)
    summary = written(artifacts, report())
    run, html = page(artifacts, summary)
    assert run.report
    assert len(run.report.topics) == len(run.report.groups) == PAGE_LINES
    assert html.count('<tr data-s="') == 2 * PAGE_LINES
    assert '<table id="groups" class="lines" data-lines="/r/lines.json" data-total="6000">' in html
    assert "Failed: content. Records: 1 lost." in html
    assert html.index("one is lost") < html.index("projects.team-0.events-0000")
    assert "and 800 more, in report.json" in html
    assert "1,000 differences" in html
    assert "wave-1" in html  # of the plan
    numbers = json.loads(html.split('id="charts">')[1].split("</script>")[0])
    assert len(numbers["progress"]["lag"]) == 30
    assert len(numbers["topics"]["labels"]) == 13


def test_report_json_is_whole_and_has_its_schema(artifacts):
    made = report(cutover={"a": [1]}, notes=["ü\n\u2028"])
    artifacts.write_blocks(REPORT, made.blocks())
    assert artifacts.read_json(REPORT) == made.to_json()
    assert artifacts.report_names() == (samples.DAG, samples.RUN)
    empty = report(topics=[], groups=[], checks=[], timeline=[])
    artifacts.write_blocks(REPORT, empty.blocks())
    assert artifacts.read_json(REPORT) == empty.to_json()


def test_lines_are_read_from_the_files(artifacts):
    summary = written(artifacts, report())
    found = asked(artifacts, summary["pages"], Question("groups", start=5_950))
    assert [line.group for line in found.page] == ["consumer-59"] * 50
    assert asked(artifacts, summary["pages"], Question("topics", only=True)).found == 1
    assert asked(artifacts, summary["pages"], Question("groups", find="consumer-7")).found == 100
    assert read_lines(artifacts, "0" * 16, Question("groups")) is None


def test_what_another_try_wrote_is_neither_shown_nor_kept(artifacts):
    first = written(artifacts, report())
    failed, _ = page(artifacts, first)
    assert failed.report
    second = written(artifacts, report(verdict="PASS", topics=[samples.topic("only")], groups=[]))
    assert {name.split(".")[0] for name in artifacts.names(PAGES)} == {f"{PAGES}/{second['pages']}"}
    run, html = page(artifacts, second)
    assert (run.report.verdict if run.report else "", run.overview.totals.topics if run.overview else 0) == ("PASS", 1)
    assert ">only<" in html
    # A page that was opened before asks for lines of before: there are none, rather than those of another report.
    assert read_lines(artifacts, first["pages"], Question("topics")) is None


def test_an_overview_beside_an_xcom_of_another_writing_is_not_taken(artifacts):
    written(artifacts, report())
    newer = report(verdict="PASS", topics=[samples.topic("only")], groups=[])
    # Its task was killed before it came to the pages, or is of a version that writes none.
    artifacts.write_blocks(REPORT, newer.blocks())
    for pages in ({}, {"pages": "0" * 16}, {"pages": "../../x"}, {"pages": ["a"]}, {"pages": None}):
        run, html = page(artifacts, newer.summary("x") | pages)
        assert run.overview is None
        assert run.report == newer
        assert "data-lines" not in html


def test_lines_without_their_overview_are_no_table(artifacts):
    summary = written(artifacts, report())
    artifacts.delete(f"{PAGES}/{summary['pages']}.overview.json")
    assert read_lines(artifacts, summary["pages"], Question("topics")) is None
    assert page(artifacts, summary)[0].overview is None


def test_an_overview_of_another_run_is_not_shown(artifacts):
    summary = written(artifacts, report(run_id="c_1"))
    run, html = page(artifacts, summary)
    assert (run.report, run.overview) == (None, None)
    assert "cannot be read" in html


@pytest.mark.parametrize("content", [b"", b"[1]\n", b'["half', b"x" * 300_000, b"\xff\n" * 99])
def test_lines_that_are_damaged_are_named_with_the_cure(artifacts, content):
    summary = written(artifacts, report())
    name = f"{PAGES}/{summary['pages']}.groups.jsonl"
    file_of(artifacts, name).write_bytes(content)
    for question in (Question("groups"), Question("groups", start=5_000), Question("groups", find="a")):
        with pytest.raises(DamagedArtifact, match=r"groups\.jsonl cannot be read.*Fix: clear the task report"):
            read_lines(artifacts, summary["pages"], question)
    file_of(artifacts, name).unlink()
    with pytest.raises(DamagedArtifact):
        read_lines(artifacts, summary["pages"], Question("groups"))


def test_a_damaged_overview_falls_back_to_the_report_and_is_named(artifacts):
    summary = written(artifacts, report(groups=[]))
    name = f"{PAGES}/{summary['pages']}.overview.json"
    for content in ("{", "[]", "{}", '{"schema": "of a later version"}'):
        file_of(artifacts, name).write_text(content)
        run, html = page(artifacts, summary)
        assert run.overview is None
        assert run.report
        assert ("overview.json" in html.replace("<wbr>", "")) == (content != "{}")
        if content != "{}":
            with pytest.raises(DamagedArtifact, match=r"overview\.json"):
                read_lines(artifacts, summary["pages"], Question("topics"))


def test_a_small_report_of_before_shows_all_its_lines(artifacts):
    made = report(groups=[samples.group(f"g-{i}", 0) for i in range(250)])
    artifacts.write_json(REPORT, made.to_json())  # as it was written before
    run, html = page(artifacts, made.summary("x"))
    assert run.report == made
    assert html.count('<tr data-s="') == 2_000 + 250
    assert "data-lines" not in html


def test_a_large_report_of_before_is_told_and_not_read(artifacts, monkeypatch):
    made = report()
    artifacts.write_json(REPORT, made.to_json())
    monkeypatch.setattr(run_module, "LARGEST_REPORT", 1_000)
    monkeypatch.setattr(RunArtifacts, "read_json", never_the_report(RunArtifacts.read_json))
    _, html = page(artifacts, made.summary("x"))
    for text in (
        "FAIL",
        "Failed: content.",
        "Download report.json",
        "is of an earlier version",
        "Fix: download",
        "see report.json",
    ):
        assert text in html
    assert "<table id=" not in html
    passed = made.model_copy(update={"verdict": "PASS", "checks": [Check(name="content", status=Status.PASS)]})
    _, html = page(artifacts, passed.summary("x"))
    assert "2,000 topics and 60 groups: what was proven of them is in report.json." in html
    assert "are the same" not in html
    # Of another run: nothing of it is told.
    artifacts.write_json(REPORT, made.model_copy(update={"run_id": "c_1"}).to_json())
    assert page(artifacts, made.summary("x"))[0].report is None
    # An XCom of any shape breaks no page.
    artifacts.write_json(REPORT, made.to_json())
    for odd in ({"checks": ["x"]}, {"checks": {"a": []}, "topics": "many", "failures": None}, {"checks": {"b": "odd"}}):
        assert "FAIL" in page(artifacts, {"verdict": "FAIL", **odd})[1]


def never_the_report(read: Any) -> Any:
    def guarded(self: RunArtifacts, name: str) -> Any:
        assert name != REPORT
        return read(self, name)

    return guarded


def test_an_overview_is_bounded_whatever_the_run_was():
    long = "ü" * 50_000
    checks = [Check(name=f"c{i}", status=Status.FAIL, detail=long, differences=[long] * 900) for i in range(14)]
    lines = [GroupLine.model_validate({**samples.group(long, 0).model_dump(), "detail": long})] * 3_000
    made = report(
        topics=[samples.topic(long, detail=long)] * 3_000, groups=lines, checks=checks,
        failures=[long] * 3_000, notes=[long] * 3_000,
        timeline=samples.stages(*[f"fingerprint[{i}]" for i in range(3_000)]),
    )  # fmt: skip
    found = {"severity": "warn", "code": long, "subject": long, "what": long, "fix": long, "more": {"x": [long] * 999}}
    plan = {"findings": [found] * 3_000, "notes": [long] * 3_000,
            "skipped_topics": {f"{long}{i}": long for i in range(300)},
            "archive": {"backup": long, "backup_id": long, "location": long,
                        **{str(i): [[[[[[[long]]]]]]] for i in range(999)}}}  # fmt: skip
    overview = overview_of(made, Plan.from_json(plan), samples.progress(20_000))
    assert len(overview.model_dump_json()) < 16_000_000
    assert overview.differences == [900] * 14
    assert {len(check.differences) for check in overview.report.checks} == {DIFFERENCES}
    assert max(len(line.detail) for line in overview.report.topics) == TEXT
    assert overview.report.failures[-1] == f"{3_000 - LISTED:,} more failures are in report.json"
    assert overview.findings
    assert len(overview.findings["lines"]) == FINDINGS
    assert overview.tables["groups"].lines == 3_000


def test_a_run_at_work_with_many_polls_reads_some_of_them(artifacts, monkeypatch):
    lines = samples.progress(20_000, converged=False)
    artifacts.write_text(PROGRESS, "".join(f"{json.dumps(line)}\n" for line in lines))
    looks = [{"at": line["at"], "behind": at, "seconds": 1.5} for at, line in enumerate(lines)]
    artifacts.write_text(WATCHED, "".join(f"{json.dumps(line)}\n" for line in looks))
    monkeypatch.setattr(RunArtifacts, "read_lines", None)
    run = read_run(artifacts, "running", None)
    assert len(run.watched) < 1_000
    assert (run.watched[0], run.watched[-1]) == (looks[0], looks[-1])
    assert len(run.progress) < 1_000
    assert (run.progress[0], run.progress[-1]) == (lines[0], lines[-1])
    assert "43.0 %" in render_page(run, LINKS, samples.START)
