"""The report page as HTML: for the tab in Airflow, and as ``report.html``, one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from kafka_ferry.core.checks import Report
from kafka_ferry.core.plan import Plan
from kafka_ferry.core.words import shown
from kafka_ferry.report.artifacts import PAGE, RunArtifacts
from kafka_ferry.report.lines import Answer, Question
from kafka_ferry.report.reading import Reader
from kafka_ferry.report.run import RunData
from kafka_ferry.report.view import counted, duration, page_view

STATIC: Final = Path(__file__).parent / "static"
#: Chart.js 4.6.1 as its makers publish it (MIT, chart.LICENSE.md), then ours.
SCRIPTS: Final = ("chart.umd.min.js", "page.js")
STYLE: Final = "page.css"
#: Up to a separator, or what is as long as a line may be.
_WORD: Final = re.compile(r"[^._/-]{1,40}[._/-]*|[._/-]+", re.S)
#: The same for what sentences hold besides: addresses, names of people in certificates, settings.
_IN_PROSE: Final = re.compile(r"[^._/,:;=&?(-]{1,40}[._/,:;=&?(-]*|[._/,:;=&?(-]+", re.S)
#: Of a time nothing is torn off.
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d| UTC)?")
_UNIT: Final = re.compile(r"(\d) (Bytes?|[kMGT]B|s|min|h)\b")
#: A name that fits into any column.
_SHORT: Final = 30


@dataclass(frozen=True)
class Links:
    """Addresses the served page refers to; paths on the same host.

    :param static: folder of scripts and style. ``report``: download of report.json.
    :param live: where a page of a running run asks for news. ``lines``: where one asks for more lines of a table.
    """

    static: str
    report: str
    live: str
    lines: str = ""


def render_page(run: RunData, links: Links, now: datetime | None = None) -> str:
    """The page as the app serves it: scripts and style by reference."""
    return environment().get_template("page.html").render(
        **page_view(run, now), links=links, scripts=SCRIPTS, style=STYLE, inline=None
    )  # fmt: skip


def render_live(run: RunData, now: datetime | None = None) -> dict[str, Any]:
    """What changes while a run works: ``{"done", "html", "charts"}``; ``html`` replaces the page's live part."""
    view = page_view(run, now)
    html = environment().get_template("live.html").render(**view)
    return {"done": run.ended, "html": html, "charts": view["charts"]}


def render_lines(question: Question, found: Answer) -> dict[str, Any]:
    """A page of a table: ``{"html", "start", "lines", "found", "reach", "looked_at"}``; ``html`` are its rows."""
    rows = getattr(environment().get_template("rows.html").module, question.table)
    return {
        "html": str(rows(found.page, found.remarks)),
        "start": found.start,
        "lines": found.lines,
        "found": found.found,
        "reach": found.reach,
        "looked_at": found.looked_at,
    }


def render_file(run: RunData, now: datetime | None = None) -> str:
    """The page as one file. Its policy lets it run what is in it, by digest, and reach nothing else."""
    scripts, style = [_read(name) for name in SCRIPTS], _read(STYLE)
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_digest, scripts))}; style-src {_digest(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    inline = {"scripts": scripts, "style": style, "policy": policy}
    links = Links(static="", report="report.json", live="")
    return environment().get_template("page.html").render(**page_view(run, now), links=links, inline=inline)


def write_page(artifacts: RunArtifacts, report: Report) -> str:
    """Write ``report.html`` beside ``report.json``.

    :returns: its path, for people.
    """
    reader = Reader(artifacts)
    run = RunData(
        dag_id=report.dag_id,
        run_id=report.run_id,
        state="success" if report.verdict == "PASS" else "failed",
        report=report,
        plan=reader.plan(Plan),
        progress=reader.progress(),
    )
    return artifacts.write_text(PAGE, render_file(run))


@cache
def environment() -> jinja2.Environment:
    """Of all pages."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,  # topic and group names, error texts: nothing in them is ours
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["count"] = lambda value: "–" if value is None else f"{value:,}"
    made.filters["duration"] = duration
    made.filters["counted"] = counted
    made.filters["name"] = breakable
    made.globals["shown"] = shown
    made.filters["prose"] = prose
    made.filters["shown"] = shown
    made.filters["words"] = lambda name: str(name).replace("_", " ")
    return made


def prose(text: object) -> Markup:
    """A sentence: long names break as ``breakable`` says, a number stays with its unit, and a time is whole."""
    parts = re.split(rf"({_TIME.pattern}|\s+)", _UNIT.sub("\\1\u00a0\\2", str(text)))
    whole = Markup("<time>{}</time>")
    words = [whole.format(part) if _TIME.fullmatch(part) else breakable(part, _IN_PROSE) for part in parts]
    return Markup("").join(words)


def breakable(name: object, pattern: re.Pattern[str] = _WORD) -> Markup:
    """A long name, whose line may break behind a separator, and nowhere within a word of up to 40 characters."""
    text = str(name)
    return Markup("<wbr>").join(pattern.findall(text) if len(text) > _SHORT else [text])


@cache
def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
