"""A typing error in the name of an aws connection must not end in another account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.objects.aws_connection import check_aws_connection
from kafka_ferry.hooks.objects.s3_connection import store_of, store_settings
from kafka_ferry.jobs.runtimes.service_role.role_hook import RoleHook


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the host, which boto3 would take."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-host")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AIRFLOW_CONN_PROD", "aws://k:s@/?region_name=eu-west-1")
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_SOURCE", "kafka://")


USERS: list[Callable[[str], object]] = [
    store_settings,
    lambda conn_id: store_of("s3://b/x", conn_id),
    lambda conn_id: MskConnectHook(aws_conn_id=conn_id).conn,
    lambda conn_id: MskConnectHook(aws_conn_id=conn_id).sibling("logs"),
    lambda conn_id: MskReplicatorHook(aws_conn_id=conn_id).conn,
    lambda conn_id: RoleHook(aws_conn_id=conn_id).call("get_role", RoleName="r"),
]


@pytest.mark.parametrize("use", USERS)
def test_a_connection_that_is_not_there_or_no_aws_one_is_refused(use: Callable[[str], object]) -> None:
    with pytest.raises(BadConnection, match=r"connection 'prdo' does not exist, and boto3 would use other credentials"):
        use("prdo")
    with pytest.raises(BadConnection, match="connection 'kafka_source' is of type 'kafka'"):
        use("kafka_source")


def test_what_is_there_or_left_empty_works() -> None:
    assert store_settings("prod")["aws_access_key_id"] == "k"
    assert MskConnectHook(aws_conn_id="prod").conn.meta.region_name == "eu-west-1"
    for empty in (None, "", "aws_default"):
        check_aws_connection(empty)
        assert store_settings(empty)["aws_access_key_id"] == "of-the-host"
