"""The form of ``replicate_topics`` says what its spec knows."""

from __future__ import annotations

from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.engines.replicate_spec import ReplicateSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

PARAMS = params_of(ReplicateSpec)


def test_form_and_spec_have_the_same_params_and_defaults() -> None:
    assert PARAMS.keys() == ReplicateSpec.model_fields.keys()
    for name, field in ReplicateSpec.model_fields.items():
        if name != "topics":
            assert PARAMS[name].value == getattr(field.default, "value", field.default), name


def test_topics_alone_are_renamed() -> None:
    assert ReplicateSpec.from_params({"topics": ["connect"]}).target_topic("connect") == "connect.replica"


def test_its_migrations_alias_is_not_the_main_dags() -> None:
    # Two with one alias mix their offset-syncs topics.
    assert PARAMS["migration"].value != params_of(MigrationSpec)["migration"].value


def test_the_format_is_not_folded_away() -> None:
    assert list(PARAMS)[:2] == ["topics", "topic_rename_format"]
    assert "section" not in PARAMS["topic_rename_format"].schema
