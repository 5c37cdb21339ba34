"""The page of all jobs as HTML: readable as it is served, and every name in it is text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from markupsafe import escape

from job_samples import DRY, FLIGHTS, MANY, NOW, named, run
from kafka_ferry.core.job_name import JobName
from kafka_ferry.core.plan import Kind
from kafka_ferry.report.job_list import KnownRun, Outcome, job_lines
from kafka_ferry.report.job_page import JobLinks, render_job_lines, render_jobs, row_of
from kafka_ferry.report.job_words import noun
from kafka_ferry.report.lines import Question

LINKS = JobLinks("/x/static", "/x/lines.json", "/x/report", "/dags", "plugin/tab")
EVIL = "<img src=x onerror=\"alert('a')\">"


def page(*runs: KnownRun, **more: Any) -> str:
    return render_jobs(job_lines(runs, NOW), LINKS, NOW, 30, **more)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\xa0", " ")


def test_a_line_says_it_all_without_a_script() -> None:
    html = page(
        run(1, "PASS", FLIGHTS.model_copy(update={"where": "s3://a/b"}), days=45, goes_on=True, left="skipped"),
        named(2, "wave-2", "FAIL", 2),
        named(3, "wave-3", state="running", days=0.5),
        run(4, job=DRY.model_copy(update={"name": "wave-4"}), state="success", days=1),
        run(5, "PASS", None, days=99),
    )
    said = text(html)
    assert "2 of 5 jobs need a look" in said
    assert "1 failed 1 not verified for 30 days 1 at work 1 keep running after their run 2 passed last" in said
    assert (
        "flights Migration · s3://a/b PASS 45 days ago – 45 days ago 2026-10-16 12:00 UTC yes since 2026-10-16 12:00 "
        "UTC mm2 1 run" in said
    )
    assert "wave-2 Migration FAIL 2 days ago – never – mm2 1 run" in said
    assert "wave-3 Migration – running 12 hours ago – – mm2 1 run" in said
    assert "wave-4 Migration – planned dry run, a day ago – – mm2 1 run" in said
    assert (
        "Runs without a name not begun yet, ended in their first task, or of before this page PASS 99 days ago" in said
    )
    assert html.index("wave-2") < html.index("flights") < html.index("wave-3") < html.index("wave-4")
    # A script of the page, and nothing inline.
    assert re.findall(r"<script[^>]*>", html) == ['<script src="/x/static/page.js">']
    assert " style=" not in html
    assert " on" not in "".join(re.findall(r"<[^>]+>", html))


def test_a_job_may_have_no_name_and_a_kind_of_a_later_version() -> None:
    said = text(page(run(1, "PASS", JobName(kind="ask", name="")), run(2, "PASS", JobName(kind="teleport", name="a"))))
    assert "by default Check of connections" in said
    assert "a teleport" in said


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_noun(kind: Kind) -> None:
    assert noun(kind.value)[0].isupper()


def test_a_line_leads_to_the_report_of_its_run() -> None:
    odd = KnownRun(1, "a dag", "manual__+1/ü?#", "success", NOW, FLIGHTS, Outcome("PASS", NOW))
    html = page(odd)
    assert '<a class="status pass" href="/x/report/a%20dag/manual__%2B1%2F%C3%BC%3F%23"' in html
    assert 'data-tab="/dags/a%20dag/runs/manual__%2B1%2F%C3%BC%3F%23/plugin/tab"' in html


def test_names_are_text() -> None:
    job = JobName(kind=EVIL, name=EVIL, where=EVIL)
    html = page(KnownRun(1, EVIL, EVIL, EVIL, NOW, job), named(2, EVIL + "\n\u202e", "PASS"))
    assert "<img" not in html
    whole = html.replace("<wbr>", "")
    assert str(escape("<img src=x")) in whole
    assert r"\u202e" in whole  # shown, not obeyed
    rows = render_job_lines(job_lines([named(2, EVIL, "PASS")], NOW), Question("jobs"), LINKS, NOW)
    assert "<img" not in rows["html"]
    assert (rows["found"], rows["lines"], rows["reach"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("only", "tone", "said"),
    [
        (run(1, "PASS"), "pass", "1 job None needs a look."),
        (run(1, "FAIL"), "fail", "1 of 1 job needs a look"),
        (run(1, "PASS", days=40, goes_on=True), "warn", "1 of 1 job needs a look"),
        (run(1, "PASS", days=40), "pass", "1 job None needs a look."),
    ],
)
def test_the_headline(only: KnownRun, tone: str, said: str) -> None:
    html = page(only)
    assert f'class="verdict {tone}"' in html
    assert said in text(html)


def test_without_a_run_it_says_what_to_do() -> None:
    said = text(page())
    assert "No runs yet There is no run of Kafka Ferry that you may read." in said
    assert "Dry run it only plans" in said
    assert "lacks the right to read the XComs" in said
    assert "<table" not in page()


def test_runs_that_were_not_looked_at_are_said() -> None:
    assert "only the youngest 20,000 were looked at. Fix: delete old runs" in text(page(*MANY, most=20_000))
    assert "looked at" not in text(page(*MANY))


def test_many_lines_are_pages_also_without_a_script() -> None:
    runs = [named(number, f"m-{number:03}", "PASS", days=number / 1_000) for number in range(250)]
    html = page(*runs)
    assert (html.count('<tr><th scope="row">'), 'data-total="250"' in html) == (100, True)
    assert re.findall(r'href="\?days=30&amp;start=(\d+)"', html) == ["0", "100", "200"]
    last = page(*runs, start=200)
    assert (last.count('<tr><th scope="row">'), "m-249" in last, 'data-start="200"' in last) == (50, True, True)
    assert "<noscript>" not in page(*runs[:100])


def test_a_clock_that_is_ahead_is_no_future() -> None:
    (line,) = job_lines([run(1, "PASS", days=-1)], NOW)
    verdict = row_of(line, LINKS, NOW).verdict
    assert verdict
    assert verdict.ago == "now"
    assert row_of(line, LINKS, NOW + timedelta(days=401)).passed.ago == "1 year, 35 days ago"  # type: ignore[union-attr]
