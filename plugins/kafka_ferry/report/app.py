"""The report page in Airflow's API server: a tab of the DAG run, authorised like the run's XComs."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import select

from kafka_ferry.report.names import safe_name
from kafka_ferry.report.page import STATIC, Links, render_live, render_page
from kafka_ferry.report.run import RunData, read_run
from kafka_ferry.report.storage import RunArtifacts

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

app = FastAPI(title="Kafka Ferry report", openapi_url=None, docs_url=None, redoc_url=None)
app.mount("/static", StaticFiles(directory=STATIC), name="static")


def find_run(dag_id: str, run_id: str, session: SessionDep) -> RunData:
    """The run as Airflow's database and its artifacts know it.

    The XCom ``report`` is read first: it is there only when the report is of this run as it stands, since clearing
    the task deletes it, while the folder keeps the file of the earlier try.
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
    return read_run(
        RunArtifacts.to_read(dag_id, run_id),
        state=str(getattr(state, "value", state)),
        summary=XComModel.deserialize_value(found) if found else None,
        tasks={task if index < 0 else f"{task}[{index}]": state for task, index, state in rows},
    )


# The parameter names dag_id and run_id are what requires_access_dag looks for in the path.
_ALLOWED: Final = [Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.XCOM))]
Run = Annotated[RunData, Depends(find_run)]


@app.get("/report/{dag_id}/{run_id:path}/report.json", dependencies=_ALLOWED)
def download(run: Run) -> JSONResponse:
    """report.json, as a file to keep."""
    if run.report is None:
        raise HTTPException(404, "this run has no report yet")
    name = f"{safe_name(run.dag_id)}-{safe_name(run.run_id)}-report.json"
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return JSONResponse(run.report.to_json(), headers=headers)


@app.get("/report/{dag_id}/{run_id:path}/live.json", dependencies=_ALLOWED)
def live(run: Run) -> JSONResponse:
    """What changes while the run works; the page asks every few seconds until ``done``."""
    news: dict[str, Any] = render_live(run)
    return JSONResponse(news, headers=HEADERS)


@app.get("/report/{dag_id}/{run_id:path}", dependencies=_ALLOWED)
def page(run: Run, request: Request) -> HTMLResponse:
    """The page itself."""
    # root_path carries the path of [api] base_url and our own mount point.
    root = str(request.scope.get("root_path", "")).rstrip("/")
    here = f"{root}/report/{quote(run.dag_id, safe='')}/{quote(run.run_id, safe='')}"
    links = Links(static=f"{root}/static", report=f"{here}/report.json", live=f"{here}/live.json")
    return HTMLResponse(render_page(run, links), headers=HEADERS)
