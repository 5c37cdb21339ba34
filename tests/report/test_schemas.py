"""A format of which files are out there does not change without a new version."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

import kafka_ferry
import schemas
from kafka_ferry.core.checks import Report
from kafka_ferry.core.plan import PLAN_SCHEMA, JobPlan, Plan
from kafka_ferry.jobs.migration.rules.plan import MigrationPlan
from schemas import FORMATS, KEPT, PLANS, changed, kept_file, schema_of


@pytest.mark.parametrize("model", FORMATS)
def test_a_format_is_what_is_kept_of_its_version(model: type[BaseModel]) -> None:
    assert changed(model, FORMATS[model]) == ""


def test_what_is_kept_of_todays_versions_is_of_todays_formats() -> None:
    todays = {version.replace("/", "-") for version in FORMATS.values()}
    kept = {file.name for file in KEPT.iterdir() if file.name.rsplit(".", 2)[0] in todays}
    assert kept == {kept_file(model, version).name for model, version in FORMATS.items()}


def leaves(plan: type[JobPlan]) -> Iterator[type[JobPlan]]:
    below = plan.__subclasses__()
    yield from [plan] if not below else [leaf for one in below for leaf in leaves(one)]


def test_the_plan_of_every_job_is_among_them() -> None:
    package = Path(kafka_ferry.__file__ or "").parent
    for file in package.rglob("plan.py"):
        importlib.import_module(".".join(file.relative_to(package.parent).with_suffix("").parts))
    ours = {plan for plan in leaves(JobPlan) if plan.__module__.startswith("kafka_ferry.")}
    assert ours == set(PLANS)


@pytest.mark.parametrize("plan", PLANS)
def test_the_report_reads_what_the_jobs_write(plan: type[JobPlan]) -> None:
    """What is called the same is the same, but for what is always there and what need not be."""
    written, read = schema_of(plan)["properties"], schema_of(Plan)["properties"]
    told = {name: without_none(part) for name, part in written.items() if name in read}
    assert told == {name: without_none(read[name]) for name in told}
    assert told.keys() >= {"schema", "planned", "spec", "source", "target", "topics"}


def without_none(part: dict[str, Any]) -> dict[str, Any]:
    kinds = [one for one in part.get("anyOf", []) if one != {"type": "null"}]
    return dict(kinds[0]) if len(kinds) == 1 else part


def remade(model: type[BaseModel], **fields: Any) -> type[BaseModel]:
    """The same with other fields; None takes one away."""
    own = {name: (field.annotation, field) for name, field in model.model_fields.items()}
    return create_model(
        model.__name__,
        __config__=model.model_config,
        **{name: one for name, one in {**own, **fields}.items() if one is not None},
    )


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Report, {"more": (int, 0)}),
        (Report, {"sentence": None}),
        (Report, {"sentence": (list[str], [])}),
        (Report, {"started": (str, ...)}),
        (Report, {"checks": (list[remade(Report.model_fields["checks"].annotation.__args__[0], more=(str, ""))], ...)}),
        (MigrationPlan, {"more": (int, 0)}),
        (MigrationPlan, {"groups": None}),
        (MigrationPlan, {"groups": (list[str], ...)}),
        (MigrationPlan, {"groups": (dict[str, int], {})}),
    ],
)
def test_a_field_that_is_added_removed_or_of_another_type_is_seen(model: Any, fields: dict[str, Any]) -> None:
    assert changed(remade(model), FORMATS[model], model) == "", "what is not changed is the same"
    assert "Give it a new version" in changed(remade(model, **fields), FORMATS[model], model)


def test_a_new_version_has_to_be_kept_and_the_old_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wider = remade(MigrationPlan, more=(int, 0))
    assert "make schemas" in changed(wider, "kafka-ferry.plan/2")
    old = kept_file(MigrationPlan, PLAN_SCHEMA).read_text()
    monkeypatch.setattr(schemas, "KEPT", tmp_path)
    monkeypatch.setattr(schemas, "FORMATS", {wider: "kafka-ferry.plan/2"})
    kept_file(MigrationPlan, PLAN_SCHEMA).write_text(old)
    schemas.keep()
    assert changed(wider, "kafka-ferry.plan/2") == ""
    monkeypatch.setattr(schemas, "FORMATS", {wider: PLAN_SCHEMA})
    schemas.keep()
    assert kept_file(MigrationPlan, PLAN_SCHEMA).read_text() == old


def test_words_for_people_are_no_part_of_a_format() -> None:
    worded = remade(Report)
    worded.__doc__ = "Other words."
    assert schema_of(worded) == schema_of(Report)
    assert "description" not in str(schema_of(Report))
