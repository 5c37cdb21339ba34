"""Which connections our own Fetch requests can use, and how."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka_ferry.exceptions import BadConnection

# Not the 1 MB of other clients: with two partitions an answer the broker then took a third more CPU, and the whole
# export 1 to 6 % longer (4 GB, measured). What lies behind the end of what is wanted is fetched in vain, up to this.
_PARTITION_BYTES = 4 * 1024 * 1024
_ANSWER_BYTES = 16 * 1024 * 1024
_PROTOCOLS = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}
_MECHANISMS, _OAUTH = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}, "OAUTHBEARER"
_USED = {
    "bootstrap.servers", "client.id", "security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username",
    "sasl.password", "ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location", "ssl.key.location",
    "ssl.key.password", "ssl.endpoint.identification.algorithm", "enable.ssl.certificate.verification",
    "isolation.level", "max.partition.fetch.bytes", "fetch.max.bytes", "fetch.wait.max.ms",
}  # fmt: skip
# What librdkafka is told and we need not know: how it retries, what it keeps ready, what it logs.
_OF_NO_MATTER = {
    "group.id", "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset", "enable.partition.eof",
    "check.crcs", "fetch.queue.backoff.ms", "queued.max.messages.kbytes", "reconnect.backoff.max.ms",
    "topic.metadata.propagation.max.ms", "log_level", "client.rack", "socket.keepalive.enable", "socket.timeout.ms",
    "socket.connection.setup.timeout.ms", "connections.max.idle.ms", "metadata.max.age.ms", "reconnect.backoff.ms",
    "retry.backoff.ms", "retry.backoff.max.ms", "request.timeout.ms", "receive.message.max.bytes",
}  # fmt: skip


class OwnToken(ABC):
    """An ``oauth_cb`` of ours: it says all that a login needs, where another's may want to know librdkafka's config."""

    @abstractmethod
    def __call__(self, _config: str = "") -> tuple[str, float]:
        """A token, and until when it is good, in seconds since 1970."""


def only_librdkafka_knows(config: Mapping[str, Any]) -> list[str]:
    """Settings of a connection that only librdkafka can follow, such as callbacks, OAuth, Kerberos; sorted.

    :param config: whole librdkafka configuration.
    """
    token = _token(config)
    used = _USED | ({"oauth_cb", "sasl.oauthbearer.config"} if token else set())
    found = {key for key in config if key not in used | _OF_NO_MATTER}
    found |= {key for key in _USED & config.keys() if not isinstance(config[key], str | int | float | bool)}
    if _protocol(config).startswith("SASL"):
        known = {_OAUTH} if token else _MECHANISMS
        there = {"sasl.mechanism", "sasl.mechanisms"} & config.keys()
        found |= {key for key in there if (str(config[key]).upper() if token else config[key]) not in known}
    if _protocol(config) not in _PROTOCOLS:
        found.add("security.protocol")
    if "://" in str(config.get("bootstrap.servers", "")):
        found.add("bootstrap.servers")
    return sorted(found)


def _token(config: Mapping[str, Any]) -> OwnToken | None:
    found = config.get("oauth_cb")
    return found if isinstance(found, OwnToken) else None


def _protocol(config: Mapping[str, Any]) -> str:
    return str(config.get("security.protocol", "PLAINTEXT")).upper()


@dataclass(frozen=True)
class WireSettings:
    """How brokers are reached, and how much is asked of them at once.

    :param context: None: without TLS. ``mechanism``: None: without SASL. ``token``: of OAUTHBEARER.
    :param wait_ms: that a broker may wait for records. ``partition_bytes``, ``answer_bytes``: of a partition, and of
        all, in an answer.
    """

    servers: str
    client_id: str
    protocol: str
    context: ssl.SSLContext | None
    mechanism: str | None
    user: str | None
    password: str | None = field(repr=False)
    read_committed: bool
    partition_bytes: int
    answer_bytes: int
    wait_ms: int
    token: OwnToken | None = field(default=None, repr=False)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> WireSettings:
        """From a configuration of which librdkafka knows nothing more.

        :raises BadConnection: a certificate or key cannot be read.
        """
        protocol = _protocol(config)
        sasl, token = protocol.startswith("SASL"), _token(config)
        named = _OAUTH if token else str(config.get("sasl.mechanism") or config.get("sasl.mechanisms") or "PLAIN")
        return cls(
            servers=str(config["bootstrap.servers"]),
            client_id=str(config.get("client.id", "kafka-ferry")),
            protocol=protocol,
            context=_context(config) if protocol.endswith("SSL") else None,
            mechanism=named if sasl else None,
            user=str(config.get("sasl.username", "")) if sasl else None,
            password=str(config.get("sasl.password", "")) if sasl else None,
            read_committed=config.get("isolation.level") == "read_committed",
            partition_bytes=int(config.get("max.partition.fetch.bytes", _PARTITION_BYTES)),
            answer_bytes=int(config.get("fetch.max.bytes", _ANSWER_BYTES)),
            wait_ms=int(config.get("fetch.wait.max.ms", 500)),
            token=token,
        )


def _context(config: Mapping[str, Any]) -> ssl.SSLContext:
    """As librdkafka reads these settings: the system's CAs where none is named, and host names are checked."""
    try:
        context = ssl.create_default_context(cafile=config.get("ssl.ca.location"), cadata=config.get("ssl.ca.pem"))
        if config.get("ssl.certificate.location"):
            context.load_cert_chain(
                config["ssl.certificate.location"], config.get("ssl.key.location"), config.get("ssl.key.password")
            )
    except OSError as error:
        raise BadConnection(
            f"a certificate or key of the connection cannot be read: {error}. Fix: check its ssl.ca.location, "
            "ssl.certificate.location, ssl.key.location, ssl.key.password"
        ) from None
    verified = str(config.get("enable.ssl.certificate.verification", True)).lower() != "false"
    named = str(config.get("ssl.endpoint.identification.algorithm", "https")).lower() == "https"
    context.check_hostname = verified and named
    if not verified:
        context.verify_mode = ssl.CERT_NONE
    return context
