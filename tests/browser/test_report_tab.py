"""The tab "Kafka Ferry" of a run in a real Airflow: login, live while the run works, verdict when it has ended.

The DAG here stands in for a migration: it writes what a migration writes, one piece when it is told to. So the page is
seen in each state without waiting for Kafka.
"""

from __future__ import annotations

import json
import os
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import FrameLocator, Page, expect

import report_samples as samples
from demo.airflow_api import AirflowApi
from kafka_ferry.report.artifacts import PROGRESS, REPORT, RunArtifacts
from kafka_ferry.report.pages import write_pages
from stack import Stack, env
from stack.jars import cache_folder
from stack.stack import PROJECT
from stack.state import State

pytestmark = [pytest.mark.browser, pytest.mark.integration]

USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
#: More users: a role that may read every DAG, and none at all. SimpleAuthManager knows no rights on single DAGs;
#: that the page asks for the right on its own DAG is tested in tests/report/test_app.py.
ROLES = {"reader": "viewer", "guest": ""}
DAG, RUN = samples.DAG, "tab:1+1~x"  # what Airflow allows in a run id and an address does not
LINES = "/lines.json?table=topics"
FILE = f"""
import json
import time
from pathlib import Path
from airflow.sdk import dag, get_current_context, task
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

@dag(schedule=None, params=params_of(MigrationSpec))
def {DAG}():
    @task
    def report(gate):
        while not Path(gate).exists():
            time.sleep(0.2)
        get_current_context()["ti"].xcom_push(key="report", value=json.loads(Path(gate).read_text()))
    report("GATE")

{DAG}()
"""


@dataclass
class Tab:
    """Airflow with one run at work. ``end()`` lets it finish with a report."""

    url: str
    api: AirflowApi
    login: tuple[str, str]
    artifacts: RunArtifacts
    gate: Path

    @property
    def address(self) -> str:
        """Of the page itself, outside Airflow's frame."""
        return f"{self.url}/kafka-ferry/report/{DAG}/{urllib.parse.quote(RUN, safe='')}"

    def end(self) -> None:
        report = samples.passed().report
        assert report
        report = report.model_copy(update={"run_id": RUN})
        path = self.artifacts.write_blocks(REPORT, report.blocks())
        summary = report.summary(path) | {"pages": write_pages(self.artifacts, report)}
        ready = self.gate.with_suffix(".new")
        ready.write_text(json.dumps(summary))
        ready.replace(self.gate)

    def open(self, page: Page) -> FrameLocator:
        """Log in as a user does, go to the run and to its tab."""
        page.goto(f"{self.url}/auth/login/")
        page.locator("input[name=username]").fill(self.login[0])
        page.locator("input[name=password]").fill(self.login[1])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "login" not in url)
        page.goto(f"{self.url}/dags/{DAG}/runs/{urllib.parse.quote(RUN, safe='')}")
        page.locator("a[href$='/plugin/kafka_ferry']").click()  # not that of all jobs
        return page.frame_locator("iframe")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with pytest.MonkeyPatch.context() as patch:
        server = env._airflow_server

        def with_users(folder: Path, state: State) -> dict[str, str]:
            values = server(folder, state)
            more = ",".join(f"{name}:{role}" for name, role in ROLES.items())
            return values | {USERS: f"{values[USERS]},{more}"}

        patch.setattr(env, "_airflow_server", with_users)
        yield from running_airflow(tmp_path_factory)


def running_airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    project = tmp_path_factory.mktemp("project")
    gate = project / "gate"
    (project / "dags").mkdir()
    (project / "dags" / "stand_in.py").write_text(FILE.replace("GATE", str(gate)))
    (project / "plugins").symlink_to(PROJECT / "plugins")
    os.environ["FERRY_CACHE"] = str(cache_folder(PROJECT))
    stack = Stack(project / "stack", airflow=True, owner_pid=os.getpid(), report=print, project=project)
    try:
        stack.up()
        values = stack.variables()
        login = (values["FERRY_AIRFLOW_USER"], values["FERRY_AIRFLOW_PASSWORD"])
        passwords = Path(values["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])  # read at each login
        passwords.write_text(json.dumps({login[0]: login[1], **dict.fromkeys(ROLES, login[1])}))
        api = AirflowApi(values["FERRY_AIRFLOW_URL"], *login)
        deadline = time.monotonic() + 90
        while not api.dag_is_known(DAG):
            assert time.monotonic() < deadline, api.import_errors()
            time.sleep(0.5)
        artifacts = RunArtifacts(DAG, RUN, values["FERRY_ARTIFACTS"])
        for line in samples.progress(40, converged=False):
            artifacts.append_line(PROGRESS, line)
        api.trigger(DAG, RUN, {"topics": ["orders"]})
        yield Tab(api.url, api, login, artifacts, gate)
    finally:
        del os.environ["FERRY_CACHE"]
        gate.touch()
        stack.down()


def get(address: str, token: str | None = None) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return session.get(address, headers=headers, timeout=60, allow_redirects=False)


def test_without_login_nothing_is_told(tab):
    for end in ("", "/live.json", "/report.json", LINES):
        assert get(tab.address + end).status_code == 401
    # Nor whether a run exists.
    assert get(f"{tab.url}/kafka-ferry/report/{DAG}/no-such-run").status_code == 401
    assert get(tab.address, token="made-up").status_code in (401, 403)


def log_in(tab: Tab, user: str) -> str:
    """A token, as the login page gives it."""
    answer = requests.post(f"{tab.url}/auth/token", json={"username": user, "password": tab.login[1]}, timeout=60)
    token: str = answer.json()["access_token"]
    return token


def test_a_user_without_access_to_the_dag_is_refused(tab):
    guest, reader = log_in(tab, "guest"), log_in(tab, "reader")
    for end in ("", "/live.json"):
        assert get(tab.address + end, guest).status_code == 403
        assert get(tab.address + end, reader).status_code == 200
    for end in ("/report.json", LINES):
        refused = get(tab.address + end, guest)
        assert (refused.status_code, refused.json()) == (403, {"detail": "Forbidden"})
    assert get(tab.address + LINES, reader).status_code == 404  # the run still works
    # Nor is told whether a run exists.
    assert get(f"{tab.url}/kafka-ferry/report/{DAG}/no-such-run", guest).status_code == 403
    assert get(f"{tab.url}/kafka-ferry/report/{DAG}/no-such-run", reader).status_code == 404


def test_a_run_that_is_not_there_is_404(tab):
    token = log_in(tab, tab.login[0])
    assert get(f"{tab.url}/kafka-ferry/report/{DAG}/no-such-run", token).status_code == 404
    assert get(f"{tab.url}/kafka-ferry/report/no_such_dag/{RUN}", token).status_code in (403, 404)
    page = get(tab.address, token)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_user_reads_the_trigger_form_and_types_a_topic_of_their_own(tab, open_page):
    page = open_page((1200, 1100)).page
    tab.open(page)
    page.goto(f"{tab.url}/dags/{DAG}")
    page.get_by_role("button", name="Trigger").first.click()
    topics = page.locator("[name=element_topics]")
    expect(topics).to_be_visible()  # what a user must set is open, not folded away
    topics.fill("my-own.topic\nanother")
    expect(topics).to_have_value("my-own.topic\nanother")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tab_looks_as_airflow_does(tab, open_page, theme):
    watched = open_page(theme=theme)
    frame = tab.open(watched.page)
    expect(frame.locator("html")).to_have_attribute("data-theme", theme)
    expect(frame.locator("h1")).to_be_visible()
    assert [error for error in watched.errors if "kafka-ferry" in error] == []


def test_the_tab_follows_the_run_to_its_verdict(tab, open_page):
    watched = open_page()
    frame = tab.open(watched.page)
    expect(frame.locator("h1")).to_have_text("RUNNING")
    expect(frame.locator(".percent")).to_contain_text("43.0 %")

    line = samples.progress(2)[-1] | {"offsets": 870_000, "converged": False}
    tab.artifacts.append_line(PROGRESS, line)
    expect(frame.locator(".percent")).to_contain_text("87.0 %", timeout=15_000)

    tab.end()
    expect(frame.locator("h1")).to_have_text("PASS", timeout=60_000)
    expect(frame.locator("#topics tbody tr")).to_have_count(9)
    with watched.page.expect_download() as download:
        frame.get_by_role("link", name="Download report.json").click()
    assert json.loads(Path(download.value.path()).read_text())["verdict"] == "PASS"
    assert get(tab.address + LINES, log_in(tab, "reader")).json()["found"] == 9

    asked = len(watched.requests)
    watched.page.wait_for_timeout(7000)
    assert not [url for url in watched.requests[asked:] if "live.json" in url], "it still asks for news"
    assert [error for error in watched.errors if "kafka-ferry" in error] == []
