"""What the tasks do without a cluster: the answer of a person, and the order of the DAG."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from kafka_ferry.jobs.cutover.tasks.approval import ApprovalOperator
from kafka_ferry.jobs.cutover.tasks.fail_back import FailBackReportOperator, PlanFailBackOperator
from kafka_ferry.jobs.cutover.tasks.work import CutoverReportOperator, PlanCutoverOperator
from tasks_by_hand import TasksByHand

FILE = Path(__file__).resolve().parents[4] / "dags" / "cutover.py"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TasksByHand:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    return TasksByHand(
        "cutover", "r", "cutover", {"approval": False, "migration": "w", "topics": ["a"], "fence": "acl"}
    )


def answered(run: TasksByHand, chosen: str) -> Any:
    with DAG("cutover", schedule=None):
        operator = ApprovalOperator(task_id="approval")
    user = {"id": "7", "name": "anna"}
    event = {
        "chosen_options": [chosen],
        "params_input": {},
        "responded_at": pendulum.now("UTC"),
        "responded_by_user": user,
    }
    return operator.execute_complete(run.context("approval"), event)


def test_nobody_is_asked_where_the_params_do_not_want_it(run: TasksByHand) -> None:
    assert run.do(ApprovalOperator, "approval") == "not asked"


def test_a_yes_lets_it_go_on_and_a_no_names_who_said_it(run: TasksByHand) -> None:
    assert answered(run, "Approve") == ["Approve"]
    with pytest.raises(AirflowFailException, match="was not approved by anna: nothing was stopped"):
        answered(run, "Reject")
    assert run.written("stages/approval.json")["state"] == "failed"


def test_what_undoes_runs_whatever_happens_and_what_is_killed_comes_back_at_once() -> None:
    from airflow.dag_processing.dagbag import DagBag

    dag: Any = DagBag(FILE).dags["cutover"]
    order = ["plan", "shards", "fingerprint", "prepare", "lag_gate", "approval", "window", "watch", "end_replication",
             "validate", "unfence", "report"]  # fmt: skip
    assert [task.task_id for task in dag.topological_sort()] == order
    assert [task.task_id for task in dag.tasks if task.is_teardown] == ["unfence", "report"]
    assert not [task.task_id for task in dag.tasks if task.is_setup], (
        "a teardown of setups waits for one that succeeded"
    )
    window = dag.get_task("window")
    assert (window.retries, window.retry_delay, window.retry_exponential_backoff) == (3, timedelta(seconds=1), False)


@pytest.mark.parametrize(
    ("plan", "report", "more"),
    [
        (PlanCutoverOperator, CutoverReportOperator, {"topics": ["a"]}),
        (PlanFailBackOperator, FailBackReportOperator, {"forward_connectors": []}),
    ],
)
def test_a_run_that_came_no_further_than_its_plan_says_of_what_it_was(
    plan: Any, report: Any, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))
    run = TasksByHand("cutover", "r", "cutover", {"migration": "w", "fence": "prove", "source_conn_id": "none", **more})
    with pytest.raises(AirflowFailException, match="'none' does not exist"):
        run.do(plan, "plan")
    with pytest.raises(AirflowFailException, match="verdict FAIL"):
        run.do(report, "report")
    told = run.written("report.json")["cutover"]
    assert (told["wave"], told["fence"], told["state"], told["told_by"]) == ("w", "prove", "not_begun", "asset event")
    assert told["applications_on"] is None, "no journal was read"
