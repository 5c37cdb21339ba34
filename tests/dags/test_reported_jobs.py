"""Every DAG hands its own words to its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forms import DAGS
from kafka_ferry.core.checks import Report
from kafka_ferry.core.job_name import JobName
from kafka_ferry.jobs.backup.reported import BACKUP, RESTORE, VERIFICATION
from kafka_ferry.jobs.cdc.reported import STREAM
from kafka_ferry.jobs.common.plan import PlanningOperator
from kafka_ferry.jobs.common.proven import asset_of
from kafka_ferry.jobs.connections.reported import CONNECTIONS
from kafka_ferry.jobs.cutover.reported import CUTOVER_JOB, FAIL_BACK_JOB, RETIREMENT_JOB
from kafka_ferry.jobs.migration.engines.registry import engine_kind
from kafka_ferry.jobs.migration.reported import COMPARISON, migration
from kafka_ferry.jobs.migration.rules.specs import spec_of
from kafka_ferry.jobs.s3.files.reported import FILES
from kafka_ferry.jobs.s3.reported import EXPORT, IMPORT
from kafka_ferry.jobs.schemas.reported import SCHEMAS

FOLDER = Path(__file__).resolve().parents[2] / "dags"
OPERATE = (FOLDER.parent / "docs" / "operate.md").read_text()
NO_MIGRATION = {
    "verify_clusters": COMPARISON,
    "backup_topics": BACKUP,
    "restore_topics": RESTORE,
    "verify_backup": VERIFICATION,
    "export_topics_to_s3": EXPORT,
    "import_topics_from_s3": IMPORT,
    "import_files_from_s3": FILES,
    "stream_database_changes": STREAM,
    "check_connections": CONNECTIONS,
    "cutover": CUTOVER_JOB,
    "fail_back": FAIL_BACK_JOB,
    "retire_source": RETIREMENT_JOB,
    "migrate_schemas": SCHEMAS,
}


def report_of(name: str) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(FOLDER / f"{name}.py").dags[name].get_task("report")


@pytest.mark.parametrize("name", DAGS)
def test_a_report_speaks_in_the_words_of_its_job(name: str) -> None:
    task = report_of(name)
    assert task.job == NO_MIGRATION.get(name, migration(task.engine))
    assert task.job.words.engine or name == "verify_clusters", "an engine has a name for people"


#: Those whose PASS proves nothing that other DAGs could build on.
NOTHING_MOVED = {"check_connections"}


@pytest.mark.parametrize("name", [name for name in DAGS if name not in NOTHING_MOVED])
def test_a_pass_has_an_asset_that_the_docs_name(name: str) -> None:
    """Other DAGs wait for it, by the name of the job."""
    spec = DAGS[name][0]
    named_by = "dag id" if name == "verify_clusters" else spec.named_by[0]
    made = asset_of(JobName.of(spec, {named_by: "orders"}))
    assert f"`{made.name.rpartition('/')[0]}/<{named_by}>`" in OPERATE
    dag = report_of(name).dag
    first = [task.task_id for task in dag.tasks if isinstance(task, PlanningOperator)]
    assert first == [task.task_id for task in dag.roots], "it alone tells what a run is of"


@pytest.mark.parametrize("name", sorted(NOTHING_MOVED))
def test_a_pass_that_proves_nothing_has_none(name: str) -> None:
    assert report_of(name).proves(Report.model_construct(verdict="PASS")) is False


@pytest.mark.parametrize("name", [name for name in DAGS if name not in NO_MIGRATION])
def test_a_dag_runs_the_engine_of_its_name(name: str) -> None:
    """It stands twice in a DAG's file: with that of another DAG, this one would run as the other."""
    assert report_of(name).engine == name
    assert engine_kind(name).title
    assert spec_of(name) is DAGS[name][0]


@pytest.mark.parametrize("name", DAGS)
def test_a_run_says_what_it_is_of_whatever_it_is_asked(name: str) -> None:
    spec = DAGS[name][0]
    assert spec.run_kind
    said = JobName.of(spec, {})
    assert said.kind == spec.run_kind


def test_no_job_is_left_out() -> None:
    assert set(NO_MIGRATION) < set(DAGS)
    assert len({id(job) for job in NO_MIGRATION.values()}) == len(NO_MIGRATION)
