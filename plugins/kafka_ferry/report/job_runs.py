"""Runs of Kafka Ferry as Airflow's database knows them. No artifact is read, whatever the number of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from airflow.models.dag import DagTag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from sqlalchemy import func, select, union

from kafka_ferry.core.job_name import KEY, TAG, JobName
from kafka_ferry.report.job_list import KnownRun, Outcome

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

#: Runs that are looked at, the youngest; the page says so when there are more.
MOST: Final = 20_000
#: DAGs that are looked at.
MOST_DAGS: Final = 1_000
#: Of the XCom that says how a run's report ended.
_REPORT: Final = "report"
#: How a version of its schema begins.
_OURS: Final = "kafka-ferry.report/"
#: As databases write it that is picked from JSON.
_TRUE: Final = ("1", "true")
#: Types of runs that nobody has to trigger.
_BY_ITSELF: Final = ("scheduled", "asset_triggered")


@dataclass(frozen=True)
class KnownRuns:
    """
    :param more: there are other runs, older ones, that were not looked at.
    """

    runs: list[KnownRun]
    more: bool = False


def known_runs(session: Session, may_read: Callable[[str], bool], most: int = MOST) -> KnownRuns:
    """Runs of the DAGs that have our tag, or of which a run has told what it is of.

    :param may_read: whether the user may read a DAG's XComs; of others nothing is read.
    """
    tagged = select(DagTag.dag_id).where(DagTag.name == TAG)
    told = select(XComModel.dag_id).where(XComModel.key == KEY)
    ours = session.scalars(union(tagged, told).limit(MOST_DAGS))
    dags = [dag_id for dag_id in sorted(ours) if may_read(dag_id)]
    if not dags:
        return KnownRuns([])
    ended = func.coalesce(DagRun.end_date, DagRun.start_date, type_=DagRun.end_date.type)
    rows = session.execute(
        select(DagRun.id, DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.run_type, ended.label("at"))
        .where(DagRun.dag_id.in_(dags))
        .order_by(DagRun.id.desc())
        .limit(most + 1)
    ).all()
    since = rows[-1].id if rows else 0
    names, reports = _names(session, dags, since), _reports(session, dags, since)
    return KnownRuns(
        runs=[
            KnownRun(
                row.id,
                row.dag_id,
                row.run_id,
                str(getattr(row.state, "value", row.state)),
                row.at,
                names.get(row.id),
                reports.get(row.id),
                str(getattr(row.run_type, "value", row.run_type)) in _BY_ITSELF,
            )
            for row in rows[:most]
        ],
        more=len(rows) > most,
    )


def _names(session: Session, dags: Sequence[str], since: int) -> dict[int, JobName | None]:
    """What runs are of, by their number; most are of one of a few."""
    known: dict[str, JobName | None] = {}
    names = {}
    for row in session.execute(_of_xcoms(KEY, dags, since, XComModel.value.label("job"))):
        text = str(row.job)
        if text not in known:
            known[text] = JobName.from_json(row.job)
        names[row.dag_run_id] = known[text]
    return names


def _reports(session: Session, dags: Sequence[str], since: int) -> dict[int, Outcome]:
    """How the reports of runs ended, by the runs' number. The database picks the five values: five times as fast as
    reading the summaries whole (measured on SQLite). Others may call something of theirs ``report``."""
    value, found = XComModel.value, dict[int, Outcome]()
    picked = {"schema": value["schema"], "verdict": value["verdict"], "goes_on": value["goes_on"],
              "left": value[("checks", "leftovers")], "stopped": value["stopped"]}  # fmt: skip
    columns = [one.as_string().label(name) for name, one in picked.items()]
    for row in session.execute(_of_xcoms(_REPORT, dags, since, XComModel.timestamp.label("told"), *columns)):
        before = found.get(row.dag_run_id)
        if str(row.schema).startswith(_OURS) and (before is None or before.told < row.told):
            verdict = "PASS" if row.verdict == "PASS" else "FAIL"
            goes_on, left = str(row.goes_on) in _TRUE, str(row.left or "")
            found[row.dag_run_id] = Outcome(verdict, row.told, goes_on, left, _names_in(row.stopped))
    return found


def _names_in(text: str | None) -> tuple[str, ...]:
    """Of a list, as databases write one that is picked from JSON."""
    try:
        names = json.loads(text or "[]")
    except ValueError:
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _of_xcoms(key: str, dags: Sequence[str], since: int, *columns: Any) -> Select[Any]:
    return select(XComModel.dag_run_id, *columns).where(
        XComModel.key == key, XComModel.dag_run_id >= since, XComModel.dag_id.in_(dags)
    )
