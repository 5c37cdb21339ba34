"""An ``aws`` connection that is named must be there: without it boto3 takes whatever credentials it finds. And what it
says of botocore's config counts in every client."""

from __future__ import annotations

from typing import Any

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.objects.s3_client import client_config, extra_args

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


def check_config_kwargs(conn_id: str | None) -> None:
    """Name an option in ``config_kwargs`` that botocore does not take: its own error says nothing of a connection.

    :raises BadConnection: there is one.
    """
    try:
        extra = BaseHook.get_connection(conn_id).extra_dejson if conn_id else {}
    except AirflowNotFoundException:
        return
    try:
        client_config(extra.get("config_kwargs") or {})
    except BadConnection as error:
        raise BadConnection(f"connection {conn_id!r}: {error}") from error


def client_with(hook: Any, *, ours: Any = None, default: Any = None) -> Any:
    """boto3's client of an ``AwsBaseHook`` with more than the connection says.

    A config that is given to the hook itself would take the place of the connection's: its proxies would be lost.

    :param ours: botocore's config, which goes before the connection's. ``default``: one that comes after it.
    """
    config = hook.config
    if default is not None:
        config = default.merge(config)
    if ours is not None:
        config = config.merge(ours)
    return hook.get_client_type(region_name=hook.region_name, config=config)


def upload_args(hook: Any) -> dict[str, Any]:
    """What an upload by an ``AwsBaseHook`` for S3 has beside our own arguments (encryption), as the connection says.

    A key of SSE-C is left out: those for whom such a file is (MSK Connect, an instance) could not read it.
    """
    given = hook.conn_config.get_service_config("s3").get("extra_args") or {}
    found = extra_args(hook.conn, given)["PutObject"] if given else {}
    return {name: value for name, value in found.items() if not name.startswith("SSECustomer")}
