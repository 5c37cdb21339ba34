"""What a run is of, by its params, and back from an XCom."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from pydantic import Field

from kafka_ferry.core.job_name import LONGEST, JobName
from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Spec
from params_tables import SPECS


class Shop(Spec):
    run_kind = Kind.BACKUP
    named_by: ClassVar = ("backup", "location", "target_conn_id")

    backup: str = Field(default="nightly")
    location: str = Field(default="s3://b/p")
    target_conn_id: str | None = Field(default=None)
    dry_run: bool = Field(default=False)


def test_it_is_named_by_its_params_and_by_their_defaults() -> None:
    assert JobName.of(Shop, {"backup": "orders", "target_conn_id": "kafka_target", "dry_run": True}) == JobName(
        kind="backup", name="orders", where="s3://b/p → kafka_target", dry_run=True
    )
    assert JobName.of(Shop, {}) == JobName(kind="backup", name="nightly", where="s3://b/p")


NAMED = {dag: spec for dag, spec in SPECS.items() if spec.run_kind}


def test_every_dag_is_of_a_job() -> None:
    assert SPECS.keys() == NAMED.keys()


@pytest.mark.parametrize("spec", NAMED.values(), ids=list(NAMED))
def test_every_job_says_what_its_runs_are_of(spec: type[Spec]) -> None:
    made = JobName.of(spec, {})
    assert made.kind in set(Kind)
    # A name there is of every run, but of what a user has to give, or may leave empty.
    named = spec.model_fields[spec.named_by[0]]
    assert bool(made.name) is not (named.is_required() or named.default == [])
    assert "Undefined" not in f"{made}"


def test_a_job_that_does_not_say_so_has_runs_without_a_name() -> None:
    assert JobName.of(Spec, {"dry_run": True}) == JobName(kind="", name="", dry_run=True)


def test_it_comes_back_from_an_xcom() -> None:
    made = JobName.of(Shop, {"backup": "orders"})
    assert made.to_json() == {
        "schema": "kafka-ferry.job/1",
        "kind": "backup",
        "name": "orders",
        "where": "s3://b/p",
        "dry_run": False,
    }
    assert JobName.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert JobName.from_json(made.to_json() | {"of_a_later_version": 1}) == made


@pytest.mark.parametrize(
    "other",
    [None, 1, "s3://bucket/xcom", [], {}, {"schema": "kafka-ferry.job/2", "kind": "copy", "name": "a"}, {"name": []}],
)
def test_what_is_none_is_none(other: object) -> None:
    assert JobName.from_json(other) is None


def test_params_that_are_refused_are_named_all_the_same() -> None:
    made = JobName.of(Shop, {"backup": ["a", {"b": 1}], "location": None, "target_conn_id": 7, "dry_run": "yes"})
    assert (made.name, made.where, made.dry_run) == ("a, {'b': 1}", "7", False)


def test_it_is_small_and_tells_no_secret_whatever_the_params_are() -> None:
    made = JobName.of(Shop, {"backup": ["x" * 1_000] * 10_000, "location": "https://u:hunter2@store.example.org/b"})
    assert len(json.dumps(made.to_json())) < 3 * LONGEST
    assert "hunter2" not in json.dumps(made.to_json())
    assert made.name != JobName.of(Shop, {"backup": ["x" * 1_000]}).name
