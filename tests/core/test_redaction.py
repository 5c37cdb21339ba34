"""No secret of a connector config is shown."""

from __future__ import annotations

import pytest

from kafka_ferry.core.jaas import JaasEntry
from kafka_ferry.core.redaction import MASK, is_secret_key, masked_keys, redact, redact_text, secret_values

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEsecret\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "key",
    [
        "sasl.jaas.config",
        "source.cluster.sasl.jaas.config",
        "producer.override.sasl.jaas.config",
        "target.cluster.ssl.keystore.key",
        "ssl.truststore.password",
        "database.password",
        "aws.secret.access.key",
        "aws.access.key.id",
        "connection.password",
        "value.converter.basic.auth.user.info",
        "github.token",
        "http.api-key",
    ],
)
def test_secret_keys(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["topics", "key.converter", "ssl.keystore.location", "tasks.max", "partition.keys"])
def test_open_keys(key: str) -> None:
    assert not is_secret_key(key)


def test_redact_keeps_what_is_no_secret() -> None:
    reference = f'{SCRAM} required username="u" password="${{file:/p:k}}";'
    config = {
        "topics": "a,b",
        "tasks.max": 2,
        "source.cluster.sasl.jaas.config": f'{SCRAM} required username="alice" password="pa\\"ss";',
        "target.cluster.sasl.jaas.config": reference,
        "admin.sasl.jaas.config": "not jaas hunter2",
        "ssl.keystore.key": KEY,
        "odd.name": f"text {KEY}",
        "database.password": "${file:/p:db}",
        "connection.url": "jdbc:x://bob:hunter2@db/x?user=bob&password=hunter3",
        "nested": {"password": "hunter4"},
    }
    shown = redact(config)
    assert shown["topics"] == "a,b"
    assert shown["tasks.max"] == 2
    assert shown["source.cluster.sasl.jaas.config"] == f'{SCRAM} required username="alice" password="{MASK}";'
    assert shown["target.cluster.sasl.jaas.config"] == reference
    assert shown["database.password"] == "${file:/p:db}"
    for secret in ("hunter", "pa\\", "MIIEsecret"):
        assert secret not in str(shown)


def test_secret_values_and_texts() -> None:
    config = {"sasl.jaas.config": f'{SCRAM} required username="alice" password="pa\\"ss";', "topics": "a"}
    assert 'pa"ss' in secret_values(config)
    assert secret_values({"topics": "a", "password": "${file:/p:k}"}) == set()
    assert redact_text('Invalid value pa"ss for alice', secret_values(config)) == f"Invalid value {MASK} for alice"
    assert "hunter2" not in redact_text('login failed: password="hunter2"; url http://u:hunter2@h/')


def test_jaas_entry_hides_its_options() -> None:
    assert "hunter2" not in repr(JaasEntry("m", {"password": "hunter2"}))


def test_a_config_copied_from_a_log_is_known() -> None:
    config = {"a.password": "hunter2", "sasl.jaas.config": f'{SCRAM} required username="u" password="hunter2";'}
    assert masked_keys(config) == []
    assert masked_keys({**redact(config), "topics": "***"}) == ["a.password", "sasl.jaas.config"]
