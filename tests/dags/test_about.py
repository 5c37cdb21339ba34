"""Every DAG is found by its id, by our tag, and read about in Airflow itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from airflow.sdk import DAG, Param

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
    assert len(dag.dag_display_name) <= 66, "Airflow breaks what is longer in mid-word, above its form"
    assert TAG in dag.tags
    assert dag.owner == "kafka-ferry"
    assert dag.description


@pytest.mark.parametrize("name", FORMS)
def test_its_page_says_what_it_does_every_param_and_where_to_read_on(dags: dict[str, DAG], name: str) -> None:
    text = dags[name].doc_md
    assert text
    head, params = text.split("## Params")
    assert list(lines(params)) == by_section(FORMS[name][1]())
    assert "topics" not in FORMS[name][1]() or "topics" in head or "backup" in name
    assert f"docs/{name}.md" in head.split("## ")[0], "after 30 params nobody finds it"
    assert (PROJECT / "docs" / f"{name}.md").is_file()
    assert "|" not in text, "a table is cut off in Airflow's window"


def lines(page: str) -> dict[str, str]:
    """Param to what the page says after its name."""
    found = re.findall(r"^- \*\*([\w\\]+)\*\*(.*)", page, re.M)
    return {name.replace("\\", ""): said for name, said in found}


def by_section(params: dict[str, Param]) -> list[str]:
    sections = list(dict.fromkeys(param.schema.get("section") for param in params.values()))
    return sorted(params, key=lambda name: sections.index(params[name].schema.get("section")))


@pytest.mark.parametrize("name", FORMS)
def test_its_page_names_what_must_be_given_and_nothing_else(dags: dict[str, DAG], name: str) -> None:
    """As the form does: without it no run can be triggered."""
    spec, form = FORMS[name]
    said = lines(dags[name].doc_md or "")
    assert {param for param, line in said.items() if line.startswith(" (required)")} == {
        param for param in form() if spec.model_fields[param].is_required() and not form()[param].has_value
    }


def test_its_page_names_the_tab_that_there_is(dags: dict[str, DAG]) -> None:
    tab = re.search(r'"name": "([^"]+)",\s+"href"', (PROJECT / "plugins" / "kafka_ferry" / "plugin.py").read_text())
    assert tab
    named = {name: re.findall(r'tab\s+"([^"]+)"', dag.doc_md or "") for name, dag in dags.items()}
    assert named == {name: [tab[1]] for name in FORMS}
    assert f'tab "{tab[1]}"' in (PROJECT / "README.md").read_text()


def test_an_installation_says_where_its_docs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    params = FORMS["verify_backup"][1]()
    assert "](" not in page("verify_backup", "What.", params)
    monkeypatch.setenv("FERRY_DOCS_URL", "https://wiki.example/ferry/")
    assert "[docs/verify_backup.md](https://wiki.example/ferry/verify_backup.md)" in page("verify_backup", "", params)
    monkeypatch.setenv("FERRY_DOCS_URL", "https://site.example/docs/{page}.html")
    assert "[docs/verify_backup.md](https://site.example/docs/verify_backup.html)" in page("verify_backup", "", params)


def test_what_markdown_would_swallow_is_kept() -> None:
    params = FORMS["mirror_maker2_on_connect"][1]()
    text = about("x", "y", "First line.\n\nsecond", params)["doc_md"]
    said = lines(text)
    assert "&lt;alias>.&lt;topic>" in said["naming"]
    assert "projects.\\*" in said["topics"]
    assert "msk\\_api: Amazon" in said["provision_through"]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_can_be_triggered_once_what_must_be_given_is_given(name: str) -> None:
    """Airflow locks its button while a field is empty that may not be null, in a section that is folded away too."""
    stuck = {
        param: words.value
        for param, words in FORMS[name][1]().items()
        if words.has_value and words.value in ("", [], {}) and "null" not in words.schema["type"]
    }
    assert stuck == {}
