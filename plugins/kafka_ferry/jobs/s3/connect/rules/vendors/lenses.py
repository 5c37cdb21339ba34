"""Lenses' S3 sink and source (Stream Reactor). Pure.

https://github.com/lensesio/stream-reactor, commit c7218e6e: ``S3ConfigSettings``, ``S3CommonConfigDef``,
``CloudSourceSettingsKeys``, ``PropsKeyEnum``, ``DataStorageSettings``, ``TraitConfigConst``; the grammar of KCQL is
``ConnectorParser.g4``. https://docs.lenses.io/latest/connectors/tutorials/backup-and-restore says what the envelope is.

- ``store.envelope``: key, value, headers and metadata of each record; without it no record says where it stood, and it
  has no key.
- Names in backticks may have any letter but a backtick; statements are split at ``;``, bucket and folder at ``:``.
- The source lists the folders below what follows ``FROM``: with ``/`` at its end these are a topic's partitions, and
  not also those of topics whose names begin with its name (``AwsS3DirectoryLister``).
- ``connect.s3.path.style.access`` is newer than ``connect.s3.vhost.bucket``, which means the same and not what its name
  says (``AwsS3ClientCreator``): both are set.
- ``connect.s3.exactly.once.enable``: what was written stands in ``.indexes`` at the bucket's root, by the connector's
  name.
- BYTES: an object for each record, of its value alone, and ``flush.count`` 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import (
    Accepted,
    Format,
    Lost,
    Part,
    Vendor,
    Way,
    base,
    folder,
    given,
    no_encryption,
    true_or_false,
)
from kafka_ferry.jobs.s3.files.rules.formats import Formats

_STORED: Final[Mapping[str, str]] = {"avro": "AVRO", "jsonl": "JSON", "parquet": "PARQUET", "bytes": "BYTES"}
_FLUSH: Final = 50_000
_FLUSH_BYTES: Final = 67_108_864


class Lenses(Vendor):
    maker = "Lenses"
    classes: ClassVar[Mapping[Way, str]] = {
        "sink": "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector",
        "source": "io.lenses.streamreactor.connect.aws.s3.source.S3SourceConnector",
    }
    plugin: ClassVar[Mapping[Way, str]] = {
        "sink": "kafka-connect-aws-s3 of the releases of github.com/lensesio/stream-reactor",
        "source": "kafka-connect-aws-s3 of the releases of github.com/lensesio/stream-reactor",
    }
    formats: ClassVar[Mapping[Way, tuple[Format, ...]]] = {
        "sink": ("avro", "parquet", "jsonl", "bytes"),
        "source": ("avro", "parquet", "jsonl"),
    }

    def config(self, intent: Intent, accepted: Accepted) -> dict[str, str]:
        config = base(self, intent)
        no_encryption(intent, self.whose)
        for what in (intent.bucket, folder(intent)):
            if wrong := sorted(set("`;:'") & set(what)):
                raise BadParam(
                    "location", f"has {wrong[0]!r} in {what!r}, which Lenses' KCQL cannot name", "another location"
                )
        own = {
            "connect.s3.aws.region": intent.region,
            "connect.s3.custom.endpoint": intent.endpoint,
            "connect.s3.aws.auth.mode": "Credentials" if intent.key_id else "Default",
            "connect.s3.aws.access.key": intent.key_id,
            "connect.s3.aws.secret.key": intent.secret,
            "connect.s3.error.policy": "THROW",
            "connect.s3.kcql": ";".join(_statements(intent)),
        }
        if intent.path_style is not None:
            path_style = true_or_false(intent.path_style)
            own |= {"connect.s3.path.style.access": path_style, "connect.s3.vhost.bucket": path_style}
        return config | given(own) | (_SINK if intent.way == "sink" else _source(intent))

    def lost(self, way: Way, kind: Format, accepted: Accepted) -> Lost:
        if kind == "bytes":
            alone = "an object has a value alone"
            return {"keys": alone, "headers": alone, "timestamps": alone, "tombstones": alone}
        found: dict[Part, str] = {"headers": "they are a map, without order and repetition; "}
        if kind == "jsonl":
            found["headers"] += "bytes become base64"
            found["tombstones"] = "in JSON some versions do not write them, and the source stops at them"
        else:
            found["headers"] += "a name that is none in Avro (with a hyphen) stops the task"
        if way == "source":
            found["repeats"] = "after a failure, unless the worker is exactly-once"
        return found

    def notes(self, intent: Intent) -> list[str]:
        if intent.way == "source":
            return ["Lenses' source has a statement for each topic, and looks for new partitions as often as poll says"]
        return [
            "Lenses' sink keeps where it stands in .indexes at the bucket's root: without it, or under another name of "
            "the connector, it reads all again",
            "what is not flushed when it is stopped is read again later",
        ]

    def files(self, kind: Format) -> Formats | None:
        return None if kind == "bytes" else Formats("lenses", key="base64", value="base64", header="base64")


_SINK: Final = {
    "connect.s3.exactly.once.enable": "true",
    "connect.s3.skip.null.values": "false",
}


def _statements(intent: Intent) -> list[str]:
    place = f"{intent.bucket}:{folder(intent)}"
    if intent.way == "source":
        said = "'store.envelope'=true"
        return [
            _statement(intent, f"{place}/{topic}/", intent.renames.get(topic, topic), said) for topic in intent.topics
        ]
    flush = intent.flush
    properties: dict[str, object] = {
        "flush.interval": max(1, round(flush.seconds)),
        "flush.count": _FLUSH if flush.records is None else flush.records,
        "flush.size": _FLUSH_BYTES if flush.bytes is None else flush.bytes,
    }
    properties |= {"flush.count": 1} if intent.format == "bytes" else {"store.envelope": "true"}
    said = ",".join(f"'{name}'={value}" for name, value in properties.items())
    return [_statement(intent, topic, place, said) for topic in intent.topics]


def _statement(intent: Intent, begin: str, end: str, properties: str) -> str:
    stored = _STORED[intent.format]
    return f"INSERT INTO `{end}` SELECT * FROM `{begin}` STOREAS `{stored}` PROPERTIES({properties})"  # noqa: S608


def _source(intent: Intent) -> dict[str, str]:
    return {
        "connect.s3.source.partition.search.recurse.levels": "0",
        "connect.s3.source.partition.search.continuous": "true",
        "connect.s3.source.partition.search.interval": str(round(intent.poll_seconds * 1000)),
        "connect.s3.source.partition.extractor.type": "hierarchical",
    }
