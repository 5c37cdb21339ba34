"""Every task of every DAG ends when it makes no progress."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forms import DAGS
from kafka_ferry.jobs.common.defaults import BOUND

FOLDER = Path(__file__).resolve().parents[2] / "dags"
PACKAGE = FOLDER.parent / "plugins" / "kafka_ferry"

#: Tasks that move or read records: as long as the records last, and they are watched while they do.
LONG = {
    "deploy", "wait_until_running", "fingerprint", "translate_groups", "export", "restore", "compare", "groups", "copy",
    "copy_objects", "verify", "import", "follow", "read",
}  # fmt: skip


def tasks() -> Iterator[Any]:
    from airflow.dag_processing.dagbag import DagBag

    for name in DAGS:
        bag = DagBag(FOLDER / f"{name}.py")
        assert bag.import_errors == {}
        for task in bag.dags[name].tasks:
            yield pytest.param(name, task, id=f"{name}.{task.task_id}")


TASKS = list(tasks())


@pytest.mark.parametrize(("dag", "task"), TASKS)
def test_a_task_has_a_bound_of_time_or_moves_records(dag: str, task: Any) -> None:
    bound = task.partial_kwargs.get("execution_timeout") if task.is_mapped else task.execution_timeout
    if bound is None:
        # A person may take days: Airflow's own bound of that is another one (``response_timeout``).
        waits = ("stream_database_changes", "validate"), ("cutover", "approval"), ("fail_back", "approval")
        assert task.task_id in LONG or (dag, task.task_id) in waits
    else:
        assert timedelta(0) < bound <= BOUND


@pytest.mark.parametrize(("dag", "task"), TASKS)
def test_a_task_keeps_its_books_by_stage_which_watches_it(dag: str, task: Any) -> None:
    kind = task.operator_class if task.is_mapped else type(task)
    for method in ("execute", "execute_complete"):
        work = getattr(kind, method, None)
        if work is not None and work.__module__.startswith("kafka_ferry"):
            assert "with stage(context" in inspect.getsource(inspect.unwrap(work)), f"{kind.__name__}.{method}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_a_wait_in_the_triggerer_has_a_time_out(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "defer":
            assert "timeout" in {keyword.arg for keyword in node.keywords}, f"{path.name}:{node.lineno}"
