"""What an S3 connector of another maker is to us: its classes, its config from an ``Intent``, what it loses. Pure.

One file for each maker beside this one. A builder sets what keeps records and fails on errors; what its connector
cannot do for the intent is a ``BadParam`` that names a param, never a config that does something else. Keys were read
in the makers' sources and reference pages, which each file names; a worker with the plugin checks them once more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import ClassVar, Final, Literal

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.rules.intent import BYTES, Intent, consumer_overrides
from kafka_ferry.jobs.s3.files.rules.formats import Formats

Way = Literal["sink", "source"]
Format = Literal["avro", "jsonl", "parquet", "bytes"]
Part = Literal[
    "keys", "headers", "timestamps", "bytes", "partitions", "order", "tombstones", "repeats", "objects"
]  # fmt: skip

#: What of records can be lost on the way, and what that means.
PARTS: Final[Mapping[Part, str]] = {
    "keys": "records lose their keys",
    "headers": "records lose headers, or these lose their order, repetitions or bytes",
    "timestamps": "records lose their timestamps",
    "bytes": "keys or values may become other bytes than the producer sent",
    "partitions": "records come into other partitions",
    "order": "records come in another order",
    "tombstones": "records without a value get lost",
    "repeats": "records may come twice",
    "objects": "objects are deleted from the bucket",
}
#: What happens after a failure alone: told, and not to be accepted.
_AFTER_FAILURE: Final[frozenset[Part]] = frozenset({"repeats"})

Lost = Mapping[Part, str]
Accepted = Collection[str]


class Vendor(ABC):
    """The connectors of one maker.

    :param maker: for people. ``classes``: of both ways.
    :param plugin: what is unpacked into ``plugin.path``, and where it is had.
    :param formats: what it can write, or read.
    """

    maker: ClassVar[str]
    classes: ClassVar[Mapping[Way, str]]
    plugin: ClassVar[Mapping[Way, str]]
    formats: ClassVar[Mapping[Way, tuple[Format, ...]]]

    @property
    def whose(self) -> str:
        return f"{self.maker}'" if self.maker.endswith("s") else f"{self.maker}'s"

    @abstractmethod
    def config(self, intent: Intent, accepted: Accepted) -> dict[str, str]:
        """The connector's config, without its name.

        :param accepted: losses that the user names: some connectors can keep a thing only at a price.
        :raises BadParam: it cannot do that.
        """

    @abstractmethod
    def lost(self, way: Way, kind: Format, accepted: Accepted) -> Lost:
        """What does not come through, with the reason; what is not named does."""

    def stops(self, way: Way, kind: Format) -> Lost:
        """What comes through as long as no record stops the task, with the reason; accepted as a loss, none does."""
        return {}

    @abstractmethod
    def notes(self, intent: Intent) -> list[str]:
        """What else whoever uses it should know."""

    @abstractmethod
    def files(self, kind: Format) -> Formats | None:
        """How what the sink writes is read below the export's folder (``jobs/s3/files``); None: it is not."""


def check_format(vendor: Vendor, way: Way, kind: Format) -> None:
    """:raises BadParam: it does not have it."""
    if kind not in vendor.formats[way]:
        does = "write" if way == "sink" else "read"
        raise BadParam(
            "format",
            f"is {kind}, which {vendor.whose} {way} does not {does} so that bytes are kept",
            f"one of {', '.join(vendor.formats[way])}",
        )


def base(vendor: Vendor, intent: Intent) -> dict[str, str]:
    """What each of them gets: converters that keep bytes, and errors that fail the task. No queue for bad records is
    named, so there is none.

    :raises BadParam: it does not have the format.
    """
    check_format(vendor, intent.way, intent.format)
    config = {
        "connector.class": vendor.classes[intent.way],
        "tasks.max": str(intent.tasks),
        # Any other converter may change bytes; the default for headers does.
        "key.converter": BYTES,
        "value.converter": BYTES,
        "header.converter": BYTES,
        "errors.tolerance": "none",
    }
    if intent.way == "sink":
        config |= {"topics": ",".join(intent.topics), **consumer_overrides(intent)}
    return config


def folder(intent: Intent) -> str:
    """Below which the objects of this export are, without ``/`` at its ends."""
    return "/".join(filter(None, (intent.prefix, intent.export)))


def given(values: Mapping[str, str]) -> dict[str, str]:
    """Those that say something."""
    return {key: value for key, value in values.items() if value}


def true_or_false(value: bool) -> str:
    return str(value).lower()


def region_of(intent: Intent, whose: str, instead: str) -> str:
    """:raises BadParam: none is given, and the connector would take ``instead``."""
    if not intent.region:
        raise BadParam(
            "aws_conn_id",
            f"names no region, and {whose} connector does not ask the worker for one: {instead}",
            "region_name in the connection's extra (any, such as us-east-1, for a store that has none)",
        )
    return intent.region


def no_encryption(intent: Intent, whose: str) -> None:
    """:raises BadParam: encryption was asked for, of which the connector has no setting."""
    if intent.encryption or intent.kms_key:
        raise BadParam(
            "aws_conn_id",
            f"asks for encryption {intent.encryption or intent.kms_key!r}, for which {whose} connector has no setting",
            "make it the bucket's default encryption, and take it out of the connection's extra",
        )


def loss_findings(vendor: Vendor, intent: Intent, accepted: Accepted) -> list[Finding]:
    """A line for each thing that gets lost: a refusal unless it is accepted, or comes after failures alone; and for
    each that may stop the task."""
    lost = vendor.lost(intent.way, intent.format, accepted)
    wanted = ", ".join(part for part in lost if part not in _AFTER_FAILURE)
    subject, found = f"{vendor.whose} {intent.way}", list[Finding]()
    for part, why in lost.items():
        severity, fix = Severity.ADVISE, "nothing, as accept_losses names it"
        if part in _AFTER_FAILURE:
            fix = "nothing; connector kafka_ferry where that matters"
        elif part not in accepted:
            severity, fix = Severity.REFUSE, f"accept_losses with {wanted}; or connector kafka_ferry, which loses none"
        found.append(Finding(severity, part, subject, f"{part}: {PARTS[part]}: {why}", fix, "accept_losses"))
    for part, why in vendor.stops(intent.way, intent.format).items():
        if part not in accepted:
            fix = f"nothing, if there is no such record; else accept_losses with {part}, which leaves them out"
            found.append(Finding(Severity.WARN, part, subject, f"{part}: {why}", fix, "accept_losses"))
    return found


def read_back(vendor: Vendor, sink: Intent, accepted: Accepted) -> tuple[dict[str, str], list[str]]:
    """The config with which the maker's own source reads what a sink writes, and what a plan says of that way back.

    :return: no config, if it cannot.
    """
    intent = replace(sink, way="source", other_cluster=False, cluster={"bootstrap.servers": TARGET_BROKERS})
    lost = vendor.lost("source", sink.format, accepted)
    try:
        config = vendor.config(intent, accepted)
    except BadParam as problem:
        return {}, [f"{vendor.whose} own source cannot read this back: param {problem.param}: {problem.problem}"]
    said = f"read back by {vendor.whose} own source, records lose {', '.join(lost)}" if lost else "nothing gets lost"
    return config, [said, *vendor.notes(intent)]


TARGET_BROKERS: Final = "BROKERS-OF-THE-TARGET:9092"
"""Stands in such a config where only whoever reads back knows more."""
