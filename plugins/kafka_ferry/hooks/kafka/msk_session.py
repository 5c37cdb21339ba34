"""The ``aws`` connection that MSK IAM logs in by, also in a process of ours that cannot ask Airflow for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow.sdk import Connection

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.msk_iam import MskLogin
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.objects.aws_connection import check_aws_connection

_FIELDS = ("conn_id", "conn_type", "host", "schema", "login", "password", "port")


def held_connection(conn_id: str) -> dict[str, Any]:
    """The connection as a mapping for JSON, secrets included; empty when it is ``aws_default`` and does not exist.

    :raises BadConnection: another one that does not exist, or one of another type.
    """
    check_aws_connection(conn_id)
    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return {}
    return {**{field: getattr(found, field) for field in _FIELDS}, "extra": found.extra_dejson}


def session_of(login: MskLogin, held: Mapping[str, Any] | None) -> Any:
    """boto3's session of the connection: keys, profile, assumed role, web identity, whatever the provider knows.

    :param held: of :func:`held_connection`; None: ask Airflow.
    """
    with brought_by("aws"):
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    known = held_connection(str(login.aws_conn_id)) if held is None else held

    class Hook(AwsBaseHook):
        def get_connection(self, conn_id: str) -> Connection:  # type: ignore[override]
            fields: dict[str, Any] = {field: known.get(field) for field in _FIELDS}
            return Connection(**fields, extra=json.dumps(known["extra"]))

    return Hook(aws_conn_id=known.get("conn_id"), client_type="kafka", region_name=login.region).get_session()
