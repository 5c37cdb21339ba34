"""What MSK Replicator cannot do of what its source's brokers want."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.hooks.kafka.capabilities import Capabilities
from kafka_ferry.jobs.migration.rules.msk_limits import MskKind, MskTarget
from kafka_ferry.jobs.migration.rules.outside_source import (
    outside_findings,
    target_findings,
    too_old_for_a_replicator,
)

BROKERS = "b1.corp:9094,b2.corp:9094"


def saying(
    protocol: str = "SASL_SSL", mechanism: str = "SCRAM-SHA-512", servers: str = "b2.corp:9094"
) -> dict[str, Any]:
    return {
        "bootstrap.servers": servers,
        "security.protocol": protocol,
        "sasl.mechanism": mechanism,
        "sasl.password": "hunter2",
    }


@pytest.mark.parametrize(
    ("login", "extra", "param", "words"),
    [
        ("SCRAM-SHA-512", saying(), "", ""),
        ("SCRAM-SHA-512", saying(mechanism="PLAIN", servers="b1.corp:9092"), "", ""),  # another listener
        ("mTLS", {"bootstrap.servers": BROKERS, "security.protocol": "SSL"}, "", ""),
        ("SCRAM-SHA-512", saying("SASL_PLAINTEXT"), "source_bootstrap", "speaks TLS only"),
        ("SCRAM-SHA-512", {"bootstrap.servers": BROKERS}, "source_bootstrap", "speak PLAINTEXT"),
        ("SCRAM-SHA-512", saying(mechanism="SCRAM-SHA-256"), "source_login", "want SCRAM-SHA-256"),
        ("SCRAM-SHA-512", saying(mechanism="PLAIN"), "source_login", "want PLAIN"),
        ("SCRAM-SHA-512", saying("SSL"), "source_login", "want mTLS"),
        ("mTLS", saying(), "source_login", "want SCRAM-SHA-512"),
    ],
)
def test_the_connection_of_the_same_listener_is_believed(
    login: str, extra: dict[str, Any], param: str, words: str
) -> None:
    found = outside_findings(BROKERS, login, extra)
    assert [one.param for one in found] == [param] * bool(param)
    for one in found:
        assert words in one.what
        assert "hunter2" not in str(one)


@pytest.mark.parametrize(("versions", "old"), [(None, False), ({60: 0}, False), ({3: 9}, True)])
def test_brokers_before_2_8(versions: dict[int, int] | None, old: bool) -> None:
    assert bool(too_old_for_a_replicator("kafka_source", Capabilities(versions))) is old


@pytest.mark.parametrize(
    ("kind", "severity"),
    [(MskKind.SERVERLESS, ["refuse"]), (MskKind.STANDARD, ["warn"]), (MskKind.EXPRESS, []), (None, [])],
)
def test_targets_that_it_copies_into_from_outside(kind: MskKind | None, severity: list[str]) -> None:
    found = target_findings("kafka_target", MskTarget(kind))
    assert [one.severity.value for one in found] == severity
    assert target_findings("kafka_target", None) == []
