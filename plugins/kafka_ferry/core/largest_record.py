"""Records that a target, or what sends them there, does not take for their size: told by name beforehand. Pure.

A producer checks a record against its memory as it is before compression, a broker the batch as it is after it; the
smallest batch is a record alone. Larger batches do not matter: Java's producers split those that are refused
(KAFKA-3995), ours makes none above the limit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity

_REQUEST = "socket.request.max.bytes"


@dataclass(frozen=True)
class Batch:
    """The largest batch that is known of a topic on the source; ``bytes`` as its producer compressed it."""

    partition: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class Record:
    """The largest record that is known of a topic.

    :param offset: on the source. ``bytes``: of a batch of it alone, uncompressed. ``packed``: the same as it is
        sent with lz4. That is more where lz4 packs nothing and a Java producer sends it.
    """

    partition: int
    offset: int
    bytes: int
    packed: int


@dataclass(frozen=True)
class Limit:
    """What a record is compared with.

    :param key: the setting, with where it stands: ``max.message.bytes of the target topic``.
    :param fix: what to set, ``{bytes}`` in it being the least value that lets the record pass.
    :param before: whether it is compared with the record before compression.
    :param why: why it is in force, for limits that we lift where we may. ``sure``: not where it is only documented.
    """

    key: str
    bytes: int
    fix: str
    before: bool = False
    why: str = ""
    sure: bool = True


def size_finding(
    subject: str,
    records: Collection[Record],
    batch: Batch | None,
    limits: Collection[Limit],
    *,
    basis: str = "",
    certain: bool = True,
    codec: str = "lz4",
    param: str = "topics",
) -> Finding | None:
    """The worst that a topic's largest records meet; None: they pass all limits, or none is known.

    :param records: the largest uncompressed, the largest packed.
    :param basis: what the record is the largest of, where that is not all that is sent: ``of a sample of 100``.
    :param certain: whether that very record is sent. ``codec``: ``compression.type`` of what sends it.
    """
    pairs = [(record, limit) for record in records for limit in limits]
    plain = codec == "none"
    refused = [
        (one, limit) for one, limit in pairs if (one.bytes if limit.before or plain else one.packed) > limit.bytes
    ]
    perhaps = [(one, limit) for one, limit in pairs if one.bytes > limit.bytes]
    if not refused and not perhaps:
        return None
    record, limit = min(refused or perhaps, key=lambda one: (one[1].bytes, -one[0].packed, -one[0].bytes))
    text = _size_text(record, batch, basis, packed=not limit.before and not plain)
    against = f"{limit.key} is {limit.bytes:,}{f' and stays in force: {limit.why}' if limit.why else ''}"
    sure = bool(refused) and certain and limit.sure and (codec in ("lz4", "none") or limit.before)
    if sure:
        end = "it cannot go"
    elif refused:
        end = "it is refused when sent uncompressed"
    else:
        end = "it fits when compressed; records that lz4 compresses less would be refused"
    if limit.before or plain:
        needed = record.bytes
    else:
        needed = record.packed if refused and codec == "lz4" else max(record.bytes, record.packed)
    severity = Severity.REFUSE if sure else Severity.WARN
    fix = limit.fix.format(bytes=needed)
    return Finding(severity, "largest_record", subject, f"{text}; {against}: {end}", fix, param)


def request_limits(broker: Mapping[str, str]) -> list[Limit]:
    """What a broker takes in one request, and closes the connection above.

    :param broker: its configuration, as far as it may be read.
    """
    if _REQUEST not in broker:
        return []
    fix = f"{_REQUEST} of more than {{bytes}} on the target's brokers, and a restart of them; or leave the topic out"
    return [Limit(f"{_REQUEST} of the target's brokers", int(broker[_REQUEST]), fix)]


def producer_limits(settings: Mapping[str, str]) -> list[Limit]:
    """What a Java producer checks a record against before it is compressed (``KafkaProducer.ensureValidRecordSize``).

    :param settings: in force; keys that are not in it, or are no numbers (Kafka itself refuses those), are no limit.
    """
    fixes = {
        "max.request.size": "no override of max.request.size, or {bytes} and 21 more",
        "buffer.memory": "buffer.memory of {bytes} and 21 more, and a heap for it; or leave the topic out",
    }
    return [
        Limit(f"{key} of the producer", int(settings[key]), fix, before=True)
        for key, fix in fixes.items()
        if settings.get(key, "").strip().isdecimal()
    ]


def lifted_finding(subject: str, record: Record | None, key: str, own: int, basis: str = "") -> Finding | None:
    """Advice where a record passes only because a limit is lifted while it arrives.

    :param key, own: the limit that is put back.
    """
    if record is None or max(record.bytes, record.packed) <= own:
        return None
    return Finding(
        Severity.ADVISE, "largest_record", subject,
        f"{_size_text(record, None, basis, packed=True)}; {key} is {own:,} on the target topic",
        "nothing to do: the limit is lifted while records arrive and restored at the end; other producers then "
        "have the topic's own limit again",
    )  # fmt: skip


def _size_text(record: Record, batch: Batch | None, basis: str, packed: bool) -> str:
    what = f"its largest record{f' {basis}' if basis else ''} (partition {record.partition}, offset {record.offset})"
    by_lz4 = f", {record.packed:,} compressed by lz4" if packed else ""
    lying = f", the largest batch on the source {batch.bytes:,}" if batch else ""
    return f"{what} takes {record.bytes:,} bytes uncompressed{by_lz4}{lying}"
