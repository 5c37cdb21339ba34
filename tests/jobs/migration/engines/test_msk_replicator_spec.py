from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec

OLD, NEW = (f"arn:aws:kafka:eu-west-1:123456789012:cluster/{name}/1-2" for name in ("old", "new"))
GIVEN: dict[str, Any] = {
    "topics": ["orders"],
    "source_cluster_arn": OLD,
    "cluster_arn": NEW,
    "service_execution_role_arn": "arn:aws:iam::123456789012:role/replicator",
}


def test_defaults_copy_what_is_there_under_the_same_names_and_wait_long_enough() -> None:
    spec = MskReplicatorSpec.from_params(GIVEN)
    assert (spec.starting_position, spec.target_topic("orders")) == ("EARLIEST", "orders")
    assert spec.running_timeout >= 30 * 60
    assert spec.headers_left_out == ("__mskmr",)
    assert spec.connect_conn_id is None


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"source_cluster_arn": "old"}, "source_cluster_arn"),
        ({"cluster_arn": NEW.replace(":kafka:", ":kafkaconnect:")}, "cluster_arn"),
        ({"service_execution_role_arn": "replicator"}, "service_execution_role_arn"),
        ({"naming": "prefix"}, "naming"),
        ({"heartbeats": True}, "heartbeats"),
        ({"exactly_once": True}, "exactly_once"),
        ({"group_offsets": "mm2"}, "group_offsets"),
        ({"starting_position": "MIDDLE"}, "starting_position"),
        ({"compression": "bzip2"}, "compression"),
        ({"starting_position": "LATEST"}, "canary"),
    ],
)
def test_bad_params_are_named(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadParam) as refusal:
        MskReplicatorSpec.from_params(GIVEN | changes)
    assert refusal.value.param == param


@pytest.mark.parametrize("missing", GIVEN)
def test_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(BadParam, match=f"'{missing}' is missing"):
        MskReplicatorSpec.from_params({key: value for key, value in GIVEN.items() if key != missing})
