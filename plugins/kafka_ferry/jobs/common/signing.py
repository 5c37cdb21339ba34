"""From an Airflow connection to what signs: backups, certificates."""

from __future__ import annotations

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import BadConnection
from kafka_ferry.jobs.common.deployment import signing_connection


def signer_of(conn_id: str | None) -> Signer | None:
    """The key in a connection's password; extra ``accepted`` lists others that are taken when reading.

    :param conn_id: None: the deployment's, if it has one.
    :raises BadParam: not one of the deployment's.
    :raises BadConnection: no such connection, or its keys cannot be used.
    """
    conn_id = signing_connection(conn_id)
    if conn_id is None:
        return None
    try:
        connection = BaseHook.get_connection(conn_id)
        extra = connection.extra_dejson
    except AirflowNotFoundException as error:
        raise BadConnection(f"signing_conn_id: connection {conn_id!r} does not exist. Fix: create it, or leave "
            "the param "
                            "empty") from error  # fmt: skip
    accepted = extra.get("accepted") or []
    if not isinstance(accepted, list) or not all(isinstance(one, str) for one in accepted):
        raise BadConnection(f"connection {conn_id!r}: accepted in its extra is not a list of keys")
    for secret in (connection.password, *accepted):
        if secret:
            mask_secret(secret)
    try:
        return Signer(connection.password or "", accepted)
    except BadConnection as error:
        raise BadConnection(f"connection {conn_id!r}: {error}") from None
