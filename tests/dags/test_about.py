"""Every DAG is found by its id, by our tag, and read about in Airflow itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import DAG

from forms import DAGS as FORMS
from kafka_ferry.jobs.common.about import TAG, about, page

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted((PROJECT / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    from airflow.dag_processing.dagbag import DagBag

    bags = [DagBag(file) for file in FILES]
    assert [bag.import_errors for bag in bags] == [{}] * len(FILES)
    return {name: dag for bag in bags for name, dag in bag.dags.items()}


def test_all_dags_are_looked_at(dags: dict[str, DAG]) -> None:
    assert set(dags) == {file.stem for file in FILES} == set(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_a_dag_is_found_by_id_tag_and_owner(dags: dict[str, DAG], name: str) -> None:
    dag = dags[name]
    assert name in dag.dag_display_name, "the list's search looks at the display name alone"
    assert TAG in dag.tags
    assert dag.owner == "kafka-ferry"
    assert dag.description


@pytest.mark.parametrize("name", FORMS)
def test_its_page_says_what_it_does_every_param_and_where_to_read_on(dags: dict[str, DAG], name: str) -> None:
    text = dags[name].doc_md
    assert text
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"`{param}`" for param in FORMS[name][1]()]
    assert "topics" not in FORMS[name][1]() or "topics" in text.split("## Params")[0] or "backup" in name
    assert f"docs/{name}.md" in text
    assert (PROJECT / "docs" / f"{name}.md").is_file()


def test_an_installation_says_where_its_docs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    params = FORMS["verify_backup"][1]()
    assert "](" not in page("verify_backup", "What.", params).split("## More")[1]
    monkeypatch.setenv("FERRY_DOCS_URL", "https://wiki.example/ferry/")
    assert "[docs/verify_backup.md](https://wiki.example/ferry/verify_backup.md)" in page("verify_backup", "", params)


def test_what_markdown_would_swallow_is_kept() -> None:
    params = FORMS["mirror_maker2_on_connect"][1]()
    text = about("x", "y", "First line.\n\nsecond", params)["doc_md"]
    cells = [line for line in text.splitlines() if line.startswith("| `naming`")]
    assert "&lt;alias&gt;" in cells[0] or "&lt;alias>" in cells[0]
    assert all(line.replace("\\|", "").count("|") == 4 for line in text.splitlines() if line.startswith("| "))
