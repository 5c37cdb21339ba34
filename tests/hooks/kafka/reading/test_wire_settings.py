"""Which connections our own Fetch requests can use, and how."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from kafka_ferry.exceptions import BadConnection
from kafka_ferry.hooks.kafka.reading.range_stream import CONSUMER_SETTINGS, SMALL_FETCHES
from kafka_ferry.hooks.kafka.reading.wire_settings import WireSettings, only_librdkafka_knows

PLAIN = {"bootstrap.servers": "a:1,b:2"}
SASL = {**PLAIN, "security.protocol": "sasl_plaintext", "sasl.username": "ann", "sasl.password": "hush-hush"}


@pytest.mark.parametrize(
    ("more", "others"),
    [
        ({}, []),
        ({**CONSUMER_SETTINGS, **SMALL_FETCHES, "isolation.level": "read_committed"}, []),
        ({"security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-512"}, []),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"}, ["sasl.mechanism"]),
        ({"sasl.mechanism": "GSSAPI"}, []),  # not used without SASL
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "oauth_cb": print},
         ["oauth_cb", "sasl.mechanism"]),
        ({"ssl.keystore.location": "/k", "debug": "all"}, ["debug", "ssl.keystore.location"]),
        ({"bootstrap.servers": "SSL://a:1"}, ["bootstrap.servers"]),
        ({"client.id": print}, ["client.id"]),
    ],
)  # fmt: skip
def test_what_only_librdkafka_can_follow_is_named(more: dict[str, Any], others: list[str]) -> None:
    assert only_librdkafka_knows({**PLAIN, **more}) == others


def test_defaults() -> None:
    found = WireSettings.of(PLAIN)
    assert (found.servers, found.protocol, found.context, found.mechanism, found.user) == (
        "a:1,b:2", "PLAINTEXT", None, None, None,
    )  # fmt: skip
    assert not found.read_committed
    assert (found.partition_bytes, found.answer_bytes) == (4 * 1024 * 1024, 16 * 1024 * 1024)


def test_settings_are_taken_over() -> None:
    more = {"isolation.level": "read_committed", "max.partition.fetch.bytes": "65536", "fetch.max.bytes": 99,
            "fetch.wait.max.ms": 7, "sasl.mechanism": "SCRAM-SHA-256"}  # fmt: skip
    found = WireSettings.of({**SASL, **more})
    assert (found.read_committed, found.partition_bytes, found.answer_bytes, found.wait_ms) == (True, 65536, 99, 7)
    assert (found.protocol, found.mechanism, found.user, found.password) == (
        "SASL_PLAINTEXT", "SCRAM-SHA-256", "ann", "hush-hush",
    )  # fmt: skip
    assert "hush-hush" not in repr(found)


@pytest.mark.parametrize(
    ("more", "named", "verified"),
    [
        ({}, True, True),
        ({"ssl.endpoint.identification.algorithm": "none"}, False, True),
        ({"enable.ssl.certificate.verification": "false"}, False, False),
        ({"enable.ssl.certificate.verification": False}, False, False),
    ],
)
def test_a_certificate_is_checked_unless_told_not_to(more: dict[str, Any], named: bool, verified: bool) -> None:
    context = WireSettings.of({**PLAIN, "security.protocol": "SSL", **more}).context
    assert context is not None
    assert context.check_hostname is named
    assert (context.verify_mode == ssl.CERT_REQUIRED) is verified


@pytest.mark.parametrize("setting", ["ssl.ca.location", "ssl.certificate.location"])
def test_a_file_that_cannot_be_read_is_a_bad_connection(setting: str) -> None:
    config = {**PLAIN, "security.protocol": "SSL", setting: "/no/such/file", "ssl.key.password": "hush-hush"}
    with pytest.raises(BadConnection, match=r"Fix: check its ssl\.ca\.location") as caught:
        WireSettings.of(config)
    assert "hush-hush" not in str(caught.value)
