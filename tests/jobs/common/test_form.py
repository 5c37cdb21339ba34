"""A form says what its spec knows: types, choices, limits, defaults; the same for every DAG."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from airflow.sdk.exceptions import ParamValidationError
from pydantic import Field, StringConstraints, ValidationError

from forms import DAGS
from kafka_ferry.core.spec import Spec
from kafka_ferry.jobs.common.form import Form

EXAMPLES = Path(__file__).resolve().parents[3] / "include" / "examples"


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Ferry(Spec):
    topics: list[str] = Field(min_length=1)
    name: Annotated[str, StringConstraints(pattern="^[a-z]+$")] = "ferry"
    speed: Speed = Speed.SLOW
    decks: Literal[1, 2] = 1
    masts: int = Field(default=2, ge=1, le=3)
    seconds: float | None = Field(default=None, gt=0)
    flag: Speed | None = None
    settings: dict[str, str] = Field(default={})


def schema(name: str, **more: Any) -> dict[str, Any]:
    form = Form(Ferry)
    form(name, "Title", "Text.", **more)
    found = dict(form.params[name].schema)
    assert (found.pop("title"), found.pop("text")) == ("Title", "Text.")
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("topics", {"type": "array", "items": {"type": "string"}, "minItems": 1}),
        ("name", {"type": "string", "pattern": "^[a-z]+$"}),
        ("speed", {"type": "string", "enum": ["slow", "fast"]}),
        ("decks", {"type": "integer", "enum": [1, 2]}),
        ("masts", {"type": "integer", "minimum": 1, "maximum": 3}),
        ("seconds", {"type": ["null", "number"], "exclusiveMinimum": 0}),
        ("flag", {"type": ["null", "string"], "enum": ["slow", "fast"]}),
        ("settings", {"type": ["null", "object"]}),
    ],
)
def test_the_schema_is_the_specs(name: str, expected: dict[str, Any]) -> None:
    assert schema(name) == expected


def test_what_is_said_beside_comes_first() -> None:
    assert schema("masts", type=["null", "integer"], maximum=2)["type"] == ["null", "integer"]
    assert schema("masts", maximum=2)["maximum"] == 2


def test_defaults_come_from_the_environment_the_caller_or_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    def value(**how: Any) -> Any:
        form = Form(Ferry, **how)
        form("name", "Name", "Text.")
        return form.params["name"].resolve()

    environment = {"name": "FERRY_NAME"}
    assert value(environment=environment) == "ferry"
    assert value(defaults={"name": "mine"}) == "mine"
    monkeypatch.setenv("FERRY_NAME", "theirs")
    assert value(environment=environment) == "theirs"


def test_what_has_no_default_must_be_given() -> None:
    form = Form(Ferry)
    form("topics", "Topics", "Text.")
    assert not form.params["topics"].has_value
    with pytest.raises(ParamValidationError):
        form.params["topics"].resolve()
    form("speed", "Speed", "Text.")
    assert form.params["speed"].resolve() == "slow", "an enum's own value, as JSON has it"


def test_sections_and_order() -> None:
    form = Form(Ferry)
    form("name", "Name", "Text.")
    form.section = "More"
    form("masts", "Masts", "Text.")
    form("decks", "Decks", "Text.")
    assert "section" not in form.params["name"].schema
    assert form.params["masts"].schema["section"] == "More"
    form("name", "Other", "Text.")
    assert (list(form.params), form.params["name"].schema["title"]) == (["name", "masts", "decks"], "Other")
    form.first("decks")
    assert list(form.params) == ["decks", "name", "masts"]
    form.leave_out("masts")
    assert list(form.params) == ["decks", "name"]
    form.keep("name")
    assert list(form.params) == ["name"]


def test_words_of_another_form_with_our_own_limits() -> None:
    class Other(Spec):
        masts: int = Field(default=7, ge=5)

    form, other = Form(Ferry), Form(Other)
    other.section = "Other"
    other("masts", "Masts of it", "How many.", examples=[6])
    form.like(other.params, "masts")
    param = form.params["masts"]
    assert (param.value, param.description) == (2, "masts: How many. For example 6.")
    words = {"title": "Masts of it", "text": "How many.", "suggestions": [6]}
    assert param.schema == {**words, "type": "integer", "minimum": 1, "maximum": 3}


@pytest.mark.parametrize("dag", DAGS)
def test_every_form_asks_for_what_its_spec_knows_in_whole_sentences(dag: str) -> None:
    spec, params = DAGS[dag]
    form = params()
    assert form.keys() <= spec.model_fields.keys()
    for name, param in form.items():
        assert param.schema["title"], name
        assert len(param.description or "") > 10, name
        assert (param.description or "").endswith("."), name
        default = spec.model_fields[name].default
        if param.has_value:
            assert param.value == getattr(default, "value", default), name
        if "values_display" in param.schema:
            assert list(param.schema["values_display"]) == param.schema["enum"], name


@pytest.mark.parametrize(
    ("name", "title", "more", "expected"),
    [
        ("masts", "Masts", {}, "Text."),  # the title says the name
        ("masts", "Poles", {}, "masts: Text."),
        ("name", "Name", {"examples": ["ship", "boat"]}, "Text. For example ship or boat."),
        ("settings", "Settings", {"examples": [{"a": "b"}]}, 'Text. For example {"a": "b"}.'),
    ],
)
def test_the_text_names_the_param_and_its_examples(name: str, title: str, more: Any, expected: str) -> None:
    form = Form(Ferry)
    form(name, title, "Text.", **more)
    assert form.params[name].description == expected
    assert "examples" not in form.params[name].schema, "the field would offer options where there are none"


@pytest.mark.parametrize("dag", DAGS)
def test_no_star_stands_where_a_field_may_be_empty(dag: str) -> None:
    """Airflow's form marks what may not be null as required."""
    spec, params = DAGS[dag]
    example = json.loads((EXAMPLES / f"{dag}.json").read_text())
    for name, param in params().items():
        try:
            spec.model_validate({**example, name: None})
            empty = True
        except ValidationError:
            empty = False
        star = "null" not in param.schema["type"]
        assert star or empty, name
        # A migration's connect_conn_id is shared by engines that need none; those with Connect ask for it.
        assert not (star and empty) or name == "connect_conn_id", name
        assert not (star and "Empty: " in param.schema["text"]), name


@pytest.mark.parametrize("dag", DAGS)
def test_what_a_form_takes_its_spec_takes_too(dag: str) -> None:
    """Null above all: it is what an emptied field of a form gives."""
    spec, params = DAGS[dag]
    example = json.loads((EXAMPLES / f"{dag}.json").read_text())
    for name, param in params().items():
        if "null" in param.schema["type"]:
            spec.model_validate({**example, name: None})
