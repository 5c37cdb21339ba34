"""The pool of tasks that read records: by the deployment's word, and named where it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from airflow.api_fastapi.common.db.common import _get_session
from airflow.models.pool import Pool
from airflow.sdk import DAG

from airflow_database import database
from app_server import serving
from kafka_ferry.exceptions import BadSetting
from kafka_ferry.jobs.backup.dag import back_up, restore, verify
from kafka_ferry.jobs.common.pool import check_pool
from kafka_ferry.jobs.migration.dag import compare, migrate
from kafka_ferry.jobs.s3.dag import export_topics, import_topics
from kafka_ferry.jobs.s3.files.dag import import_files

NAME = "AIRFLOW__KAFKA_FERRY__POOL"
JOBS = {
    back_up: {"export"}, restore: {"restore", "compare"}, verify: {"verify"}, compare: {"fingerprint"},
    migrate: {"fingerprint"}, export_topics: {"export", "verify"}, import_topics: {"import"},
    import_files: {"read", "import"},
}  # fmt: skip


def made(job: Any) -> DAG:
    with DAG("made", schedule=None) as dag:
        job()
    return dag


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_the_mapped_tasks_that_read_are_in_it(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "readers")
    assert {task.task_id for task in made(job).tasks if task.pool == "readers"} == JOBS[job]


def test_without_a_word_they_are_where_all_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert {task.pool for task in made(migrate).tasks} == {"default_pool"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The API server's page, on a database in which three pools are."""
    monkeypatch.setenv(NAME, "readers")
    with database(tmp_path) as known:
        for name, slots in (("readers", 4), ("closed", 0), ("others", 8)):
            known.session.add(Pool(pool=name, slots=slots, include_deferred=False))
        known.session.commit()
        with serving({_get_session: lambda: known.session}) as address:
            root = address.removesuffix("/kafka-ferry")
            monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"{root}/execution/")
            yield SimpleNamespace(address=address)


@pytest.mark.usefixtures("server")
def test_one_that_is_there_is_fine() -> None:
    check_pool({"dag": made(compare)})


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("name", "why"),
    [("nowhere", "there is no pool 'nowhere'"), ("closed", "no slot is in the pool 'closed'")],
)
def test_one_that_would_never_start_a_task_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.setenv(NAME, name)
    with pytest.raises(BadSetting, match=f"{why}.*Fix: airflow pools set '{name}' 4") as refused:
        check_pool({"dag": made(compare)})
    assert not refused.value.retriable


def test_a_job_without_such_tasks_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "nowhere")
    monkeypatch.setattr("requests.get", None)  # nobody is asked
    with DAG("made", schedule=None) as dag:
        pass
    check_pool({"dag": dag})


def test_where_it_cannot_be_asked_the_run_goes_on_and_the_log_says_so(
    server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dag = made(compare)
    # An API server that has not our plugin, and none.
    for address in (f"{server.address}/nothing/execution/", "http://127.0.0.1:1/execution/"):
        caplog.clear()
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", address)
        check_pool({"dag": dag})
        assert "Whether there is a pool 'readers' could not be asked" in caplog.text


def test_nothing_is_told_of_other_pools(server: SimpleNamespace) -> None:
    for name, status in (("readers", 200), ("others", 404), ("", 404)):
        assert requests.get(f"{server.address}/pool", params={"name": name}, timeout=10).status_code == status
