"""One run at a time per migration: two would share connectors, target topics and group offsets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from kafka_ferry.exceptions import BadParam
from kafka_ferry.report.names import safe_name
from kafka_ferry.report.storage import RunArtifacts

log = logging.getLogger(__name__)

_FOLDER = "_migrations"  # beside the runs' own folders
_ALIVE = ["queued", "running"]


def claim(context: Mapping[str, Any], migration: str, *, param: str = "migration", settle_seconds: float = 0.5) -> None:
    """Make the task's run the one that works on a migration; a run that has it already keeps it.

    The claim is a file beside the artifacts with the run's id. It is never released: whether its holder still works
    is asked from Airflow, so that a run that was killed, deleted or cleared leaves no lock behind. Artifact stores
    have no test-and-set, so after writing we wait a moment and read again: of two that write at once, the last wins.

    :param param: the param that names what only one run may work on.
    :param settle_seconds: longer than it takes to read and write the file.
    :raises BadParam: another run that is queued or running has it.
    """
    run = context["dag_run"]
    claims, name = RunArtifacts(run.dag_id, _FOLDER), f"{safe_name(migration)}.json"
    holder = _holder(claims, name)
    if holder == run.run_id:
        return
    if other := other_holder(context, migration):
        raise _taken(param, migration, other)
    claims.write_json(name, {"migration": migration, "run_id": run.run_id})
    time.sleep(settle_seconds)
    winner = _holder(claims, name)
    if winner != run.run_id:
        raise _taken(param, migration, winner)
    if holder:
        log.info("%s %s: taken over from run %s, which has ended", param, migration, holder)


def other_holder(context: Mapping[str, Any], migration: str) -> str | None:
    """Another run, queued or running, that works on the migration; None when it is ours or nobody's."""
    run, ti = context["dag_run"], context["ti"]
    holder = _holder(RunArtifacts(run.dag_id, _FOLDER), f"{safe_name(migration)}.json")
    if not holder or holder == run.run_id:
        return None
    return holder if ti.get_dr_count(dag_id=run.dag_id, run_ids=[holder], states=_ALIVE) else None


def at_work(context: Mapping[str, Any]) -> Callable[[str, str], bool]:
    """Whether a run, by DAG id and run id, is queued or running; our own is not asked for."""
    run, ti = context["dag_run"], context["ti"]

    def ask(dag_id: str, run_id: str) -> bool:
        if (dag_id, run_id) == (run.dag_id, run.run_id):
            return True
        return bool(ti.get_dr_count(dag_id=dag_id, run_ids=[run_id], states=_ALIVE))

    return ask


def _holder(claims: RunArtifacts, name: str) -> str:
    return str((claims.read_json(name) or {}).get("run_id", ""))


def _taken(param: str, name: str, holder: str) -> BadParam:
    return BadParam(
        param,
        f"run {holder!r} of this DAG is at work on {param} {name!r}",
        f"wait until that run has ended, or use another {param} name for other topics",
    )
