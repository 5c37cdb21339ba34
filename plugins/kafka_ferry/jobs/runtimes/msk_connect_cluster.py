"""What connectors on MSK Connect can do with brokers that are not MSK's. Pure.

A worker logs in by IAM or by nothing (botocore's ``KafkaClusterClientAuthenticationType``), and a worker configuration
takes no ``sasl.*``, ``security.*`` and ``ssl.*`` (developer guide, "Supported worker configuration properties").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.hooks.msk_connect.rules.cluster import PLAINTEXT, TLS

_WAY_OUT = "workers of your own: mirror_maker2_on_connect, or runtime: connect_rest"
_OWN_CA = ("ssl.ca.pem", "ssl.ca.location")
_CERTIFICATE = ("ssl.certificate.pem", "ssl.certificate.location", "ssl.keystore.location")


def login_findings(bootstrap: str, encryption: str, extra: Mapping[str, Any]) -> list[Finding]:
    """What the connection says of the brokers, beside what connectors can.

    :param bootstrap: the brokers as connectors reach them; where the connection has the same, it is the same listener.
    :param extra: of the target's ``kafka`` connection.
    """
    protocol = str(extra.get("security.protocol", PLAINTEXT)).upper()
    servers = str(extra.get("bootstrap.servers") or extra.get("metadata.broker.list") or "")
    same = bool(_listed(bootstrap) & _listed(servers))
    subject, found = f"brokers {bootstrap}", []
    if same and protocol.startswith("SASL"):
        what = "want a login by SASL, and MSK Connect's workers know none but IAM"
        fix = f"a listener without login that only the connectors' security group reaches, in bootstrap; or {_WAY_OUT}"
        found.append(Finding(Severity.REFUSE, "msk_connect_login", subject, what, fix, "bootstrap"))
    elif same and any(key in extra for key in _CERTIFICATE):
        what = "may want a certificate of their clients, and MSK Connect's workers have none"
        fix = f"a listener without ssl.client.auth=required; or {_WAY_OUT}"
        found.append(Finding(Severity.WARN, "msk_connect_login", subject, what, fix, "bootstrap"))
    uses = TLS if protocol.endswith("SSL") else PLAINTEXT
    if same and uses != encryption:
        what = f"speak {uses}, as the connection says, and encryption is {encryption}"
        found.append(Finding(Severity.REFUSE, "msk_connect_login", subject, what, f"encryption: {uses}", "encryption"))
    if encryption == TLS and any(key in extra and extra[key] != "probe" for key in _OWN_CA):
        what = (
            "have a certificate of a CA that the connection names, and MSK Connect's workers take no other than public"
        )
        fix = "a certificate of a public CA; or encryption: PLAINTEXT on a listener within the VPC"
        found.append(Finding(Severity.WARN, "msk_connect_login", subject, f"{what} CAs", fix, "encryption"))
    return found


def _listed(servers: str) -> set[str]:
    return {server.strip().lower() for server in servers.split(",") if server.strip()}
