"""Confluent's S3 sink and source. Pure.

Sink: https://docs.confluent.io/kafka-connectors/s3-sink/current/configuration_options.html, and its source
(https://github.com/confluentinc/kafka-connect-storage-cloud, commit 87eb7d39, ``S3SinkConnectorConfig``;
https://github.com/confluentinc/kafka-connect-storage-common, commit 9bb1f372, ``StorageSinkConnectorConfig``,
``PartitionerConfig``, ``StorageCommonConfig``).

Source, which is not open: https://docs.confluent.io/kafka-connectors/s3-source/current/backup-and-restore/overview.html,
``…/current/configuration_options.html``, and the list of keys that a worker with it gave
(https://github.com/vdesabou/kafka-docker-playground, ``connect/connect-aws-s3-source/
config-io.confluent.connect.s3.source.S3SourceConnector.txt``).

- ``timezone``: ``rotate.schedule.interval.ms`` needs it. Without that setting a tail waits for further records.
- ``store.kafka.keys``, ``store.kafka.headers``: in files beside those of values; a record without a key, or without
  headers, then fails the task (``KeyValueHeaderRecordWriterProvider``).
- ``behavior.on.null.values``: ``fail``, or ``ignore``. ``write`` puts tombstones apart, where their place is lost.
- ``s3.region``: us-west-2 where it is not given.
- The source calls ``s3.path.style.access`` what the sink calls ``s3.path.style.access.enabled``.
- The source has no setting for topics or names: Kafka's own transforms do it. ``topic.regex.list`` is of its mode
  GENERIC.
- Parquet needs records with a schema, which bytes have not (``ParquetRecordWriterProvider``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from kafka_ferry.core.client_settings import with_prefix
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.vendors.transforms import steps
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
    region_of,
    true_or_false,
)
from kafka_ferry.jobs.s3.files.rules.formats import Formats

_PARTITIONER: Final = "io.confluent.connect.storage.partitioner.DefaultPartitioner"
_CLASSES: Final[Mapping[str, str]] = {
    "avro": "io.confluent.connect.s3.format.avro.AvroFormat",
    "jsonl": "io.confluent.connect.s3.format.json.JsonFormat",
    "bytes": "io.confluent.connect.s3.format.bytearray.ByteArrayFormat",
}
_JSON: Final = "org.apache.kafka.connect.json.JsonConverter"
_FLUSH: Final = 50_000


class Confluent(Vendor):
    maker = "Confluent"
    classes: ClassVar[Mapping[Way, str]] = {
        "sink": "io.confluent.connect.s3.S3SinkConnector",
        "source": "io.confluent.connect.s3.source.S3SourceConnector",
    }
    plugin: ClassVar[Mapping[Way, str]] = {
        "sink": "confluentinc/kafka-connect-s3 from Confluent's marketplace (Confluent Community License)",
        "source": "confluentinc/kafka-connect-s3-source from Confluent's marketplace (needs a licence of Confluent's "
        "after 30 days)",
    }
    formats: ClassVar[Mapping[Way, tuple[Format, ...]]] = {
        "sink": ("avro", "jsonl", "bytes"),
        "source": ("avro", "jsonl", "bytes"),
    }

    def config(self, intent: Intent, accepted: Accepted) -> dict[str, str]:
        """:param accepted: ``keys``, ``headers``, ``tombstones``: they are not stored, so that none can fail a task."""
        both = {
            "s3.bucket.name": intent.bucket,
            "s3.region": region_of(intent, self.whose, "it would take us-west-2"),
            "topics.dir": folder(intent),
            "format.class": _CLASSES.get(intent.format, ""),
            "partitioner.class": _PARTITIONER,
            "store.url": intent.endpoint,
            "aws.access.key.id": intent.key_id,
            "aws.secret.access.key": intent.secret,
        }
        own = _sink(intent, accepted) if intent.way == "sink" else _source(intent)
        return base(self, intent) | given(both) | own

    def lost(self, way: Way, kind: Format, accepted: Accepted) -> Lost:
        found: dict[Part, str]
        if way == "sink":
            left_out: dict[Part, str] = {
                "keys": "they are not stored",
                "headers": "they are not stored",
                "tombstones": "they are left out",
            }
            found = {part: why for part, why in left_out.items() if part in accepted}
            found["timestamps"] = "nothing stores them"
            if kind == "bytes":
                found["bytes"] = "records are joined by a line's end, which values may have in them"
            found["repeats"] = "after a restart records may stand in two files, as files are ended by the clock"
            return found
        found = {
            "keys": "it has no setting for files of keys",
            "headers": "it has no setting for files of headers",
            "timestamps": "files have none: records get the time at which they are written",
            "tombstones": "files have none",
        }
        if kind == "jsonl":
            found["bytes"] = "values are written as JSON again, and bytes stay base64 in it"
        if kind == "bytes":
            found["bytes"] = "records are split at each line's end, also at those in values"
        found["repeats"] = "after a failure the last ones are sent again"
        return found

    def stops(self, way: Way, kind: Format) -> Lost:
        if way == "source":
            return {}
        return {
            "keys": "a record without a key stops the task",
            "headers": "a record without headers, or with one that is null, stops the task",
            "tombstones": "a record without a value stops the task",
        }

    def notes(self, intent: Intent) -> list[str]:
        if intent.way == "sink":
            return [
                "Confluent's sink keeps 5 MB (s3.part.size) on the heap for each open file: one for each "
                "partition, two or three with keys and headers"
            ]
        return [
            "Confluent's S3 source needs a licence of Confluent's: without confluent.license it runs for 30 days; it "
            "makes the topic _confluent-command on the cluster, with three replicas",
            "Confluent's S3 source reads all topics below its folder; those that were not asked for are dropped by a "
            "transform",
            "where the target has fewer partitions than files name, Confluent's source fails, or stays RUNNING and "
            "sends nothing",
        ]

    def files(self, kind: Format) -> Formats | None:
        return None if kind == "bytes" else Formats("confluent", key="base64", value="base64", header="base64")


def _sink(intent: Intent, accepted: Accepted) -> dict[str, str]:
    flush = intent.flush
    kind = _CLASSES.get(intent.format, "")
    config = {
        "storage.class": "io.confluent.connect.s3.storage.S3Storage",
        "flush.size": str(_FLUSH if flush.records is None else flush.records),
        "rotate.schedule.interval.ms": str(round(flush.seconds * 1000)),
        "timezone": "UTC",
        "s3.part.size": "5242880",
        "schema.compatibility": "NONE",
        "behavior.on.null.values": "ignore" if "tombstones" in accepted else "fail",
        "store.kafka.keys": true_or_false("keys" not in accepted),
        "keys.format.class": kind,
        "store.kafka.headers": true_or_false("headers" not in accepted),
        "headers.format.class": kind,
        # It packs lines; Avro has a codec of its own.
        **({"avro.codec": "deflate"} if intent.format == "avro" else {"s3.compression.type": "gzip"}),
    }
    path_style = {} if intent.path_style is None else {"s3.path.style.access.enabled": true_or_false(intent.path_style)}
    return config | path_style | given({"s3.ssea.name": intent.encryption, "s3.sse.kms.key.id": intent.kms_key})


def _source(intent: Intent) -> dict[str, str]:
    if "bootstrap.servers" not in intent.cluster:
        raise BadParam(
            "target_conn_id",
            "names no brokers, and Confluent's source keeps its licence in a topic of the cluster",
            "bootstrap.servers in the connection's extra",
        )
    config = {
        "mode": "RESTORE_BACKUP",
        "behavior.on.error": "fail",
        "s3.poll.interval.ms": str(round(intent.poll_seconds * 1000)),
        **with_prefix(intent.cluster, "confluent.topic."),
        **steps(intent.topics, intent.renames),
    }
    if intent.format == "jsonl":  # what it hands over is no bytes
        config |= {"value.converter": _JSON, "value.converter.schemas.enable": "false"}
    if intent.path_style is not None:
        config["s3.path.style.access"] = true_or_false(intent.path_style)
    return config
