"""The form of ``msk_replicator`` says what its spec knows, but what a replicator cannot do."""

from __future__ import annotations

from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec

FORM = params_of(MskReplicatorSpec)
FIRST = ["topics", "source_cluster_arn", "cluster_arn", "service_execution_role_arn"]
REQUIRED = ["topics", "cluster_arn", "service_execution_role_arn"]  # the source may be told by its brokers
NOT_OFFERED = {
    "naming", "topic_rename_format", "source_alias", "heartbeats", "throughput", "tasks_max", "group_offsets",
    "exactly_once",
}  # fmt: skip


def test_form_and_spec_have_the_same_params_and_defaults() -> None:
    assert FORM.keys() == MskReplicatorSpec.model_fields.keys() - NOT_OFFERED
    for name, param in FORM.items():
        default = MskReplicatorSpec.model_fields[name].default
        if name in REQUIRED:
            assert not param.has_value, name
        else:
            assert param.value == getattr(default, "value", default), name


def test_what_is_always_set_is_not_folded_away() -> None:
    assert list(FORM)[: len(FIRST)] == FIRST
    assert not [name for name in FIRST if "section" in FORM[name].schema]
