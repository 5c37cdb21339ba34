"""Worker configurations: what MSK Connect takes in them, found out before the call.

Lists: developer guide, "Supported worker configuration properties". A configuration cannot be changed after it was
made; so its name carries a digest of its content (:func:`~kafka_ferry.hooks.msk_connect.rules.naming.content_name`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import javaproperties

from kafka_ferry.exceptions import BadParam

BYTE_ARRAY = "org.apache.kafka.connect.converters.ByteArrayConverter"
#: For MirrorMaker 2 bytes must stay bytes; ``header.converter`` too, whose default rewrites headers as text (measured).
BYTES_AS_THEY_ARE = {"key.converter": BYTE_ARRAY, "value.converter": BYTE_ARRAY, "header.converter": BYTE_ARRAY}

REQUIRED = ("key.converter", "value.converter")
PRODUCER = frozenset(
    {
        "acks", "batch.size", "buffer.memory", "compression.type", "enable.idempotence", "key.serializer", "linger.ms",
        "max.request.size", "metadata.max.age.ms", "metadata.max.idle.ms", "partitioner.class",
        "reconnect.backoff.max.ms", "reconnect.backoff.ms", "request.timeout.ms", "retry.backoff.ms",
        "value.serializer",
    }
)  # fmt: skip
CONSUMER = frozenset(
    {
        "allow.auto.create.topics", "auto.offset.reset", "check.crcs", "fetch.max.bytes", "fetch.max.wait.ms",
        "fetch.min.bytes", "heartbeat.interval.ms", "key.deserializer", "max.partition.fetch.bytes",
        "max.poll.interval.ms", "max.poll.records", "metadata.max.age.ms", "partition.assignment.strategy",
        "reconnect.backoff.max.ms", "reconnect.backoff.ms", "request.timeout.ms", "retry.backoff.ms",
        "session.timeout.ms", "value.deserializer",
    }
)  # fmt: skip
REFUSED_PREFIXES = (
    "access.control.", "admin.", "client.", "connect.", "inter.worker.", "internal.", "listeners.https.", "metrics.",
    "rest.", "sasl.", "security.", "socket.", "ssl.", "topic.tracking.", "worker.",
)  # fmt: skip
REFUSED = frozenset(
    {
        "bootstrap.servers", "config.storage.topic", "connections.max.idle.ms",
        "connector.client.config.override.policy", "group.id", "listeners", "metric.reporters", "plugin.path",
        "receive.buffer.bytes", "response.http.headers.config", "scheduled.rebalance.max.delay.ms",
        "send.buffer.bytes", "status.storage.topic",
    }
)  # fmt: skip


def problems(properties: Mapping[str, str]) -> list[str]:
    """What MSK Connect would refuse, one line a property; values are not shown, they may be secret."""
    found = [f"{key} is required" for key in REQUIRED if key not in properties]
    return found + [problem for key in sorted(properties) if (problem := _problem(key))]


def check(properties: Mapping[str, str]) -> None:
    """Lint before the call.

    :raises BadParam: with every property that MSK Connect would refuse.
    """
    if found := problems(properties):
        fix = "leave out what MSK Connect sets itself; see 'Supported worker configuration properties'"
        raise BadParam("worker_configuration", "; ".join(found), fix)


def content(properties: Mapping[str, str]) -> str:
    """``propertiesFileContent``: the file, sorted so that equal settings give equal content, in base64."""
    text: str = javaproperties.dumps(dict(sorted(properties.items())), timestamp=False)
    return base64.b64encode(text.encode()).decode()


def parse(encoded: str) -> dict[str, str]:
    """The way back from ``propertiesFileContent``.

    :raises BadParam: it is no base64 of a properties file.
    """
    try:
        return dict(javaproperties.loads(base64.b64decode(encoded, validate=True).decode()))
    except (binascii.Error, UnicodeDecodeError, javaproperties.InvalidUEscapeError) as error:
        raise BadParam("worker_configuration", "it is not a properties file in base64", "the file's text") from error


def _problem(key: str) -> str:
    prefix, _, rest = key.partition(".")
    if prefix == "producer" and rest not in PRODUCER:
        return f"{key} is not among the producer settings that MSK Connect accepts"
    if prefix == "consumer" and rest not in CONSUMER:
        return f"{key} is not among the consumer settings that MSK Connect accepts"
    if key in REFUSED or key.startswith(REFUSED_PREFIXES):
        return f"{key} is set by MSK Connect itself"
    return ""
