"""TLS of a connector to a database, as the database's Airflow connection says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.hooks.database.tls import yes_or_no
from kafka_ferry.jobs.cdc.debezium_config import Check

#: Files of the Connect workers, and their passwords.
_STORES = ("truststore", "truststore_password", "keystore", "keystore_password")


def worker_stores(extra: Mapping[str, Any]) -> dict[str, str]:
    """What the connection says of the Connect workers' files: ``worker_truststore`` … without the ``worker_``."""
    return {key: str(extra[f"worker_{key}"]) for key in _STORES if extra.get(f"worker_{key}")}


def worker_check(conn_id: str, extra: Mapping[str, Any]) -> Check:
    """What a connector can ask of the server's certificate, where TLS is on.

    An authority of ours is a file that its worker has not, unless it has a truststore; and without an authority of ours
    its JVM's count, as the system's do here.
    """
    if extra.get("ssl_ca") and not extra.get("worker_truststore"):
        return Check.NOTHING
    named = yes_or_no(conn_id, "ssl_verify_identity", extra.get("ssl_verify_identity")) is not False
    return Check.NAME if named else Check.AUTHORITY
