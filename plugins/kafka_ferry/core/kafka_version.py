"""Versions as Kafka and its distributions write them. Pure."""

from __future__ import annotations

import re

Version = tuple[int, int]
_NUMBERS = re.compile(r"\s*v?(\d+)\.(\d+)")
_CONFLUENT_SIX = 6  # in minors: 6.0 is Kafka 2.6


def kafka_version(text: str) -> Version | None:
    """Major and minor of Apache Kafka; None where the text tells none.

    Confluent Platform counts its own: 5.5 is Kafka 2.5, 6.2 is 2.8, 7.6 is 3.6, 8.0 is 4.0
    (https://docs.confluent.io/platform/current/installation/versions-interoperability.html). Its workers and brokers
    answer ``7.6.1-ccs``. Apache Kafka itself has not come to 5.
    """
    found = _NUMBERS.match(text)
    if found is None:
        return None
    major, minor = int(found[1]), int(found[2])
    if major == 5:
        return 2, minor
    if major == 6:
        return 2, minor + _CONFLUENT_SIX
    return (major - 4, minor) if major >= 7 else (major, minor)


def said(text: str) -> str:
    """For people: ``7.6.1-ccs (Kafka 3.6)``; as it is where that is Kafka's own."""
    found = kafka_version(text)
    own = found is None or text.lstrip(" v").startswith(f"{found[0]}.{found[1]}")
    return text if own or found is None else f"{text} (Kafka {found[0]}.{found[1]})"
