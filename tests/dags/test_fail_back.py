"""Texts of ``fail_back`` are made of params that it has: a scheduler renders them, and fails a task where it cannot."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from forms import DAGS


@pytest.mark.parametrize("name", ["cutover", "fail_back"])
def test_the_question_to_a_person_is_of_params_that_there_are(name: str) -> None:
    from airflow.dag_processing.dagbag import DagBag

    file = Path(__file__).resolve().parents[2] / "dags" / f"{name}.py"
    task = DagBag(file).dags[name].get_task("approval")
    params = {key: param.value for key, param in DAGS[name][1]().items()} | {"migration": "orders"}
    if name == "cutover":
        params["topics"] = ["orders"]
    env = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - as Airflow renders them
    for field in ("subject", "body"):
        if text := getattr(task, field, ""):  # Airflow 3.0 asks nobody
            assert "{{" not in env.from_string(text).render(params=params)
    if getattr(task, "subject", ""):
        assert "orders" in env.from_string(task.subject).render(params=params)
