"""The dates of a connection's client certificate, in each form that a connection may have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from kafka_ferry.hooks.kafka.client_certificate import expired
from stack.certificates import issue


def forms(folder: Path, days: tuple[int, int]) -> list[dict[str, str]]:
    key, certificate = issue("ferry", None, days)
    text, file, store = certificate.public_bytes(serialization.Encoding.PEM), folder / "c.pem", folder / "c.p12"
    file.write_bytes(text)
    encryption = serialization.BestAvailableEncryption(b"st0re")
    store.write_bytes(pkcs12.serialize_key_and_certificates(b"ferry", key, certificate, None, encryption))
    return [
        {"ssl.certificate.pem": text.decode()},
        {"ssl.certificate.location": str(file)},
        {"ssl.keystore.location": str(store), "ssl.keystore.password": "st0re"},
    ]


@pytest.mark.parametrize(
    ("days", "said"),
    [((-20, -10), "CN=ferry,O=Kafka Ferry expired at 2"), ((10, 20), "is not good before 2"), ((-1, 1), "")],
)
def test_dates_are_told(tmp_path: Path, days: tuple[int, int], said: str) -> None:
    for config in forms(tmp_path, days):
        found = expired(config)
        assert said in found and bool(found) == bool(said)


def test_what_cannot_be_read_is_not_judged(tmp_path: Path) -> None:
    (store := tmp_path / "c.p12").write_bytes(b"nothing")
    for config in ({}, {"ssl.certificate.pem": "x"}, {"ssl.certificate.location": str(tmp_path / "none")},
                   {"ssl.keystore.location": str(store)}):  # fmt: skip
        assert expired(config) == ""
