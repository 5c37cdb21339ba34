"""The page of all jobs in a browser: by itself with many jobs, and in a real Airflow, where not every user sees all."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from airflow_database import Database
from app_server import serving
from job_samples import FLIGHTS, named, run
from kafka_ferry.report.app import find_jobs
from kafka_ferry.report.job_list import KnownRun
from kafka_ferry.report.job_runs import KnownRuns

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
EVIL = "<img src=x onerror=\"document.title='taken'\">"
NARROW = (600, 900)


@pytest.fixture(scope="module")
def known() -> list[KnownRun]:
    return []


@pytest.fixture(scope="module")
def address(known: list[KnownRun]) -> Iterator[str]:
    with serving({find_jobs: lambda: KnownRuns(known)}) as url:
        yield f"{url}/"


@pytest.fixture
def many(known: list[KnownRun], address: str) -> str:
    """250 jobs: one failed, one keeps running, one has a name that is none."""
    now = datetime.now(UTC)
    known[:] = [named(number, f"wave-{number:03}", "PASS", number / 100, now=now) for number in range(247)]
    known += [
        named(300, "broken", "FAIL", 1, now=now),
        run(301, "PASS", FLIGHTS, days=99.5, goes_on=True, now=now),
        named(302, EVIL, state="running", now=now),
    ]
    return address


def names(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("#jobs tbody th", "cells => cells.map(cell => cell.innerText)")
    return [name.partition("\n")[0] for name in found]


def shown(page: Page, text: str) -> None:
    expect(page.locator("[data-shown=jobs]")).to_have_text(text)


def test_jobs_are_found_sorted_and_paged(open_page, many):
    watched = open_page()
    page = watched.page
    page.goto(many)
    expect(page.locator("h1")).to_have_text("2 of 250 jobs need a look")
    shown(page, "250 lines")
    assert names(page)[:3] == ["broken", "flights", EVIL]
    pager = page.locator("[data-pager=jobs]").first
    expect(pager.locator("span")).to_have_text("1–100 of 250")
    pager.get_by_role("button", name="Next").click()
    expect(pager.locator("span")).to_have_text("101–200 of 250")
    page.locator("[data-find=jobs]").fill("WAVE-24")
    shown(page, "7 of 250 lines")
    page.locator("[data-find=jobs]").fill("")
    page.locator("[data-differences=jobs]").click()
    shown(page, "2 of 250 lines")
    assert names(page) == ["broken", "flights"]
    page.locator("[data-find=jobs]").fill("wave")
    shown(page, "0 of 250 lines")
    page.locator("[data-find=jobs]").fill("")
    page.locator("[data-differences=jobs]").click()
    shown(page, "250 lines")
    page.locator("#jobs th", has_text="Last PASS").locator("button").click()
    # Behind two that never passed.
    expect(page.locator("#jobs tbody th").nth(2)).to_contain_text("flights")
    assert set(names(page)[:2]) == {"broken", EVIL}
    assert page.title().startswith("Kafka Ferry")
    assert [error for error in watched.errors if "ERR_ABORTED" not in error] == []


def test_none_needs_a_look(open_page, known, address):
    known[:] = [named(1, "a", "PASS", now=datetime.now(UTC))]
    page = open_page().page
    page.goto(address)
    page.locator("[data-differences=jobs]").click()
    shown(page, "none needs a look")


def test_days_are_chosen(open_page, many):
    page = open_page().page
    page.goto(many)
    page.get_by_role("link", name="90", exact=True).click()
    expect(page.locator("[aria-current]")).to_have_text("90")
    expect(page.locator(".verdict")).to_contain_text("no PASS for 90 days")
    page.locator("[data-find=jobs]").fill("flights")
    shown(page, "1 of 250 lines")
    expect(page.locator("#jobs .status.warn")).to_have_text("99 days ago")
    page.goto(f"{many}?days=100")
    expect(page.locator("[aria-current]")).to_have_text("100")
    expect(page.locator("h1")).to_have_text("1 of 250 jobs needs a look")


def test_a_line_leads_to_the_page_of_its_run(open_page, many):
    page = open_page().page
    page.goto(many)
    page.locator("#jobs tbody a").first.click()
    page.wait_for_url(re.compile(r"/kafka-ferry/report/mm2/run-300$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_narrow_page_shows_each_job_as_a_card(browser: Browser, many, theme, scripts):
    context = browser.new_context(
        viewport={"width": NARROW[0], "height": NARROW[1]}, color_scheme=theme, java_script_enabled=scripts
    )
    page = context.new_page()
    page.goto(many)
    row = page.locator("#jobs tbody tr").nth(1)
    expect(row).to_contain_text("flights")
    expect(row.locator("td[data-head='Last PASS']")).to_contain_text("99 days ago")
    expect(row.locator(".nothing")).to_be_hidden()
    box, last = row.bounding_box(), row.locator("td").last.bounding_box()
    assert box
    assert last
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= NARROW[0]
    assert last["x"] + last["width"] <= NARROW[0]
    if not scripts:
        page.locator(".pages").get_by_role("link", name="201", exact=True).click()
        expect(page.locator("#jobs tbody tr")).to_have_count(50)
    context.close()


def test_without_a_run_it_says_what_to_do(open_page, known, address):
    known.clear()
    watched = open_page()
    watched.page.goto(address)
    expect(watched.page.locator("h1")).to_have_text("No runs yet")
    expect(watched.page.get_by_text("trigger it: with Dry run")).to_be_visible()
    assert watched.errors == []


# --- in Airflow ---

USERS = {"boss": "admin", "reader": "viewer", "guest": ""}
PASSWORD = "for-tests-alone"
RUN = "manual__2026-11-30T08:00:00+00:00"


@dataclass
class Airflow:
    url: str

    def token(self, user: str) -> str:
        asked = {"username": user, "password": PASSWORD}
        answer = requests.post(f"{self.url}/auth/token", json=asked, timeout=60)
        return str(answer.json()["access_token"])

    def get(self, path: str, user: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        return requests.get(f"{self.url}{path}", headers=headers, timeout=60, allow_redirects=False)

    def open(self, page: Page, user: str) -> FrameLocator:
        """Log in as a user does, and choose the page in the navigation."""
        page.goto(f"{self.url}/auth/login/")
        page.locator("input[name=username]").fill(user)
        page.locator("input[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "login" not in url)
        page.locator("a[href$='/plugin/kafka_ferry_jobs']").click()
        return page.frame_locator("iframe")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Airflow's API server on a database with 10,000 runs; no scheduler, as nothing has to run."""
    home = tmp_path_factory.mktemp("airflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "passwords.json").write_text(json.dumps(dict.fromkeys(USERS, PASSWORD)))
    database = f"sqlite:///{home / 'airflow.db'}"
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(PROJECT / "tests" / "shared"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CORE__AUTH_MANAGER": "auth_by_dag.AuthByDag",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
        "AIRFLOW__API__SECRET_KEY": "x" * 64,
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
    }
    program = [str(Path(sys.executable).with_name("airflow"))]
    subprocess.run([*program, "db", "migrate"], env=environment, check=True, capture_output=True, timeout=300)
    fill(database)
    log = (home / "api-server.log").open("w")
    command = [*program, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    made = Airflow(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                if requests.get(f"{made.url}/api/v2/monitor/health", timeout=10).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.5)
            assert time.monotonic() < deadline, (home / "api-server.log").read_text()[-3_000:]
            assert server.poll() is None, (home / "api-server.log").read_text()[-3_000:]
        yield made
    finally:
        server.terminate()
        server.wait(60)
        log.close()


def fill(database: str) -> None:
    """A job each of a DAG that all may see and of one that they may not; and very many runs."""
    engine = create_engine(database)
    with Session(engine) as session:
        made = Database(session, datetime.now(UTC))
        for dag_id in ("mine", "theirs", "busy"):
            made.dag(dag_id)
        made.run("mine", RUN, FLIGHTS, "PASS", timedelta(days=3), goes_on=True, checks={"leftovers": "skipped"})
        made.run("theirs", RUN, FLIGHTS.model_copy(update={"name": "payroll"}), "FAIL", timedelta(days=1))
        for number in range(10_000):
            of = FLIGHTS.model_copy(update={"name": f"wave-{number % 50}"})
            made.run("busy", f"run-{number}", of, "PASS", timedelta(days=2, minutes=-number % 1_000))
        made.write()
    engine.dispose()


@pytest.mark.integration
def test_not_every_user_sees_every_job(airflow):
    for path in ("/kafka-ferry/", "/kafka-ferry/lines.json"):
        assert airflow.get(path).status_code == 401
        boss, reader, guest = (airflow.get(path, user) for user in USERS)
        assert (boss.status_code, "payroll" in boss.text, "flights" in boss.text) == (200, True, True)
        assert (reader.status_code, "payroll" in reader.text, "flights" in reader.text) == (200, False, True)
        assert "theirs" not in reader.text
        assert (guest.status_code, "flights" in guest.text, "payroll" in guest.text) == (200, False, False)
    found = {user: airflow.get("/kafka-ferry/lines.json", user).json()["lines"] for user in USERS}
    assert found == {"boss": 52, "reader": 51, "guest": 0}
    # As the page of a run decides.
    report = f"/kafka-ferry/report/{{}}/{urllib.parse.quote(RUN, safe='')}"
    assert airflow.get(report.format("theirs"), "reader").status_code == 403
    assert airflow.get(report.format("mine"), "reader").status_code == 200


@pytest.mark.integration
def test_ten_thousand_runs_are_a_page_in_a_second(airflow):
    token = airflow.token("boss")
    took = []
    for _ in range(5):
        answer = requests.get(f"{airflow.url}/kafka-ferry/", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        took.append(answer.elapsed.total_seconds())
    print(f"10,000 runs over HTTP: {min(took):.2f} s")
    assert "wave-49" in answer.text
    assert min(took) < 1


@pytest.mark.integration
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_navigation_has_it_and_it_looks_as_airflow_does(airflow, open_page, theme):
    watched = open_page(theme=theme)
    frame = airflow.open(watched.page, "reader")
    expect(frame.locator("html")).to_have_attribute("data-theme", theme)
    expect(frame.locator("h1")).to_have_text("51 jobs")
    frame.locator("[data-find=jobs]").fill("flights")
    expect(frame.locator("#jobs tbody tr")).to_have_count(1)
    expect(frame.locator("#jobs td[data-head='Keeps running']")).to_contain_text("yes")
    # Out of its frame, into the run's own tab in Airflow.
    frame.locator("#jobs tbody a").first.click()
    watched.page.wait_for_url(f"**/dags/mine/runs/{urllib.parse.quote(RUN, safe='')}/plugin/kafka_ferry")
    assert [error for error in watched.errors if "kafka-ferry" in error] == []
