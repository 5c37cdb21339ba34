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


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-source-AbCdEf"
OUTSIDE: dict[str, Any] = {
    "source_cluster_arn": None,
    "source_bootstrap": "b1.corp:9094,b2.corp:9094",
    "source_login_arn": SECRET,
    "source_subnets": ["subnet-0a", "subnet-0b"],
}


def test_a_source_outside_msk_or_of_another_account_is_told_by_its_brokers_and_a_secret() -> None:
    spec = MskReplicatorSpec.from_params({**GIVEN, **OUTSIDE, "source_login": "mTLS", "source_ca_arn": SECRET})
    assert (spec.source_cluster_arn, spec.source_login) == ("", "mTLS")
    assert MskReplicatorSpec.from_params(GIVEN | OUTSIDE).source_login == "SCRAM-SHA-512"


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
        ({"service_execution_role_arn": "arn:aws:iam::210987654321:role/r"}, "service_execution_role_arn"),
        ({"source_bootstrap": "b1:9094"}, "source_bootstrap"),  # beside the ARN
        ({"source_login_arn": SECRET}, "source_login_arn"),
        ({"source_subnets": ["subnet-0a"]}, "source_subnets"),
        ({"source_cluster_arn": None}, "source_cluster_arn"),
        ({**OUTSIDE, "source_bootstrap": "b1"}, "source_bootstrap"),
        ({**OUTSIDE, "source_login_arn": None}, "source_login_arn"),
        ({**OUTSIDE, "source_login_arn": "hunter2"}, "source_login_arn"),
        ({**OUTSIDE, "source_login_arn": SECRET.replace("eu-west-1", "us-east-1")}, "source_login_arn"),
        ({**OUTSIDE, "source_ca_arn": SECRET.replace("eu-west-1", "us-east-1")}, "source_ca_arn"),
        ({**OUTSIDE, "source_subnets": ["subnet-0a"]}, "source_subnets"),
        ({**OUTSIDE, "source_subnets": ["subnet-0a", "vpc-1"]}, "source_subnets"),
        ({**OUTSIDE, "source_security_groups": ["default"]}, "source_security_groups"),
        ({**OUTSIDE, "source_login": "PLAIN"}, "source_login"),
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
