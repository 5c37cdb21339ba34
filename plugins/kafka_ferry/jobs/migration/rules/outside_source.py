"""What MSK Replicator cannot do of what its source's brokers want, where they are not MSK's. Pure.

Source: developer guide, "Migrate from non-MSK Apache Kafka clusters": Kafka 2.8.1 or newer, TLS, SASL/SCRAM or mTLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.jobs.migration.rules.msk_limits import MskKind, MskTarget

_CODE = "replicator_source"
_DESCRIBE_CLUSTER = 60  # request key, since Kafka 2.8 (KIP-700)
_WAY_OUT = "another engine, such as mirror_maker2_on_msk_connect"


class KnownVersions(Protocol):
    """What brokers said they can; None: nobody told."""

    @property
    def versions(self) -> Mapping[int, int] | None: ...


def too_old_for_a_replicator(conn_id: str, capabilities: KnownVersions) -> list[Finding]:
    """Brokers before 2.8; those of 2.8.0 are not told from those of 2.8.1."""
    if capabilities.versions is None or _DESCRIBE_CLUSTER in capabilities.versions:
        return []
    what = "its brokers are older than Kafka 2.8.1, the oldest that MSK Replicator copies from under the same names"
    return [Finding(Severity.REFUSE, _CODE, f"cluster {conn_id}", what, _WAY_OUT, "source_conn_id")]


def outside_findings(bootstrap: str, login: str, extra: Mapping[str, Any]) -> list[Finding]:
    """What the source's connection says of the listener that the replicator shall use.

    :param bootstrap: as the replicator reaches it; where the connection has the same, it is the same listener.
    :param login: ``SCRAM-SHA-512``, ``SCRAM-SHA-256`` or ``mTLS``.
    :param extra: of the source's ``kafka`` connection.
    """
    ours = {server.strip().lower() for server in bootstrap.split(",")}
    servers = str(extra.get("bootstrap.servers") or extra.get("metadata.broker.list") or "")
    if not ours & {server.strip().lower() for server in servers.split(",")}:
        return []
    protocol = str(extra.get("security.protocol", "PLAINTEXT")).upper()
    subject = f"brokers {bootstrap}"
    if not protocol.endswith("SSL"):
        what = f"speak {protocol}, as the connection says, and MSK Replicator speaks TLS only"
        fix = f"a listener with TLS in source_bootstrap; or {_WAY_OUT}"
        return [Finding(Severity.REFUSE, _CODE, subject, what, fix, "source_bootstrap")]
    mechanism = str(extra.get("sasl.mechanism") or extra.get("sasl.mechanisms") or "GSSAPI").upper()
    theirs = mechanism if protocol.startswith("SASL") else "mTLS"
    if theirs != login:
        what = f"want {theirs}, as the connection says, and source_login is {login}"
        known = theirs if theirs == "mTLS" or theirs.startswith("SCRAM-") else "a listener with SCRAM or mTLS"
        return [Finding(Severity.REFUSE, _CODE, subject, what, f"{known}; or {_WAY_OUT}", "source_login")]
    return []


def target_findings(conn_id: str, target: MskTarget | None) -> list[Finding]:
    """Into which MSK clusters it copies from outside: provisioned ones; the guide's steps are for Express brokers."""
    subject = f"cluster {conn_id}"
    if target and target.kind is MskKind.SERVERLESS:
        what = "it is MSK Serverless, and MSK Replicator copies from outside MSK into provisioned clusters only"
        return [Finding(Severity.REFUSE, _CODE, subject, what, _WAY_OUT, "cluster_arn")]
    if target and target.kind is MskKind.STANDARD:
        what = "it has standard brokers, and AWS describes copying from outside MSK for Express brokers"
        fix = "a target with Express brokers, if the replicator is refused"
        return [Finding(Severity.WARN, _CODE, subject, what, fix, "cluster_arn")]
    return []
