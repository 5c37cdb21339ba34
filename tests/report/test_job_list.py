"""One line for each job: its last verdict, what came after it, what keeps running, what needs a look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from job_samples import DRY, FLIGHTS, MANY, NOW, named, run
from kafka_ferry.report.job_list import Attention, JobLine, KnownRun, job_lines, select
from kafka_ferry.report.lines import PAGE_LINES, Question


def line(*runs: KnownRun, scheduled: bool = False, days: int = 30) -> JobLine:
    first, *others = runs
    (found,) = job_lines([replace(first, by_itself=scheduled), *others], NOW, days)
    return found


def number(of: KnownRun | None) -> int | None:
    return of.number if of else None


def test_a_job_is_a_line_whatever_the_number_of_its_runs() -> None:
    found = line(run(1, "PASS", days=9), run(3, "FAIL", days=1), run(2, "PASS", days=4))
    assert (found.runs, found.verdict, number(found.latest), number(found.passed)) == (3, "FAIL", 3, 2)
    assert (found.now, found.newest, found.attention) == ("", None, Attention.FAILED)


def test_names_places_kinds_and_dags_are_jobs_of_their_own() -> None:
    jobs = [
        FLIGHTS,
        FLIGHTS.model_copy(update={"name": "orders"}),
        FLIGHTS.model_copy(update={"kind": "stream"}),
        FLIGHTS.model_copy(update={"where": "s3://a/b"}),
        None,
    ]
    runs = [run(number, "PASS", job) for number, job in enumerate(jobs)]
    other = KnownRun(9, "own_dag", "r", "success", NOW, FLIGHTS)
    assert len(job_lines([*runs, other, run(10, "FAIL", DRY)], NOW)) == 6


def test_the_last_verdict_is_the_last_that_was_told_also_of_a_cleared_run() -> None:
    found = line(run(1, "PASS", days=0), run(2, "FAIL", days=3))
    assert (found.verdict, number(found.latest), found.attention) == ("PASS", 1, Attention.NONE)


@pytest.mark.parametrize(
    ("state", "now"), [("running", "running"), ("queued", "queued"), ("failed", "failed"), ("success", "no report")]
)
def test_what_came_after_the_verdict(state: str, now: str) -> None:
    found = line(run(1, "PASS", days=3), run(2, state=state))
    assert (found.verdict, found.now, number(found.newest)) == ("PASS", now, 2)
    assert found.attention is (Attention.FAILED if state == "failed" else Attention.NONE)
    # What was before it is history, but for a run that was cleared and works again.
    before = line(run(1, state=state, days=4), run(2, "PASS", days=3))
    assert before.now == (now if state in ("running", "queued") else "")


def test_a_run_that_has_its_report_and_works_again_is_at_work() -> None:
    found = line(run(1, "PASS", days=3, state="running"))
    assert (found.verdict, found.now) == ("PASS", "running")


def test_a_dry_run_gives_no_verdict() -> None:
    found = line(run(1, "PASS", days=3), run(2, "FAIL", DRY))
    assert (found.verdict, found.now, found.attention) == ("PASS", "failed", Attention.NONE)
    found = line(run(1, job=DRY, state="success"))
    assert (found.verdict, found.now, found.stale, found.attention) == ("", "planned", False, Attention.NONE)


def test_what_keeps_running_does_until_a_run_that_took_it_away() -> None:
    left_it = run(1, "PASS", days=9, goes_on=True, left="skipped")
    assert number(line(left_it).kept) == 1
    # A run that was refused, or whose end nobody knows, took nothing away.
    later = line(left_it, run(2, "FAIL", days=3, left="skipped"), run(3, state="running"))
    assert number(later.kept) == 1
    gone = line(left_it, run(2, "PASS", days=3, left="pass"))
    assert (gone.kept, gone.left) == (None, None)
    again = line(left_it, run(2, "PASS", days=3, left="pass"), run(3, "PASS", days=2, goes_on=True, left="skipped"))
    assert number(again.kept) == 3
    failed = line(left_it, run(2, "FAIL", days=3, left="fail"))
    assert (failed.kept, number(failed.left)) == (None, 2)


def test_a_replication_that_a_cutover_stopped_does_not_keep_running() -> None:
    def cutover(days: float, *stopped: str) -> KnownRun:
        wave = FLIGHTS.model_copy(update={"kind": "cutover", "name": "wave-1"})
        return replace(run(8, "PASS", wave, days=days, stopped=stopped), dag_id="cutover")

    def migration(*runs: KnownRun) -> JobLine:
        return next(one for one in job_lines(runs, NOW) if one.dag_id == "mm2")

    left_it = run(1, "PASS", days=9, goes_on=True, left="skipped")
    found = migration(left_it, cutover(3, "mm2.flights.MirrorSourceConnector"))
    assert (found.kept, number(found.stopped)) == (None, 8)
    for other in (cutover(3), cutover(3, "mm2.flights2.MirrorSourceConnector"),
                  cutover(12, "mm2.flights.MirrorSourceConnector")):  # fmt: skip
        found = migration(left_it, other)
        assert (number(found.kept), found.stopped) == (1, None)
    again = run(9, "PASS", days=2, goes_on=True, left="skipped")
    assert number(migration(left_it, cutover(3, "mm2.flights.MirrorSourceConnector"), again).kept) == 9


@pytest.mark.parametrize(
    ("found", "stale", "attention"),
    [
        (line(run(1, "PASS", days=29, goes_on=True)), False, Attention.NONE),
        (line(run(1, "PASS", days=31, goes_on=True)), True, Attention.STALE),
        (line(run(1, "PASS", days=8, goes_on=True), days=7), True, Attention.STALE),
        (line(run(1, "PASS", days=31), scheduled=True), True, Attention.STALE),
        (line(run(1, "PASS", days=31)), True, Attention.NONE),  # it is over
        (line(run(1, "PASS", days=31, goes_on=True), run(2, "FAIL", days=1)), True, Attention.FAILED),
        (line(run(1, state="success", days=1), scheduled=True), True, Attention.STALE),  # never
        (line(run(1, state="running"), scheduled=True), False, Attention.NONE),  # its first run
        (line(run(1, "PASS", None, days=31), scheduled=True), True, Attention.NONE),  # of before
    ],
)
def test_what_was_not_verified_for_long(found: JobLine, stale: bool, attention: Attention) -> None:
    assert (found.stale, found.attention) == (stale, attention)


def names(lines: Any) -> list[str]:
    return [one.job.name for one in lines]


def test_what_needs_a_look_comes_first_then_what_works_then_the_youngest() -> None:
    assert names(job_lines(MANY, NOW)) == ["broken", "stale", "working", "young", "old"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question("jobs", find=" YOUN "), ["young"]),
        (Question("jobs", find="migration"), ["broken", "stale", "working", "young", "old"]),
        (Question("jobs", find="fail"), ["broken"]),
        (Question("jobs", find="running"), ["working"]),
        (Question("jobs", only=True), ["broken", "stale"]),
        (Question("jobs", find="old", only=True), []),
        (Question("jobs", sort=0), ["broken", "old", "stale", "working", "young"]),
        (Question("jobs", sort=0, down=True), ["young", "working", "stale", "old", "broken"]),
        (Question("jobs", sort=3, down=True), ["young", "old", "stale", "broken", "working"]),
        (Question("jobs", sort=4, down=True), ["stale", "broken", "working", "young", "old"]),
        (Question("jobs", sort=8), ["stale", "broken", "old", "young", "working"]),  # more columns have other tables
    ],
)
def test_lines_are_found_and_sorted(question: Question, expected: list[str]) -> None:
    found = select(job_lines(MANY, NOW), question)
    assert (names(found.page), found.found, found.lines) == (expected, len(expected), 5)


def test_a_page_at_a_time() -> None:
    lines = job_lines([named(number, f"m-{number}", "PASS") for number in range(250)], NOW)
    last = select(lines, Question("jobs", start=200, sort=0))
    assert (names(last.page)[0], len(last.page), last.found, last.reach) == ("m-200", 50, 250, 250)
    assert len(select(lines, Question("jobs")).page) == PAGE_LINES
    assert select(lines, Question("jobs", start=10**9)).page == []
