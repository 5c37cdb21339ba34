"""Connections that public reports tell of; each is told its cure before anybody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.kafka_extra import fault

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"bootstrap.servers": ["b1:9092", "b2:9092"]}, "it must be a text, such as b1:9092,b2:9092"),
        ({"ssl.ca.pem": {"a": 1}}, "ssl.ca.pem is a JSON object"),
        ({"security.protocol": "TLS"}, "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
        ({"ssl.ca.pem": PEM.replace("\n", "\\n")}, "each is written \\n, with one backslash"),
        ({"ssl.key.pem": PEM.replace("\n", " ")}, "ssl.key.pem has lost its line breaks"),
        ({"ssl.ca.pem": "/etc/ca.pem"}, "a path belongs into ssl.ca.location"),
        ({"ssl.ca.location": PEM}, "a text belongs into ssl.ca.pem"),
        ({"ssl.keystore.location": PEM}, "a text belongs into ssl.key.pem"),
        ({"ssl.truststore.location": "/x.jks"}, "Fix: ssl.ca.location"),
        ({"sasl.jaas.config": 'x required password="p";'}, "Fix: sasl.username and sasl.password"),
        ({"security.protocol": "sasl_ssl"}, "sasl.mechanism is missing"),
    ],
)
def test_each_is_named_with_its_cure(extra: dict[str, Any], said: str) -> None:
    found = fault(extra)
    assert said in found
    assert "Fix: " in found
    assert "MIIB" not in found, "a key could stand there"
    assert 'password="p"' not in found


@pytest.mark.parametrize(
    "extra",
    [
        {"bootstrap.servers": "b1:9092", "socket.timeout.ms": 3000, "enable.idempotence": True},
        {"security.protocol": "ssl", "ssl.ca.pem": PEM, "ssl.key.pem": PEM.replace("\n", "\r\n")},
        {"security.protocol": "SASL_SSL", "sasl.mechanisms": "PLAIN", "ssl.ca.location": "/etc/ca.pem"},
    ],
)
def test_what_is_right_passes(extra: dict[str, Any]) -> None:
    assert fault(extra) == ""
