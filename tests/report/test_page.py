"""The report page as text: what it says of each kind of run, that nothing of the data becomes markup, and its size."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import report_kinds as kinds
import report_samples as samples
from kafka_ferry.core.checks import CHECKS, Check, Stage, Status
from kafka_ferry.core.plan import Plan
from kafka_ferry.jobs.migration.rules.groups_plan import group_lines, groups_in_plan
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.report.artifacts import PAGE, PLAN, PROGRESS, REPORT, STAGES, RunArtifacts
from kafka_ferry.report.build import report_text
from kafka_ferry.report.job_words import question
from kafka_ferry.report.page import STATIC, Links, prose, render_file, render_live, render_page, write_page
from kafka_ferry.report.run import RunData, read_run

LINKS = Links(static="/kafka-ferry/static", report="/kafka-ferry/r/report.json", live="/kafka-ferry/r/live.json")
EVIL = "<script>alert('x')</script>"


class Parsed(HTMLParser):
    """The page as a browser sees it: tags with attributes, and the text outside scripts and style."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._raw = "", False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "wbr":  # a place where a name may break is no space
            self.text = self.text.removesuffix(" ")
            return
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data + " "

    def attributes(self, *names: str) -> list[str]:
        return [value or "" for _, attrs in self.tags for name, value in attrs.items() if name in names]

    def rows(self) -> int:
        return sum(tag == "tr" for tag, _ in self.tags)


def served(run: RunData) -> Parsed:
    return Parsed(render_page(run, LINKS, samples.START))


def test_a_proven_run_says_so_first():
    page = served(samples.passed())
    assert page.text.split(" Download")[0].endswith(
        "PASS 45,000 records in 9 topics were read on both sides and are the same. 3 passed 12 not made"
    )
    assert "billing-7" in page.text
    assert ("a", {"class": "button", "href": LINKS.report, "download": None}) in page.tags


def test_counts_alone_are_not_called_content():
    run = samples.passed()
    assert run.report
    for check in run.report.checks:
        if check.name == "content":
            check.status = Status.SKIPPED
    text = served(run).text
    assert "were counted on both sides. Their contents were not compared." in text
    assert "are the same." not in text


def test_a_failed_run_names_each_difference_and_counts_them():
    page = served(samples.failed())
    assert "FAIL Failed: content, group offsets. Records: 1 lost, 1 duplicated." in page.text
    assert "orders-3: offset 417 of the source is lost" in page.text
    # What failed stands first in its table.
    assert page.text.index("orders-3: 2") < page.text.index("fine-0")
    assert page.text.index("skips 7") < page.text.index("billing pass")


def test_a_run_at_work_shows_how_far_it_is():
    page = served(samples.running())
    assert "RUNNING Now: wait until converged." in page.text
    for text in ("43.0 %", "430,000 of 1,000,000", "12 of 27", "31,250 offsets/s", "1 min 35 s", "orders.v2"):
        assert text in page.text
    assert dict(page.tags)["body"] == {"data-live": LINKS.live}
    assert "Download" not in page.text


@pytest.mark.parametrize(
    ("noted", "tasks", "now"),
    [
        (["canary"], {"canary": "running"}, "Now: canary."),
        # Both are at work: the wait has a note of its own, the canary's process has just begun.
        (["wait_until_converged"], {"wait_until_converged": "deferred", "canary": "running"},
         "Now: wait until converged, canary."),
        # A note of an earlier try, and a task that waits for its next one.
        (["deploy"], {"deploy": "up_for_retry"}, "Between two stages."),
        ([], {"plan": "queued"}, "It has not started yet."),
        ([f"export[{i}]" for i in range(6)], {}, "Now: export[0], export[1], export[2], export[3] …."),
    ],
)  # fmt: skip
def test_all_that_is_at_work_is_told(noted, tasks, now):
    stages = [Stage(stage=name, started=samples.at(9), state="running") for name in noted]
    run = replace(samples.running(), stages=stages, tasks=tasks)
    assert f"RUNNING {now} " in served(run).text


@pytest.mark.parametrize(
    ("line", "rate"),
    [
        ({"offsets": 10, "offsets_per_second": None}, "Rate unknown yet"),
        ({"offsets": 10, "offsets_per_second": 0.0}, "Rate 0 offsets/s"),
        ({"offsets": 1_000_000, "offsets_per_second": None}, ""),  # all is there: nobody waits for a rate
        ({"offsets": 1_000_000, "offsets_per_second": 31_250.0}, "Rate 31,250 offsets/s"),
    ],
)
def test_a_rate_is_told_while_it_says_something(line, rate):
    polls = [samples.progress(2, converged=False)[0] | line]
    text = served(replace(samples.running(), progress=polls)).text
    assert (rate in text) if rate else ("Rate" not in text)


@pytest.mark.parametrize(
    ("page", "planned"),
    [
        ("connect_running", "at most 10,440 records, about 1.3 MB, in 4 topics"),
        ("backup_dry", "at most 10,440 records, about 835.2 kB (1 topic of unknown size left out), in 4 topics"),
        ("stream_dry", "about 10,440 rows in 4 tables"),
    ],
)
def test_a_plan_tells_how_much_there_is(page, planned):
    assert f"Planned {planned} " in served(kinds.PAGES[page]()).text.replace("\u00a0", " ")


@pytest.mark.parametrize("lacking", ["partitions", "records", "bytes"])
@pytest.mark.parametrize("page", ["connect_running", "clusters_running", "backup_dry"])
def test_a_plan_of_another_version_is_shown_as_far_as_it_goes(page, lacking):
    run = kinds.PAGES[page]()
    plan = run.plan.to_json()
    plan["topics"] = [{key: value for key, value in line.items() if key != lacking} for line in plan["topics"]]
    assert "shop.payments_avro" in served(replace(run, plan=Plan.from_json(plan))).text


@pytest.mark.parametrize("page", kinds.PAGES)
def test_every_kind_of_page_is_served_and_saved(page):
    run = kinds.PAGES[page]()
    assert "<h1>" in render_page(run, LINKS)
    assert "<h1>" in render_file(run)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("took 38 s for 1.5 MB", "took 38\u00a0s for 1.5\u00a0MB"),
        ("7 sinks, 3 small", "7 sinks, 3 small"),
        ("a short.name", "a short.name"),
        ("see mirror_maker2_on_connect.live.MirrorSourceConnector",
         "see mirror_<wbr>maker2_<wbr>on_<wbr>connect.<wbr>live.<wbr>MirrorSourceConnector"),
        ("User:CN=billing.prod.example.org,OU=Payments", "User:<wbr>CN=<wbr>billing.<wbr>prod.<wbr>example.<wbr>org,"
         "<wbr>OU=<wbr>Payments"),
        ("<b>", "&lt;b&gt;"),
        ("at 2026-11-30T20:12:31.737+00:00, or (2026-11-30 20:12:31 UTC)",
         "at <time>2026-11-30T20:12:31.737+00:00</time>, or (<time>2026-11-30 20:12:31 UTC</time>)"),
    ],
)  # fmt: skip
def test_a_sentence_breaks_where_it_can_be_read(text, html):
    assert prose(text) == html


def test_a_run_that_has_ended_asks_for_no_news():
    for run in (samples.passed(), samples.failed(), samples.broken_early()):
        assert dict(served(run).tags)["body"] == {"data-live": ""}


def test_a_run_that_broke_before_its_report_shows_the_stage_and_its_error():
    text = served(samples.broken_early()).text
    assert "NO VERDICT" in text
    assert "provision_topics: orders-0: no leader found. Fix: see the broker's log" in text
    assert "provision_topics failed" in text


def test_a_stage_whose_process_was_killed_is_not_called_running():
    killed = Stage(stage="fingerprint[2]", started=samples.at(30), state="running")
    run = replace(samples.running(), stages=[*samples.stages("plan"), killed], tasks={"fingerprint[2]": "failed"})
    assert "fingerprint[2] failed" in served(run).text
    run = replace(run, state="failed", tasks={})
    assert "fingerprint[2]: ended without a message" in served(run).text


def test_a_task_that_will_run_again_is_not_called_done():
    run = replace(samples.running(), tasks={"deploy": "queued"})
    assert "deploy waiting" in served(run).text


def test_a_dry_run_has_no_verdict():
    run = replace(samples.broken_early(), state="success", stages=samples.stages("plan"))
    run = replace(run, plan=Plan.from_json({**samples.PLAN, "spec": {"dry_run": True}}))
    text = served(run).text
    assert "PLANNED A dry run: nothing was changed, nothing was compared." in text
    assert "'nothing' matches nothing on the source" in text


def test_a_dry_run_lists_what_it_would_change():
    change = {"action": "create", "kind": "topic", "name": "orders", "detail": "6 partitions"}
    plan = {**samples.PLAN, "spec": {"dry_run": True}, "changes": [change]}
    run = replace(samples.broken_early(), state="success", stages=samples.stages("plan"), plan=Plan.from_json(plan))
    assert "Changes that would be made" in served(run).text
    assert "orders create topic 6 partitions" in served(run).text
    assert "None: everything is up to date" in served(replace(run, plan=Plan.from_json({**plan, "changes": []}))).text


def test_a_refused_plan_says_that_nothing_was_changed_and_folds_the_checks():
    said = "plan: param 'topics': nothing on the source matches. Fix: look"
    report = samples.report([], [], [], verdict="FAIL", failures=[said], timeline=samples.stages("plan", broken="plan"))
    page = served(replace(samples.broken_early(), report=report))
    assert "FAIL The plan refused it: nothing was changed." in page.text
    assert said in page.text
    assert "None was made: the run ended with its plan." in page.text
    assert "Is every selected topic on the target?" not in page.text
    assert "refused by the plan: nothing was changed" in report_text(report)
    went_on = report.model_copy(update={"timeline": samples.stages("plan", "deploy", broken="plan")})
    assert "nothing was changed" not in served(replace(samples.broken_early(), report=went_on)).text


def test_a_run_of_another_dag_has_nothing_to_show():
    assert "NO REPORT" in served(RunData("other", "run", "success")).text


def test_a_report_on_a_host_that_cannot_be_read_still_gives_its_verdict():
    summary = {"verdict": "FAIL", "failures": ["validate: broke"], "path": "/elsewhere/report.json"}
    text = served(RunData("d", "r", "failed", summary=summary)).text
    assert "FAIL The full report cannot be read from the API server: /elsewhere/report.json." in text
    assert "validate: broke" in text


@pytest.mark.parametrize("render", [lambda run: render_page(run, LINKS), render_file], ids=["served", "file"])
@pytest.mark.parametrize("run", [samples.failed(EVIL), samples.broken_early(EVIL)], ids=["report", "stage"])
def test_data_never_becomes_markup(run, render):
    html = render(run)
    assert EVIL not in html
    assert "alert" not in "".join(str(attrs) for tag, attrs in Parsed(html).tags)
    assert EVIL in Parsed(html).text  # shown, as text
    scripts = [attrs for tag, attrs in Parsed(html).tags if tag == "script"]
    assert len(scripts) == 3  # the numbers of the plots, Chart.js, ours


def test_news_are_escaped_too():
    news = render_live(samples.broken_early(EVIL))
    assert EVIL not in news["html"]
    assert "&lt;script&gt;" in news["html"]


def test_numbers_of_the_plots_cannot_close_their_script():
    html = render_page(samples.failed("</script><img src=x>"), LINKS)
    numbers = re.search(r'<script type="application/json" id="charts">(.*?)</script>', html)
    assert numbers
    assert "</script><img src=x>" in json.loads(numbers[1])["topics"]["labels"]
    assert "img" not in [tag for tag, _ in Parsed(html).tags]


def test_the_file_runs_its_own_scripts_and_reaches_nothing():
    html = render_file(samples.passed())
    page = Parsed(html)
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    assert "unsafe" not in policy
    for text in (re.search(r"<style>(.*?)</style>", html, re.S), *re.finditer(r"<script>(.*?)</script>", html, re.S)):
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert set(page.attributes("src", "href")) == {"report.json", "data:,"}
    assert not [attrs for _, attrs in page.tags if "style" in attrs]


def test_the_served_page_refers_to_its_own_host_only():
    addresses = served(samples.passed()).attributes("src", "href", "data-live")
    assert all(address.startswith("/kafka-ferry/") or address in ("", "data:,") for address in addresses)
    assert not [attrs for _, attrs in served(samples.passed()).tags if "style" in attrs or "onclick" in attrs]


def test_two_thousand_topics_stay_small():
    run = samples.large()
    html = render_file(run)
    assert len(html) < 2_500_000
    assert Parsed(html).rows() > 2000 + 5000
    assert "1,000 more lines are in report.json." in html
    assert "and 800 more, in report.json" in html
    at_work = render_file(replace(run, report=None, state="running"))
    assert len(at_work) < 300_000  # 20,000 polls are thinned to the points of a plot


def test_every_check_of_the_checklist_has_its_question():
    report = samples.passed().report
    assert report
    assert [name for name in CHECKS if not question(report, name).endswith("?")] == []


def test_the_library_is_what_its_makers_published():
    digest = hashlib.sha256((STATIC / "chart.umd.min.js").read_bytes()).hexdigest()
    assert digest == "87364cc2b2a76a6684929e7d6b80b18a897794db38400caff1fcf1791c6925d2"
    assert "MIT License" in (STATIC / "chart.LICENSE.md").read_text()


def test_the_page_lies_beside_the_report(tmp_path):
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    for line in samples.progress(30):
        artifacts.append_line(PROGRESS, line)
    run = samples.passed()
    assert run.report
    path = write_page(artifacts, run.report)
    assert path == artifacts.path(PAGE)
    html = Path(path).read_text(encoding="utf-8")
    assert ">PASS<" in html
    numbers: dict[str, Any] = json.loads(html.split('id="charts">')[1].split("</script>")[0])
    assert len(numbers["progress"]["lag"]) == 30


def test_a_report_of_an_earlier_try_is_not_shown(tmp_path):
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    report = samples.passed().report
    assert report
    artifacts.write_json(REPORT, report.to_json())
    artifacts.write_json(f"{STAGES}/plan.json", samples.stages("plan")[0].model_dump() | {"try_number": 2})
    assert read_run(artifacts, "running", summary=None).report is None
    known = read_run(artifacts, "success", summary=samples.SUMMARY)
    assert known.report == report
    assert [stage.stage for stage in known.stages] == ["plan"]


def test_a_report_of_another_run_is_not_shown(tmp_path):
    report = samples.passed().report
    assert report
    for dag_id, run_id in ((samples.DAG, "c_1"), ("another_dag", samples.RUN)):
        artifacts = RunArtifacts(dag_id, run_id, str(tmp_path))
        artifacts.write_json(REPORT, report.to_json())
        assert read_run(artifacts, "failed", summary=samples.SUMMARY).report is None


def test_a_check_explained_is_not_called_equal():
    run = samples.passed()
    assert run.report
    run.report.checks = [Check(name="content", status=Status.EXPLAINED, differences=["orders-1: 3 came twice"])]
    text = served(run).text
    assert "Nothing is lost; every difference is named and explained below." in text
    assert "are the same." not in text


def test_a_plan_shows_where_groups_stand_and_what_will_be_done():
    odd = "<b>g</b>"
    spec = MigrationSpec.from_params({"topics": ["orders"]})
    committed = {odd: {("orders", 0): 40}, **{f"g{i}": {("orders", 0): 90} for i in range(210)}}
    table = groups_in_plan(group_lines(spec, committed, {("orders", 0): 1100}, {}, {odd}), "groups_plan.json")
    run = replace(samples.broken_early(), plan=Plan.from_json({**samples.PLAN, "group_offsets": table.to_json()}))

    html = render_page(run, LINKS)

    assert html.count("<td>compute") == 199
    assert html.count("<td>active") == 1
    assert "&lt;b&gt;g&lt;/b&gt;" in html
    assert odd not in html
    assert "1,060" in html  # its lag
    assert "11 more lines are in groups_plan.json" in html
    assert "Planned group offsets" not in render_page(samples.broken_early(), LINKS)


def test_a_plan_of_an_earlier_version_is_shown_in_the_words_of_today(tmp_path):
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    finding = {"severity": "warn", "code": "idle", "subject": "group g", "what": "sleeps", "cure": "leave it"}
    artifacts.write_json(PLAN, {**samples.PLAN, "spec": {"dry_run": True}, "findings": [finding]})
    text = served(read_run(artifacts, "success", None, {})).text
    assert "It found 1 warning: see below." in text
    assert "Fix: leave it" in text


def test_a_plan_of_a_later_version_is_named_and_the_page_comes(tmp_path):
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    artifacts.write_json(PLAN, {**samples.PLAN, "schema": "kafka-ferry.plan/2"})
    known = read_run(artifacts, "failed", None, {})
    assert not known.plan.written
    assert "plan.json: is not a plan of this version (1 fields differ)" in served(known).text


def test_a_report_of_a_later_version_is_named_and_its_verdict_told(tmp_path):
    artifacts = RunArtifacts(samples.DAG, samples.RUN, str(tmp_path))
    report = samples.passed().report
    assert report
    artifacts.write_json(REPORT, report.to_json() | {"schema": "kafka-ferry.report/3"})
    known = read_run(artifacts, "success", samples.SUMMARY, {})
    assert known.report is None
    assert "report.json: is not a report of this version (1 fields differ)" in served(known).text
    assert ">PASS<" in render_page(known, LINKS)
