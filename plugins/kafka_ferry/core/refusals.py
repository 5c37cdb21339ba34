"""What a refused login says, and what to do about it. Pure.

librdkafka hands on OpenSSL's words for an alert that the broker sent, and those of a token endpoint.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class _Cure(NamedTuple):
    said: re.Pattern[str]
    fix: str


def _cure(said: str, fix: str) -> _Cure:
    return _Cure(re.compile(said, re.IGNORECASE), fix)


_OURS = (
    "ssl.certificate.pem and ssl.key.pem, or ssl.certificate.location and ssl.key.location, or ssl.keystore.location"
)
_ACQUIRE = "acquire SASL OAUTHBEARER token"
#: The first that is found in the words counts.
_CURES = (
    _cure(
        r"(hostname|ip address) mismatch",
        "bootstrap.servers must name the brokers as their certificates do; without that check: "
        "ssl.endpoint.identification.algorithm=none",
    ),
    _cure(
        r"verify failed.*certificate has expired|certificate has expired.*verify",
        "the brokers' certificate has expired: renew it on the brokers",
    ),
    _cure(
        r"certificate could not be verified|certificate verify failed",
        "the CA that signed the brokers' certificates belongs into ssl.ca.location or ssl.ca.pem of the connection",
    ),
    _cure(
        r"alert certificate expired",
        f"the client certificate has expired: a new one, and its key, into {_OURS}",
    ),
    _cure(
        r"alert (certificate required|bad certificate)",
        f"the brokers want a client certificate of a CA that their truststore has: {_OURS}",
    ),
    _cure(
        r"alert (certificate unknown|unknown ca|certificate revoked|unsupported certificate)",
        "the brokers do not accept the client certificate: it must be of a CA that the brokers' truststore has, "
        "and not be expired or revoked",
    ),
    _cure(
        rf"{_ACQUIRE}.*(invalid_client|unauthorized_client|\b401\b)",
        "the token endpoint knows no such client or another secret: check sasl.oauthbearer.client.id and "
        "sasl.oauthbearer.client.secret",
    ),
    _cure(
        rf"{_ACQUIRE}.*(trust anchors|certificate|SSL)",
        "https.ca.location must be the CA of the token endpoint's certificate; where that is a public one the system's "
        "CAs, such as /etc/ssl/certs/ca-certificates.crt",
    ),
    _cure(
        rf"{_ACQUIRE}.*(invalid_scope|invalid_request|unsupported_grant_type|\b40[0-9]\b)",
        "check sasl.oauthbearer.token.endpoint.url and sasl.oauthbearer.scope",
    ),
    _cure(
        r"wrong version number|http request|packet length too long",
        "what answers there speaks no TLS: the port of another listener, or security.protocol without SSL",
    ),
    _cure(
        r"invalid response size",
        "what answers there is no broker's listener, or one of TLS: check the port and security.protocol",
    ),
    _cure(
        r"request not valid in current sasl state",
        "that listener lets nobody log in by SASL: security.protocol SSL, or PLAINTEXT where it has no TLS; or the "
        "port of another listener",
    ),
    _cure(
        r"unsupported sasl mechanism",
        "sasl.mechanism must be one that the listener has: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
    ),
    _cure(
        r"(no certificate or crl found|PEM lib|bad end line|no start line)",
        "the file or text must be PEM, as it begins with -----BEGIN; DER and JKS are converted by openssl and keytool",
    ),
    _cure(
        r"no such configuration property",
        "settings have librdkafka's names: docs/connections.md",
    ),
    _cure(
        r"ssl\.key\.(pem|location) failed|ssl\.keystore\.location failed|bad decrypt|bad password",
        "ssl.key.password must be the key's passphrase, ssl.keystore.password that of the PKCS12 file",
    ),
    _cure(r"invalid (username|credentials)|sasl authentication.*(failed|error)|uthentication failed",
          "check sasl.mechanism, sasl.username and sasl.password, or what else the connection logs in by"),
)  # fmt: skip


def cure(said: str) -> str:
    """What to do, without "Fix:"; empty: these words are not known."""
    return next((one.fix for one in _CURES if one.said.search(said)), "")
