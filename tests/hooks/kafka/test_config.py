"""From a connection's extra to our own clients' configuration."""

from __future__ import annotations

import pytest

from kafka_ferry.hooks.kafka.config import client_config

IAM = {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}
MSK = "b-1.demo.abc.c2.kafka.eu-west-1.amazonaws.com:9098"


def test_a_verification_never_joins_a_users_group() -> None:
    extra = {
        "bootstrap.servers": "h:1",
        "group.id": "orders",
        "group.instance.id": "i",
        "auto.offset.reset": "latest",
        "enable.auto.commit": True,
        "enable.auto.offset.store": True,
        "fetch.max.bytes": 5,
    }
    before = dict(extra)
    assert client_config(extra) == {"bootstrap.servers": "h:1", "fetch.max.bytes": 5, "client.id": "kafka-ferry"}
    assert extra == before


def test_a_client_id_of_the_connection_stays() -> None:
    assert client_config({"client.id": "mine"})["client.id"] == "mine"


@pytest.mark.parametrize(
    ("servers", "region"),
    [
        (MSK, "eu-west-1"),
        (f"{MSK},{MSK}", "eu-west-1"),
        ("boot-x.c3.kafka-serverless.us-east-2.amazonaws.com:9098", "us-east-2"),
        ("b-1.demo.abc.c2.kafka.cn-north-1.amazonaws.com.cn:9098", "cn-north-1"),
    ],
)
def test_msk_hosts_get_signed_tokens(servers: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEHOST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    config = client_config({**IAM, "bootstrap.servers": servers})
    assert config["oauth_cb"].region == region  # what the token says: test_msk_token.py


@pytest.mark.parametrize(
    "extra",
    [
        {**IAM, "bootstrap.servers": "kafka.example.com:9098"},
        {**IAM, "bootstrap.servers": "b-1.kafka.eu-west-1.amazonaws.com.evil.example:9098"},
        {**IAM, "bootstrap.servers": MSK, "sasl.oauthbearer.method": "oidc"},
        {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "bootstrap.servers": MSK},
        {"security.protocol": "SSL", "bootstrap.servers": MSK},
    ],
)
def test_nobody_else_does(extra: dict[str, str]) -> None:
    assert "oauth_cb" not in client_config(extra)


def test_a_callback_of_the_connection_stays() -> None:
    assert client_config({**IAM, "bootstrap.servers": MSK, "oauth_cb": "mine"})["oauth_cb"] == "mine"


def test_the_other_spelling_of_the_mechanism(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEHOST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert "oauth_cb" in client_config({"sasl.mechanisms": "OAUTHBEARER", "bootstrap.servers": MSK})
