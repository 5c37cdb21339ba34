"""How connectors on MSK Connect reach their cluster. Pure."""

from __future__ import annotations

from kafka_ferry.core.msk_iam import java_settings


def target_settings(bootstrap_servers: str, authentication: str, encryption: str) -> dict[str, str]:
    """Java client settings of an MSK cluster as a connector on MSK Connect reaches it.

    :param authentication: ``IAM`` (the worker's role) or ``NONE``. ``encryption``: ``TLS`` or ``PLAINTEXT``.
    """
    if authentication == "IAM":
        return {"bootstrap.servers": bootstrap_servers, "security.protocol": "SASL_SSL", **java_settings()}
    return {
        "bootstrap.servers": bootstrap_servers,
        "security.protocol": "SSL" if encryption == "TLS" else "PLAINTEXT",
    }
