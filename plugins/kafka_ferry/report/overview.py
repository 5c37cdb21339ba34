"""A report without its length: all that the page shows at once, whatever the size of the run. Pure.

The page of a run reads this and not report.json, whose tables may have hundreds of thousands of lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from kafka_ferry.core.checks import Check, Report
from kafka_ferry.core.plan import Plan
from kafka_ferry.report.charts import progress_series, topic_bars, watch_series, window_series
from kafka_ferry.report.findings import findings
from kafka_ferry.report.lines import PAGE_LINES, TEXT, Table, cut, table_of, worst_first

OVERVIEW_SCHEMA: Final = "kafka-ferry.report-overview/2"
#: Differences listed under a check; report.json has all.
DIFFERENCES: Final = 200
#: Failures and notes, each; report.json has all.
LISTED: Final = 200
#: Backups and stages, each.
ROWS: Final = 1_000
_FINDING: Final = ("severity", "subject", "what", "fix")
_CLUSTER: Final = ("conn_id", "brokers", "cluster_id")


class Totals(BaseModel):
    """Over all topics; ``records``: of the source."""

    topics: int
    records: int
    lost: int
    duplicated: int
    reordered: int


class Overview(BaseModel):
    """What the page shows of a report.

    :param report: the report, of whose tables only the first lines are here, and whose texts are cut.
    :param differences: how many each of its checks has.
    :param tables: how long ``topics`` and ``groups`` are.
    :param findings: of the plan. ``plan``: what else is told of it. ``charts``: numbers behind the plots.
    """

    schema_: Literal["kafka-ferry.report-overview/2"] = Field(default=OVERVIEW_SCHEMA, alias="schema")
    report: Report
    totals: Totals
    differences: list[int]
    tables: dict[str, Table]
    findings: dict[str, Any] | None
    plan: dict[str, Any]
    charts: dict[str, Any]

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def overview_of(
    report: Report,
    plan: Plan,
    progress: Sequence[Mapping[str, Any]],
    watched: Sequence[Mapping[str, Any]] = (),
    rows: int = PAGE_LINES,
) -> Overview:
    """
    :param rows: lines of each table, the worst first.
    :param progress: lines of progress.jsonl. ``watched``: of watched.jsonl.
    """
    topics = report.topics
    head = report.model_copy(
        update={
            "topics": [_cut_line(line) for line in worst_first(topics)[:rows]],
            "groups": [_cut_line(line) for line in worst_first(report.groups)[:rows]],
            "backups": [_cut_line(line) for line in report.backups[:ROWS]],
            "checks": [_cut_check(check) for check in report.checks],
            "timeline": [_cut_line(stage) for stage in report.timeline[:ROWS]],
            "failures": _listed(report.failures, "failures"),
            "notes": _listed(report.notes, "notes"),
            "source": _bounded({key: report.source[key] for key in _CLUSTER if key in report.source}),
            "target": _bounded({key: report.target[key] for key in _CLUSTER if key in report.target}),
            "cutover": _bounded(report.cutover),
        }
    )
    return Overview(
        report=head,
        totals=Totals(
            topics=len(topics),
            records=sum(line.source_records or 0 for line in topics),
            lost=sum(line.lost for line in topics),
            duplicated=sum(line.duplicated for line in topics),
            reordered=sum(line.reordered for line in topics),
        ),
        differences=[len(check.differences) for check in report.checks],
        tables={"topics": table_of(topics), "groups": table_of(report.groups)},
        findings=_bounded(_shown_only(findings(plan))),
        plan=told_of(plan),
        charts={
            "progress": progress_series(progress),
            "topics": _bounded(topic_bars(topics)),
            "window": window_series(report.cutover),
            "watched": watch_series(watched),
        },
    )


def told_of(plan: Plan) -> dict[str, Any]:
    """What the facts under a headline say of a plan: ``{"spec": {"migration"}, "archive": {…}}``."""
    archive = plan.archive.to_json() if plan.archive else {}
    found: dict[str, Any] = _bounded({"spec": {"migration": plan.spec.get("migration", "")}, "archive": archive})
    return found


def _cut_line(line: Any) -> Any:
    longer = _longer(line)
    return line.model_copy(update=longer) if longer else line


def _longer(line: BaseModel) -> dict[str, str]:
    return {name: cut(value) for name, value in line if isinstance(value, str) and len(value) > TEXT}


def _cut_check(check: Check) -> Check:
    # Commands stay as they are: half a command is none.
    differences = [cut(text) for text in check.differences[:DIFFERENCES]]
    return check.model_copy(update={**_longer(check), "differences": differences})


def _listed(texts: Sequence[str], what: str) -> list[str]:
    more = [f"{len(texts) - LISTED:,} more {what} are in report.json"] if len(texts) > LISTED else []
    # The words of a failure are its fix: longer than other texts.
    return [cut(text, 4 * TEXT) for text in texts[:LISTED]] + more


def _shown_only(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Findings without what the page does not show of them."""
    return found and {**found, "lines": [{key: one[key] for key in _FINDING if key in one} for one in found["lines"]]}


def _bounded(value: Any, depth: int = 6) -> Any:
    """A value of a plan, without the end of what is too long."""
    if isinstance(value, Mapping):
        return {cut(str(key)): _bounded(one, depth - 1) for key, one in list(value.items())[:DIFFERENCES] if depth}
    if isinstance(value, list | tuple):
        return [_bounded(one, depth - 1) for one in value[:DIFFERENCES] if depth]
    return cut(value) if value is None or isinstance(value, str | int | float) else cut(str(value))
