"""The served page of a large report: a page of lines at a time, filtered, found and sorted over all of them.

Without Airflow: its guard and its database are in test_report_tab.py.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Route, expect

import report_samples as samples
import report_size
from app_server import serving
from kafka_ferry.core.checks import Report
from kafka_ferry.report import app as app_module
from kafka_ferry.report import run as run_module
from kafka_ferry.report.app import Known, find_run
from kafka_ferry.report.artifacts import REPORT, RunArtifacts
from kafka_ferry.report.pages import write_pages

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=\"document.title='taken'\">"
NARROW = (600, 900)


@dataclass
class Served:
    """``runs``: what is known of each DAG's run."""

    url: str
    runs: dict[str, Known]
    root: Path

    def add(self, name: str, report: Report, pages: bool = True) -> str:
        """Write a run's report; the address of its page."""
        artifacts = RunArtifacts(name, samples.RUN, str(self.root))
        report = report.model_copy(update={"dag_id": name})
        summary: dict[str, Any] = report.summary(artifacts.write_blocks(REPORT, report.blocks()))
        if pages:
            summary |= {"pages": write_pages(artifacts, report)}
        self.runs[name] = Known(artifacts, "failed", summary, {})
        return f"{self.url}/report/{name}/{samples.RUN.replace('+', '%2B')}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    guard = app_module._ALLOWED[0].dependency
    assert guard
    runs: dict[str, Known] = {}
    with serving({find_run: lambda dag_id, run_id: runs[dag_id], guard: lambda: None}) as url:
        yield Served(url, runs, tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def large(served: Served) -> str:
    """60 topics, 2,400 lines of groups."""
    return served.add("large", report_size.report(60, 40))


def cells(page: Page, column: int, table: str = "groups") -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        f"#{table} tbody tr", f"rows => rows.map(row => row.cells[{column}].innerText)"
    )
    return found


def pager(page: Page, text: str) -> None:
    for place in ("first", "last"):
        expect(getattr(page.locator("[data-pager=groups] span"), place)).to_have_text(text)


def step(page: Page, name: str) -> None:
    page.locator("[data-pager=groups]").last.get_by_role("button", name=name).click()


def test_all_lines_are_reached_a_page_at_a_time(open_page, large):
    watched = open_page()
    page = watched.page
    page.goto(large)
    expect(page.locator("[data-shown=groups]")).to_have_text("2,400 lines")
    pager(page, "1–100 of 2,400")
    assert cells(page, 8)[0] == "skips 7"
    assert page.locator("[data-pager=groups] [data-step='-1']").first.is_disabled()
    seen = cells(page, 0)
    for number in range(1, 24):
        step(page, "Next")
        pager(page, f"{100 * number + 1:,}–{100 * number + 100:,} of 2,400")
        seen += cells(page, 0)
    assert len(seen) == 2_400
    assert seen[1:] == sorted(seen[1:])
    assert page.locator("[data-pager=groups] [data-step='1']").last.is_disabled()
    step(page, "Previous")
    pager(page, "2,201–2,300 of 2,400")
    # Topics fit on one page: no pager.
    expect(page.locator("[data-pager=topics]").first).to_be_hidden()
    assert watched.errors == []


def test_what_failed_and_what_is_found_begin_on_their_first_page(open_page, large):
    watched = open_page()
    page = watched.page
    page.goto(large)
    for _ in range(3):
        step(page, "Next")
    pager(page, "301–400 of 2,400")
    asked = len(watched.requests)
    page.locator("[data-find=groups]").press_sequentially("ORDERS-001", delay=20)
    expect(page.locator("[data-shown=groups]")).to_have_text("400 of 2,400 lines")
    pager(page, "1–100 of 400")
    assert len([url for url in watched.requests[asked:] if "lines.json" in url]) == 1  # not one for each letter
    step(page, "Next")
    pager(page, "101–200 of 400")
    page.locator("[data-differences=groups]").click()
    expect(page.locator("[data-shown=groups]")).to_have_text("0 of 2,400 lines")
    page.locator("[data-find=groups]").fill("")
    expect(page.locator("[data-shown=groups]")).to_have_text("1 of 2,400 lines")
    assert cells(page, 8) == ["skips 7"]
    expect(page.locator("[data-pager=groups]").first).to_be_hidden()
    page.locator("[data-differences=groups]").click()
    pager(page, "1–100 of 2,400")
    # Three pages were turned at once: what was asked for the first two is given up.
    assert [error for error in watched.errors if "ERR_ABORTED" not in error] == []


def test_a_column_is_sorted_over_all_pages(open_page, large):
    page = open_page().page
    page.goto(large)
    head = page.locator("#groups th", has_text="Source offset")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#groups tbody tr").first.locator("td").nth(3)).to_have_text("939")
    assert set(cells(page, 4)) == {"939", "938"}
    step(page, "Next")
    pager(page, "101–200 of 2,400")
    assert set(cells(page, 4)) == {"938", "937", "936"}
    head.locator("button").click()
    pager(page, "1–100 of 2,400")
    assert set(cells(page, 4)) == {"900", "901"}


def test_an_answer_that_comes_late_is_not_shown(open_page, large):
    page = open_page().page
    page.goto(large)
    held: list[Route] = []
    page.route("**/lines.json?*find=billing-003*", lambda route: held.append(route))
    page.locator("[data-find=groups]").fill("billing-003")
    deadline = time.monotonic() + 20
    while not held:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    expect(page.locator("#groups")).to_have_attribute("aria-busy", "true")
    page.locator("[data-find=groups]").fill("billing-00")
    expect(page.locator("[data-shown=groups]")).to_have_text("600 of 2,400 lines")
    with contextlib.suppress(Error):  # the page has given it up
        held[0].continue_()
    page.wait_for_timeout(500)
    expect(page.locator("[data-shown=groups]")).to_have_text("600 of 2,400 lines")
    assert page.locator("#groups").get_attribute("aria-busy") is None


@pytest.mark.parametrize(("status", "said"), [(401, "The login has expired"), (503, "Not read (HTTP 503)")])
def test_what_cannot_be_asked_is_said_and_the_lines_stay(open_page, large, status, said):
    page = open_page().page
    page.goto(large)
    page.route("**/lines.json?*", lambda route: route.fulfill(status=status, body="{}"))
    step(page, "Next")
    expect(page.locator("[data-shown=groups]")).to_contain_text(said)
    assert len(cells(page, 0)) == 100
    page.unroute("**/lines.json?*")
    page.locator("[data-differences=groups]").click()
    expect(page.locator("[data-shown=groups]")).to_have_text("1 of 2,400 lines")


def test_on_a_narrow_page_each_cell_of_a_later_page_has_its_name(open_page, large):
    page = open_page(NARROW).page
    page.goto(large)
    step(page, "Next")
    pager(page, "101–200 of 2,400")
    heads = page.eval_on_selector_all("#groups tbody tr:last-child td", "cells => cells.map(one => one.dataset.head)")
    assert heads[:3] == ["Result", "Topic", "Partition"]
    expect(page.locator("#groups tbody tr").last.locator(".text")).to_be_hidden()  # it has no remark
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_a_name_on_a_later_page_does_nothing(open_page, served):
    lines = [samples.group(EVIL, i, topic=EVIL, detail=EVIL) for i in range(150)]
    address = served.add("nasty", samples.report([samples.topic(EVIL)], lines, []))
    watched = open_page()
    watched.page.goto(address)
    step(watched.page, "Next")
    pager(watched.page, "101–150 of 150")
    assert cells(watched.page, 0) == [EVIL] * 50
    watched.page.wait_for_timeout(200)
    assert watched.page.title().startswith("PASS")
    assert watched.errors == []


@pytest.mark.parametrize("limit", [10**9, 1_000], ids=["small", "large"])
def test_a_report_of_before_is_still_shown(open_page, served, monkeypatch, limit):
    monkeypatch.setattr(run_module, "LARGEST_REPORT", limit)
    watched = open_page()
    watched.page.goto(served.add("before", report_size.report(60, 40), pages=False))
    expect(watched.page.locator("h1")).to_have_text("FAIL")
    expect(watched.page.get_by_role("link", name="Download report.json")).to_be_visible()
    if limit == 1_000:
        expect(watched.page.locator("main")).to_contain_text("is of an earlier version")
        expect(watched.page.locator("#groups")).to_have_count(0)
    else:
        pager(watched.page, "1–100 of 2,400")
        step(watched.page, "Next")
        pager(watched.page, "101–200 of 2,400")
    assert watched.errors == []
