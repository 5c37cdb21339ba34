"""Every DAG once in a real Airflow scheduler, from the params of its example, side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.airflow_api import AirflowApi
from every_dag import AFTER, DATABASE, WORDS, Every, check_report, every_dag
from stack import Stack, mariadb
from stack.stack import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_200)]

#: They need servers that this stack has not, and would cost all tests two JVMs: they have tests of their own.
WITHOUT_A_STACK = {"migrate_schemas"}  # tests/integration/schemas

TEST = "test_a_dag_passes_from_its_example"


def wanted(session: pytest.Session) -> set[str]:
    """DAGs whose tests run (``-k``), and those that they need."""
    called = {item.callspec.params["dag"] for item in session.items
              if isinstance(item, pytest.Function) and item.originalname == TEST}  # fmt: skip
    while needed := {AFTER[dag] for dag in called if dag in AFTER} - called:
        called |= needed
    return called


@pytest.fixture(scope="module")
def every(request: pytest.FixtureRequest, airflow_stack: Stack, airflow_api: AirflowApi) -> Iterator[Every]:
    """The first runs have begun."""
    with every_dag(airflow_stack, airflow_api, wanted(request.session)) as made:
        yield made


@pytest.mark.parametrize("dag", WORDS)
def test_a_dag_passes_from_its_example(every: Every, airflow_stack: Stack, dag: str) -> None:
    if dag == DATABASE and (why := mariadb.unavailable()):
        pytest.skip(why)
    check_report(airflow_stack, dag, every.report(dag))


def test_no_dag_is_left_out() -> None:
    assert WORDS.keys() | WITHOUT_A_STACK == {path.stem for path in (PROJECT / "dags").glob("*.py")}
