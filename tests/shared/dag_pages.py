"""What a DAG's page in Airflow says of its tasks."""

from __future__ import annotations

from airflow.sdk import DAG


def tasks_of(dag: DAG) -> tuple[list[str], str]:
    """The tasks in the order of the page, and what it says of those beside it."""
    assert dag.doc_md
    text = dag.doc_md.partition("## Tasks\n")[2].partition("\n\n")[0].replace("\n", " ")
    line, _, aside = text.partition(";")
    return [name.strip() for name in line.split("→")], aside
