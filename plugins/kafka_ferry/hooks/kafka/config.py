"""From a `kafka` connection's extra to a librdkafka configuration; free of Airflow: worker processes start fast."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka_ferry.core.msk_iam import AWS_CONNECTION, is_msk_iam, login_of
from kafka_ferry.core.oidc import is_oidc

# Settings of one kind of client only: librdkafka warns (or refuses) when another kind is given them.
_NOT_FOR_US = ("group.id", "group.instance.id", "auto.offset.reset", "enable.auto.commit", "enable.auto.offset.store")

#: Where systems have them: Debian, Red Hat, Alpine and macOS, SUSE.
_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)


def client_config(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a librdkafka configuration for our own clients.

    Consumer-group settings of the connection are left out: a verification must never join a user's group.
    With ``sasl.mechanism=OAUTHBEARER`` and an MSK host an ``oauth_cb`` that signs MSK IAM tokens is added, as the
    apache-kafka provider does; but with the credentials of the connection that ``sasl.oauthbearer.config`` names.
    A token endpoint's certificate is looked up among the system's CAs, where the connection names none.

    :param extra: the connection's extra: librdkafka keys, values as JSON gives them.
    :raises BadConnection: MSK IAM has no credentials to sign with, or no region. ``TransientError``: STS is away.
    """
    config = {key: value for key, value in extra.items() if key not in _NOT_FOR_US}
    held = config.pop(AWS_CONNECTION, None)
    config.setdefault("client.id", "kafka-ferry")
    if is_oidc(config) and "https.ca.pem" not in config and (own := _system_ca()):
        config.setdefault("https.ca.location", own)
    if is_iam(config) and "oauth_cb" not in config:
        from kafka_ferry.hooks.kafka.msk_token import msk_token  # boto3 is slow to load, and rarely needed here

        config["oauth_cb"] = msk_token(login_of(_servers(config), str(config.get("sasl.oauthbearer.config", ""))), held)
    return config


def missing_file(extra: Mapping[str, Any]) -> str:
    """The first file that a setting names and this machine cannot read, with the cure; empty: none.

    librdkafka says ``BIO lib`` or ``system lib`` of it.
    """
    for key, value in extra.items():
        if key.startswith(("ssl.", "https.")) and key.endswith(".location") and value != "probe":
            try:
                if not Path(str(value)).is_dir():
                    Path(str(value)).open("rb").close()
            except OSError as error:
                why = (error.strerror or type(error).__name__).lower()
                fix = "the file must be there on every machine that runs tasks, and be readable to them"
                return f"{key} {str(value)!r}: {why}. Fix: {fix}"
    return ""


def _system_ca() -> str | None:
    """The system's CAs. For token endpoints librdkafka's wheel knows the path of Red Hat alone, and "probe" finds no
    other (measured, 2.16)."""
    return next((path for path in _CA_FILES if Path(path).exists()), None)


def is_iam(extra: Mapping[str, Any]) -> bool:
    """Whether a connection's clients log in by MSK IAM: one of its hosts is an MSK host, or it has the mark."""
    mechanism = extra.get("sasl.mechanism") or extra.get("sasl.mechanisms") or ""
    if str(mechanism).upper() != "OAUTHBEARER" or extra.get("sasl.oauthbearer.method") == "oidc":
        return False
    said = str(extra.get("sasl.oauthbearer.config", ""))
    return any(is_msk_iam(server, said) for server in _servers(extra).split(","))


def _servers(extra: Mapping[str, Any]) -> str:
    return str(extra.get("bootstrap.servers") or extra.get("metadata.broker.list") or "")
