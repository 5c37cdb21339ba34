"""Versions of Kafka and of Confluent Platform."""

from __future__ import annotations

import pytest

from kafka_ferry.core.kafka_version import kafka_version, said


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("4.3.1", (4, 3)), ("2.4.1", (2, 4)), ("3.9.0-amzn-1", (3, 9)), ("v3.10.0", (3, 10)),
        ("5.5.3-ccs", (2, 5)), ("6.0.0-ce", (2, 6)), ("6.2.1-ccs", (2, 8)), ("7.0.1-ccs", (3, 0)),
        ("7.9.2-ccs", (3, 9)), ("8.1.0-ccs", (4, 1)), ("unknown", None), ("", None), ("3", None),
    ],
)  # fmt: skip
def test_of_which_kafka(text: str, version: tuple[int, int] | None) -> None:
    assert kafka_version(text) == version


def test_people_read_both_numbers_where_they_differ() -> None:
    assert said("7.6.1-ccs") == "7.6.1-ccs (Kafka 3.6)"
    assert said("3.9.2") == "3.9.2"
    assert said("unknown") == "unknown"
