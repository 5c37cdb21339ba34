"""The trigger form says all that the spec knows, and nothing else."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import ParamValidationError
from pydantic.fields import FieldInfo

from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

PARAMS = params_of(MigrationSpec)
FIELDS = MigrationSpec.model_fields
#: What a user always sets: a form whose params all have sections opens folded.
ESSENTIAL = {"topics", "migration", "source_conn_id", "target_conn_id", "dry_run", "keep_replicating"}


def limits(field: FieldInfo) -> dict[str, Any]:
    """In the words of JSON schema."""
    names = {"ge": "minimum", "le": "maximum", "pattern": "pattern"}
    return {
        shown: value
        for part in field.metadata
        for name, shown in names.items()
        if (value := getattr(part, name, None)) is not None
    }


def test_the_limits_are_found() -> None:
    assert limits(FIELDS["tasks_max"]) == {"minimum": 1, "maximum": 1000}
    assert limits(FIELDS["migration"]).keys() == {"pattern"}


def choices(field: FieldInfo) -> list[str] | None:
    if isinstance(field.annotation, type) and hasattr(field.annotation, "__members__"):
        return [item.value for item in field.annotation]
    found = [item for item in get_args(field.annotation) if isinstance(item, str)]
    return found or None


def test_form_and_spec_have_the_same_params() -> None:
    assert PARAMS.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "topics"])
def test_defaults_are_equal(name: str) -> None:
    default = FIELDS[name].default
    assert PARAMS[name].value == getattr(default, "value", default)


def test_what_a_user_always_sets_has_no_section() -> None:
    assert {name for name, param in PARAMS.items() if not param.schema.get("section")} == ESSENTIAL
    assert next(iter(PARAMS)) == "topics"


@pytest.mark.parametrize("name", FIELDS)
def test_limits_and_choices_are_the_specs(name: str) -> None:
    schema = PARAMS[name].schema
    for key, value in limits(FIELDS[name]).items():
        assert schema.get(key) == value, key
    assert schema.get("enum") == choices(FIELDS[name])
    if "values_display" in schema:
        assert list(schema["values_display"]) == schema["enum"]


def test_a_trigger_with_topics_alone_works_and_without_is_refused() -> None:
    params = ParamsDict({**params_of(MigrationSpec)})
    with pytest.raises(ParamValidationError, match="topics"):
        params.validate()
    params["topics"] = ["orders"]
    assert MigrationSpec.from_params(params.validate()) == MigrationSpec(topics=["orders"])
