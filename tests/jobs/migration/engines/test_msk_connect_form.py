"""The form of ``mirror_maker2_on_msk_connect`` says what its spec knows."""

from __future__ import annotations

import pytest

from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.engines.msk_connect_spec import MskConnectSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

REQUIRED = ("topics", "service_execution_role_arn")


def test_form_and_spec_have_the_same_params_and_defaults() -> None:
    form = params_of(MskConnectSpec)
    assert form.keys() == MskConnectSpec.model_fields.keys() - set(MskConnectSpec.form_without)
    for name, field in MskConnectSpec.model_fields.items():
        if name in form and name not in REQUIRED:
            assert form[name].value == getattr(field.default, "value", field.default), name


def test_what_has_no_default_is_asked_for() -> None:
    form = params_of(MskConnectSpec)
    for name in REQUIRED:
        assert not form[name].has_value, name


def test_an_installation_may_set_what_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/events/1a2b3c4d-5"
    monkeypatch.setenv("FERRY_MSK_CLUSTER_ARN", arn)
    monkeypatch.setenv("FERRY_MSK_PLUGIN_BUCKET", "plugins")
    form = params_of(MskConnectSpec)
    assert (form["cluster_arn"].resolve(), form["plugin_bucket"].resolve()) == (arn, "plugins")


def test_what_is_always_set_is_not_folded_away() -> None:
    form = params_of(MskConnectSpec)
    first = ["topics", "migration", "source_conn_id", "target_conn_id", "cluster_arn", "service_execution_role_arn"]
    assert list(form)[: len(first)] == first
    assert not [name for name in [*first, "plugin_bucket"] if "section" in form[name].schema]


def test_its_migrations_alias_is_not_the_main_dags() -> None:
    # Two with one alias mix their offset-syncs topics.
    assert params_of(MskConnectSpec)["migration"].value != params_of(MigrationSpec)["migration"].value
