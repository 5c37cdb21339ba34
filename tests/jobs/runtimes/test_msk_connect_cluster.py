"""What connectors on MSK Connect can do with brokers that are not MSK's."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.jobs.runtimes.msk_connect_cluster import login_findings

OURS, THEIRS = "b1.corp:9092,b2.corp:9092", "b1.internal:9092"
PLAIN = {"bootstrap.servers": OURS}
TLS = {"bootstrap.servers": OURS, "security.protocol": "SSL"}
SCRAM = {
    "bootstrap.servers": "B2.corp:9092 , b9.corp:9092",
    "security.protocol": "SASL_SSL",
    "sasl.password": "hunter2",
}
REFUSE, WARN = Severity.REFUSE, Severity.WARN


@pytest.mark.parametrize(
    ("bootstrap", "encryption", "extra", "expected"),
    [
        (OURS, "PLAINTEXT", PLAIN, []),
        (OURS, "TLS", TLS, []),
        (THEIRS, "PLAINTEXT", SCRAM, []),  # another listener than Airflow's
        (THEIRS, "TLS", {**SCRAM, "ssl.ca.location": "probe"}, []),
        (OURS, "TLS", SCRAM, [(REFUSE, "bootstrap", "want a login by SASL")]),
        (
            OURS,
            "TLS",
            PLAIN,
            [(REFUSE, "encryption", "speak PLAINTEXT, as the connection says, and encryption is TLS")],
        ),
        (OURS, "PLAINTEXT", TLS, [(REFUSE, "encryption", "speak TLS")]),
        (OURS, "TLS", {**TLS, "ssl.ca.pem": "…"}, [(WARN, "encryption", "take no other than public CAs")]),
        (
            THEIRS,
            "TLS",
            {**SCRAM, "ssl.ca.location": "/ca.pem"},
            [(WARN, "encryption", "take no other than public CAs")],
        ),
        (OURS, "TLS", {**TLS, "ssl.certificate.pem": "…"}, [(WARN, "bootstrap", "a certificate of their clients")]),
    ],
)
def test_what_the_connection_says_of_the_same_brokers(
    bootstrap: str, encryption: str, extra: dict[str, Any], expected: list[tuple[Severity, str, str]]
) -> None:
    found = login_findings(bootstrap, encryption, extra)
    assert [(one.severity, one.param) for one in found] == [(severity, param) for severity, param, _ in expected]
    for one, (_, _, words) in zip(found, expected, strict=True):
        assert words in one.what
        assert one.fix
        assert "hunter2" not in str(one)
