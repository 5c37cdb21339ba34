"""A form says what its spec knows: types, choices, limits, defaults, texts; the same for every DAG."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError
from pydantic import Field, StringConstraints, ValidationError, create_model

from forms import DAGS
from kafka_ferry.core.spec import Spec
from kafka_ferry.jobs.common.form import params_of

EXAMPLES = Path(__file__).resolve().parents[3] / "include" / "examples"


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


Says = Field(title="Title", description="Text.")


class Ferry(Spec):
    topics: Annotated[list[str], Says] = Field(min_length=1)
    name: Annotated[str, StringConstraints(pattern="^[a-z]+$"), Says] = "ferry"
    speed: Annotated[Speed, Says] = Speed.SLOW
    decks: Annotated[Literal[1, 2], Says] = 1
    masts: Annotated[int, Says] = Field(default=2, ge=1, le=3)
    seconds: Annotated[float | None, Says] = Field(default=None, gt=0)
    flag: Annotated[Speed | None, Says] = None
    settings: Annotated[dict[str, str], Says] = Field(default={})


def made(kind: Any, **field: Any) -> Param:
    """The param of a spec's only field."""
    return params_of(create_model("One", __base__=Spec, name=(kind, Field(**{"description": "Text.", **field}))))[
        "name"
    ]


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
    assert params_of(Ferry)[name].schema == {"title": "Title", "text": "Text.", **expected}


def test_what_is_said_beside_comes_first() -> None:
    extra = {"type": ["null", "integer"], "maximum": 2, "section": "More", "values_display": {"1": "one"}}
    schema = made(int, default=1, ge=1, le=3, title="Masts", json_schema_extra=extra).schema
    assert schema == {**extra, "minimum": 1, "title": "Masts", "text": "Text."}


def test_defaults_come_from_the_environment_the_caller_or_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(Ferry):
        name: str = Field(default="ferry", json_schema_extra={"environment": "FERRY_NAME"})

    assert params_of(Own)["name"].resolve() == "ferry"
    assert params_of(Own, name="mine")["name"].resolve() == "mine"
    monkeypatch.setenv("FERRY_NAME", "theirs")
    assert params_of(Own, name="mine")["name"].resolve() == "theirs"
    assert "environment" not in params_of(Own)["name"].schema


def test_a_default_of_no_param_is_refused() -> None:
    with pytest.raises(TypeError, match="Ferry has no param nmae"):
        params_of(Ferry, nmae="mine")


def test_what_the_deployment_allows_first_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def hosts(**defaults: Any) -> Param:
        class Own(Spec):
            hosts: list[str] = Field(
                default=["local"], title="Hosts", description="Text.", json_schema_extra={"allowed": "hosts"}
            )

        return params_of(Own, **defaults)["hosts"]

    monkeypatch.setenv("AIRFLOW__KAFKA_FERRY__HOSTS", "*, mm2-*")
    assert not hosts().has_value, "who triggers has to say"
    monkeypatch.setenv("AIRFLOW__KAFKA_FERRY__HOSTS", "*, b, a")
    assert hosts().value == ["b"]
    assert hosts(hosts=["a"]).value == ["a"]
    assert "allowed" not in hosts().schema


def test_what_has_no_default_must_be_given() -> None:
    params = params_of(Ferry)
    assert not params["topics"].has_value
    with pytest.raises(ParamValidationError):
        params["topics"].resolve()
    assert params["speed"].resolve() == "slow", "an enum's own value, as JSON has it"


def test_the_order_is_the_specs_but_for_what_it_says_itself() -> None:
    class Own(Ferry):
        form_first = ("decks", "masts")
        form_last = ("speed", "name")
        form_without = ("flag", "settings")

    assert list(params_of(Ferry)) == list(Ferry.model_fields)
    assert list(params_of(Own)) == ["decks", "masts", "topics", "seconds", "speed", "name"]
    assert Own.from_params({"topics": ["a"], "flag": "slow"}).flag is Speed.SLOW, "only the form leaves it out"


def test_a_field_that_is_declared_again_keeps_what_it_does_not_say() -> None:
    class Base(Spec):
        masts: int = Field(
            default=1, ge=1, title="Masts", description="How many.", examples=[6], json_schema_extra={"section": "Hull"}
        )

    class Default(Base):
        masts: int = Field(default=7, ge=5)

    class Place(Base):
        masts: int = Field(default=1, json_schema_extra={})

    class Other(Base):
        masts: int = Field(default=1, title="Poles", description="Made of wood.")

    words = {"title": "Masts", "text": "How many.", "suggestions": [6], "type": "integer"}
    param = params_of(Default)["masts"]
    assert (param.value, param.description) == (7, "How many. For example 6.")
    assert param.schema == {**words, "section": "Hull", "minimum": 5}
    assert params_of(Place)["masts"].schema == words
    assert params_of(Other)["masts"].schema == {"title": "Poles", "text": "Made of wood.", "type": "integer"}


def test_a_param_of_which_nothing_is_said_makes_no_form() -> None:
    with pytest.raises(TypeError, match=r"One\.name has no title"):
        made(str, default="")
    with pytest.raises(TypeError, match=r"One\.name has no title or no description"):
        made(str, default="", title="Name", description=None)


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
        ("crew", "Crew", {"examples": [["ann", "bob"]]}, "Text. For example ann, bob."),  # its field is no JSON
    ],
)
def test_the_text_names_the_param_and_its_examples(name: str, title: str, more: Any, expected: str) -> None:
    spec = create_model("One", __base__=Spec, **{name: (Any, Field(title=title, description="Text.", **more))})
    param = params_of(spec)[name]
    assert param.description == expected
    assert "examples" not in param.schema, "the field would offer options where there are none"


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


@pytest.mark.parametrize("dag", DAGS)
def test_the_examples_that_a_form_gives_are_taken(dag: str) -> None:
    spec, params = DAGS[dag]
    example = json.loads((EXAMPLES / f"{dag}.json").read_text())
    for name, param in params().items():
        for one in param.schema.get("suggestions", ()):
            value = [one] if "array" in param.schema["type"] and not isinstance(one, list) else one
            spec.model_validate({**example, name: value})
            param.resolve(value)
