"""What brokers and token endpoints said, word for word as seen on Kafka 4.3.1 with librdkafka 2.16, and the cure."""

from __future__ import annotations

import pytest

from kafka_ferry.core.refusals import cure

TLS, ALERT = "ssl://b:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::", "SSL routines::ssl/tls alert "
TOKEN = "Failed to acquire SASL OAUTHBEARER token: "


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        (f"{TLS}certificate verify failed: broker certificate could not be verified, verify that", "ssl.ca.location"),
        ("b:1: error:0A000086:SSL routines::certificate verify failed (after 2ms in state SSL", "ssl.ca.location"),
        (f"{TLS}certificate verify failed: IP address mismatch", "bootstrap.servers must name"),
        (f"{ALERT}certificate unknown: SSL alert number 46", "do not accept the client certificate"),
        (f"{ALERT}bad certificate: SSL alert number 42", "want a client certificate"),
        (f"{ALERT}certificate expired: SSL alert number 45", "has expired"),
        (f'{TOKEN}{{"error": "invalid_client"}}', "sasl.oauthbearer.client.secret"),
        (f"{TOKEN}error adding trust anchors from file: /etc/pki/tls/certs/ca-bundle.crt", "https.ca.location"),
        (f"{TOKEN}SSL certificate OpenSSL verify result: unable to get local issuer certificate", "https.ca.location"),
        (f'{TOKEN}{{"error": "unsupported_grant_type"}}', "sasl.oauthbearer.token.endpoint.url"),
        ("Failed to create admin client: ssl.key.pem failed: not in PEM format?: maybe wrong", "ssl.key.password"),
        ("ssl://b:1/bootstrap: SSL handshake failed: error:0A00010B:SSL routines::wrong version number", "no TLS"),
        ("b:1/bootstrap: Receive failed: Invalid response size 1213486160 (0..100000000): increase", "no broker's"),
        ("SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state", "by SASL"),
        (
            "SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's",
            "sasl.mechanism",
        ),
        ("ssl.ca.location failed: error:05800088:x509 certificate routines::no certificate or crl found", "be PEM"),
        ("ssl.key.location failed: error:0A080009:SSL routines::PEM lib", "must be PEM"),
        ('No such configuration property: "security_protocol"', "librdkafka's names"),
        ("SASL authentication error: Authentication failed: Invalid username or password", "sasl.password"),
    ],
)
def test_each_has_its_cure(said: str, fix: str) -> None:
    assert fix in cure(said)


@pytest.mark.parametrize(
    "said",
    [
        f"{TOKEN}Failed to connect to 127.0.0.1:1 after 0 ms: Could not connect to server",
        f'{TOKEN}{{"error": "temporarily_unavailable"}}',
        "ssl://b:1/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
        "b:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)",
    ],
)
def test_what_may_pass_has_none(said: str) -> None:
    """Else a run would end where a retry helps."""
    assert cure(said) == ""
