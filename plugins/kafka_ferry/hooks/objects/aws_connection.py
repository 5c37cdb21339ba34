"""An ``aws`` connection that is named must be there: without it boto3 takes whatever credentials it finds."""

from __future__ import annotations

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.exceptions import BadConnection

#: Airflow's own name for "whatever there is": the one that need not exist.
DEFAULT = "aws_default"


def check_aws_connection(conn_id: str | None) -> None:
    """Refuse a typing error. The provider's hook only warns, "switching to empty", and so another account is used.

    :param conn_id: empty or ``aws_default``: the host's own credentials will do.
    :raises BadConnection: there is no such connection, or it is of another type.
    """
    if not conn_id:
        return
    try:
        kind = BaseHook.get_connection(conn_id).conn_type
    except AirflowNotFoundException as error:
        if conn_id == DEFAULT:
            return
        raise BadConnection(
            f"connection {conn_id!r} does not exist, and boto3 would use other credentials in its place. Fix: create "
            "it with type aws, correct the param, or leave the param empty for the host's own credentials"
        ) from error
    if kind != "aws":
        raise BadConnection(
            f"connection {conn_id!r} is of type {kind!r}, and boto3 would use other credentials in its place. Fix: a "
            "connection of type aws"
        )
