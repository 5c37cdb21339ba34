"""The example params files are what the DAGs take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forms import DAGS

PROJECT = Path(__file__).resolve().parents[1]
EXAMPLES = PROJECT / "include" / "examples"


def test_every_dag_has_an_example_and_a_page() -> None:
    names = {path.stem for path in (PROJECT / "dags").glob("*.py")}
    assert names == DAGS.keys() == {path.stem for path in EXAMPLES.glob("*.json")}
    for name in names:
        assert (PROJECT / "docs" / f"{name}.md").exists()


#: Other ways of the same DAGs: ``<dag>.<way>.json``.
MORE = sorted(path.stem for path in (EXAMPLES / "more").glob("*.json"))


def test_other_ways_are_those_of_dags_and_on_a_page() -> None:
    pages = "".join(page.read_text() for page in (PROJECT / "docs").glob("*.md"))
    for name in MORE:
        assert name.partition(".")[0] in DAGS
        assert f"include/examples/more/{name}.json" in pages


@pytest.mark.parametrize("name", [*DAGS, *(f"more/{name}" for name in MORE)])
def test_an_example_is_taken_by_spec_and_form(name: str) -> None:
    spec, params = DAGS[name.removeprefix("more/").partition(".")[0]]
    example = json.loads((EXAMPLES / f"{name}.json").read_text())
    taken = spec.from_params(example)
    assert {key: taken.model_dump(mode="json")[key] for key in example} == example
    form = params()
    assert example.keys() <= form.keys()
    for key, value in example.items():
        form[key].resolve(value)  # raises when the form's schema refuses it
