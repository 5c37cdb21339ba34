"""The pages in Airflow's API server, authorised like the runs' XComs: of a run, which is its tab, and of all jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.configuration import conf
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import select

from kafka_ferry.report.artifacts import BLOCK, REPORT, DamagedArtifact, RunArtifacts
from kafka_ferry.report.job_list import DAYS, job_lines
from kafka_ferry.report.job_page import JobLinks, render_job_lines, render_jobs
from kafka_ferry.report.job_runs import MOST, KnownRuns, known_runs
from kafka_ferry.report.lines import Question
from kafka_ferry.report.names import safe_name
from kafka_ferry.report.page import STATIC, Links, render_lines, render_live, render_page
from kafka_ferry.report.pages import read_lines
from kafka_ferry.report.run import RunData, read_run

#: Only what the page brings itself; shown in a frame by Airflow alone.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

#: Where Airflow has mounted it, and the tab in the address of a run (plugin.py).
MOUNTED: Final = "/kafka-ferry"
TAB: Final = "kafka_ferry"

app = FastAPI(title="Kafka Ferry report", openapi_url=None, docs_url=None, redoc_url=None)
app.mount("/static", StaticFiles(directory=STATIC), name="static")


@dataclass(frozen=True)
class Known:
    """What Airflow's database knows of a run, and where its artifacts are.

    :param summary: XCom ``report``, if the run has one.
    """

    artifacts: RunArtifacts
    state: str
    summary: Mapping[str, Any] | None
    tasks: Mapping[str, str | None]


def find_run(dag_id: str, run_id: str, session: SessionDep) -> Known:
    """The run as Airflow's database knows it; no artifact is read.

    The XCom ``report`` tells whether there is a report: it is there only when the report is of this run as it stands,
    since clearing the task deletes it, while the folder keeps the files of the earlier try.
    """
    state = session.scalar(select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    if state is None:
        raise HTTPException(404, f"DAG {dag_id!r} has no run {run_id!r}")
    found = session.scalars(XComModel.get_many(run_id=run_id, dag_ids=dag_id, key="report", limit=1)).first()
    rows = session.execute(
        select(TaskInstance.task_id, TaskInstance.map_index, TaskInstance.state).where(
            TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id
        )
    )
    return Known(
        RunArtifacts.to_read(dag_id, run_id),
        state=str(getattr(state, "value", state)),
        summary=XComModel.deserialize_value(found) if found else None,
        tasks={task if index < 0 else f"{task}[{index}]": state for task, index, state in rows},
    )


# The parameter names dag_id and run_id are what requires_access_dag looks for in the path.
_GUARD: Final = requires_access_dag(method="GET", access_entity=DagAccessEntity.XCOM)
_ALLOWED: Final = [Depends(_GUARD)]
Run = Annotated[Known, Depends(find_run)]


@app.get("/report/{dag_id}/{run_id:path}/report.json", dependencies=_ALLOWED)
def download(run: Run) -> StreamingResponse:
    """report.json, as a file to keep; a piece of it at a time is in memory."""
    of = run.artifacts
    size = of.size(REPORT) if run.summary and of.report_names() == (of.dag_id, of.run_id) else None
    if size is None:
        raise HTTPException(404, "this run has no report yet")
    name = f"{safe_name(of.dag_id)}-{safe_name(of.run_id)}-report.json"
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_blocks(of), media_type="application/json", headers=headers)


def _blocks(artifacts: RunArtifacts) -> Iterator[bytes]:
    with artifacts.opened(REPORT) as file:
        while block := file.read(BLOCK):
            yield block


Start = Annotated[int, Query(ge=0, le=10**9)]


def ask(
    start: Start = 0,
    find: Annotated[str, Query(max_length=500)] = "",
    only: bool = False,
    sort: Annotated[int | None, Query(ge=0, le=8)] = None,
    down: bool = False,
) -> Question:
    """Which lines a person looks for, of whatever table."""
    return Question("", start, find.strip(), only, sort, down)


Asked = Annotated[Question, Depends(ask)]


@app.get("/report/{dag_id}/{run_id:path}/lines.json", dependencies=_ALLOWED)
def lines(run: Run, asked: Asked, table: Literal["topics", "groups"]) -> JSONResponse:
    """A page of a table's lines as HTML: those a person looks for, in the order they chose."""
    question = replace(asked, table=table)
    try:
        found = read_lines(run.artifacts, (run.summary or {}).get("pages"), question)
    except DamagedArtifact as error:
        raise HTTPException(503, str(error)) from error
    if found is None:
        raise HTTPException(404, "this run has no such lines yet")
    return JSONResponse(render_lines(question, found), headers=HEADERS)


@app.get("/report/{dag_id}/{run_id:path}/live.json", dependencies=_ALLOWED)
def live(run: Run) -> JSONResponse:
    """What changes while the run works; the page asks every few seconds until ``done``."""
    news: dict[str, Any] = render_live(_read(run))
    return JSONResponse(news, headers=HEADERS)


@app.get("/report/{dag_id}/{run_id:path}", dependencies=_ALLOWED)
def page(run: Run, request: Request) -> HTMLResponse:
    """The page itself."""
    root, of = _root(request), run.artifacts
    here = f"{root}/report/{quote(of.dag_id, safe='')}/{quote(of.run_id, safe='')}"
    links = Links(f"{root}/static", f"{here}/report.json", f"{here}/live.json", f"{here}/lines.json")
    return HTMLResponse(render_page(_read(run), links), headers=HEADERS)


def _root(request: Request) -> str:
    # It carries the path of [api] base_url and our own mount point.
    return str(request.scope.get("root_path", "")).rstrip("/")


def _read(run: Known) -> RunData:
    return read_run(run.artifacts, run.state, run.summary, run.tasks)


def readable(user: GetUserDep) -> Callable[[str], bool]:
    """Whether this user may read the pages of a DAG's runs: as their own guard decides."""

    def may_read(dag_id: str) -> bool:
        try:
            _GUARD(Request({"type": "http", "path_params": {"dag_id": dag_id}}), user)
        except HTTPException as refused:
            if refused.status_code != 403:
                raise
            return False
        return True

    return may_read


def find_jobs(may_read: Annotated[Callable[[str], bool], Depends(readable)], session: SessionDep) -> KnownRuns:
    """All runs of Kafka Ferry that the user may read."""
    return known_runs(session, may_read)


Jobs = Annotated[KnownRuns, Depends(find_jobs)]
Days = Annotated[int, Query(ge=1, le=3650)]


@app.get("/")
def jobs(found: Jobs, request: Request, days: Days = DAYS, start: Start = 0) -> HTMLResponse:
    """The page of all jobs. ``days`` without a PASS, after which a line says so."""
    now = datetime.now(UTC)
    lines = job_lines(found.runs, now, days)
    html = render_jobs(lines, _job_links(request), now, days, start, MOST if found.more else None)
    return HTMLResponse(html, headers=HEADERS)


@app.get("/lines.json")
def lines_of_jobs(found: Jobs, request: Request, asked: Asked, days: Days = DAYS) -> JSONResponse:
    """A page of their table as HTML, as of a report's tables."""
    now = datetime.now(UTC)
    of_jobs, links = job_lines(found.runs, now, days), _job_links(request)
    return JSONResponse(render_job_lines(of_jobs, replace(asked, table="jobs"), links, now), headers=HEADERS)


@app.get("/pool")
def pool(name: Annotated[str, Query(max_length=256)], session: SessionDep) -> JSONResponse:
    """Slots of the pool that the deployment names; null: there is none. The first task of a run asks, which may ask no
    database and has no login: so nothing is told of any other pool."""
    if name != (conf.get("kafka_ferry", "pool", fallback="") or "").strip():
        raise HTTPException(404, "not the pool that [kafka_ferry] pool names for this API server")
    return JSONResponse({"slots": session.scalar(select(Pool.slots).where(Pool.pool == name))}, headers=HEADERS)


def _job_links(request: Request) -> JobLinks:
    root = _root(request)
    return JobLinks(
        static=f"{root}/static",
        lines=f"{root}/lines.json",
        reports=f"{root}/report",
        dags=f"{root.removesuffix(MOUNTED)}/dags",
        tab=f"plugin/{TAB}",
    )
