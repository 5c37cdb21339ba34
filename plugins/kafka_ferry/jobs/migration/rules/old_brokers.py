"""What a migration cannot do with brokers that are too old for it. Pure."""

from __future__ import annotations

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.kafka_version import kafka_version, said

WAY_OUT = "a worker of Kafka Connect 3.8 or 3.9, or the DAG mirror_maker1"


def too_old_for_the_engine(conn_id: str, param: str, version: str | None) -> list[Finding]:
    """Brokers before 2.1: clients of Kafka 4 cannot talk to them (KIP-896).

    :param version: of the engine's Kafka; None where only its hosts know.
    """
    numbers = kafka_version(version or "")
    if numbers is not None and numbers < (4, 0):
        return []
    what = "its brokers are older than Kafka 2.1, which the clients of Kafka 4 cannot talk to (KIP-896)"
    if numbers is None:
        fix = "make sure that the engine's jars (kafka_libs) are of Kafka 3.9 or older"
        return [Finding(Severity.WARN, "old_brokers", f"cluster {conn_id}", what, fix, param)]
    what += f", and the engine is Kafka {said(version or '')}"
    return [Finding(Severity.REFUSE, "old_brokers", f"cluster {conn_id}", what, WAY_OUT, param)]


def too_old_to_change(conn_id: str) -> Finding:
    """A target before 2.3."""
    return Finding(
        Severity.REFUSE,
        "old_brokers",
        f"cluster {conn_id}",
        "its brokers are older than Kafka 2.3: a single topic config cannot be changed there (KIP-339)",
        "a target of Kafka 2.3 or newer",
        "target_conn_id",
    )
