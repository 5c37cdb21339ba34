"""From an ``aws`` connection to an object store."""

from __future__ import annotations

from typing import Any

from airflow.sdk.log import mask_secret

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.objects.aws_connection import check_aws_connection, check_config_kwargs
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.store import PATIENCE, ObjectStore


def store_settings(aws_conn_id: str | None) -> dict[str, Any]:
    """Settings of ``S3Store``, as the connection and boto3's own chain give them.

    Temporary keys (an assumed role) are those of this moment: a task that outlives them fails, and its retry goes on
    with new ones.

    :raises BadConnection: no such connection, nobody has credentials, or botocore does not take its ``config_kwargs``.
    :raises MissingExtra: the extra ``aws`` is not installed.
    """
    with brought_by("aws"):  # a folder needs none of it
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    check_aws_connection(aws_conn_id)
    hook: Any = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3")
    check_config_kwargs(aws_conn_id)
    try:
        config, found = hook.conn_config, hook.get_session().get_credentials()
    except Exception as error:  # botocore's and Airflow's own
        raise BadConnection(f"connection {aws_conn_id!r} cannot be used for S3: {type(error).__name__}") from error
    settings = {
        "endpoint_url": config.get_service_endpoint_url("s3"),
        "region_name": config.region_name,
        "verify": config.verify,
        "config_kwargs": config.extra_config.get("config_kwargs") or None,
        "extra_args": config.get_service_config("s3").get("extra_args") or None,
    }
    if secret := (settings["extra_args"] or {}).get("SSECustomerKey"):
        mask_secret(secret)
    if (settings["config_kwargs"] or {}).get("signature_version") != "unsigned":
        settings |= _keys(aws_conn_id, found)
    return {key: value for key, value in settings.items() if value is not None}


def _keys(aws_conn_id: str | None, found: Any) -> dict[str, str | None]:
    if found is None:
        raise BadConnection(f"connection {aws_conn_id!r}: no credentials. Fix: keys in the connection, or a role")
    frozen = found.get_frozen_credentials()
    for secret in (frozen.secret_key, frozen.token):
        if secret:
            mask_secret(secret)
    return {
        "aws_access_key_id": frozen.access_key,
        "aws_secret_access_key": frozen.secret_key,
        "aws_session_token": frozen.token,
    }


def store_of(location: str, aws_conn_id: str | None, patience: float = PATIENCE) -> ObjectStore:
    """The store of a location; the connection is only looked at for ``s3://``."""
    return open_store(location, store_settings(aws_conn_id) if location.startswith("s3://") else None, patience)
