"""Aiven's S3 sink and source. Pure.

https://github.com/Aiven-Open/cloud-storage-connectors-for-apache-kafka, commit 89e55a98 (3.4): ``S3ConfigFragment``,
``FileNameFragment``, ``OutputFormatFragment``, ``SourceConfigFragment``, ``TransformerFragment``, and the READMEs of
``s3-sink-connector`` and ``s3-source-connector``. The sink 2.15.0 (``io.aiven:s3-connector-for-apache-kafka``) has the
same keys, but for ``aws.s3.sse.algorithm``.

- ``aws.s3.prefix`` of the sink switches ``file.name.template`` off (``S3SinkConfig.usesFileNameTemplate``): so the
  folder stands in the template. The source needs it, to list no more than that.
- ``format.output.fields``: what a line, a record or a row has. Headers are a list in JSON lines. In Avro and Parquet
  they are a map, and the file's schema is that of its first record (``SinkSchemaBuilder.headersSchema``).
- There is no setting for when a file ends: the sink writes when the worker commits (``offset.flush.interval.ms``), and
  ``file.max.records`` only splits what it writes then.
- ``aws.s3.endpoint`` comes with path style (``S3ClientFactory``), and there is no setting for it.
- ``file.name.template`` of the source is a regular expression that is looked for in an object's key; it knows
  ``{{partition}}``, without ``padding``. ``distribution.type=partition``: one task for a partition, so in order.
- The source hands over a whole line or record as the value, and the object's key as the key (``AbstractSourceRecord``):
  Kafka's own ``ValueToKey`` and ``ExtractField`` take key and value out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

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
)
from kafka_ferry.jobs.s3.files.rules.formats import Formats

_TEXT: Final = "org.apache.kafka.connect.storage.StringConverter"
_TRANSFORMS: Final = "org.apache.kafka.connect.transforms"
_ENDINGS: Final[Mapping[str, str]] = {"jsonl": ".jsonl.gz", "avro": ".avro", "parquet": ".parquet"}
#: Names below the folder: in the order of offsets, and of one partition each.
_NAMES: Final = "{{topic}}/{{partition:padding=true}}-{{start_offset:padding=true}}"


class Aiven(Vendor):
    maker = "Aiven"
    classes: ClassVar[Mapping[Way, str]] = {
        "sink": "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector",
        "source": "io.aiven.kafka.connect.s3.source.S3SourceConnector",
    }
    plugin: ClassVar[Mapping[Way, str]] = {
        "sink": "s3-sink-connector-for-apache-kafka of github.com/Aiven-Open/cloud-storage-connectors-for-apache-kafka",
        "source": "s3-source-connector-for-apache-kafka of "
        "github.com/Aiven-Open/cloud-storage-connectors-for-apache-kafka",
    }
    formats: ClassVar[Mapping[Way, tuple[Format, ...]]] = {
        "sink": ("jsonl", "avro", "parquet"),
        "source": ("avro", "parquet", "jsonl"),
    }

    def config(self, intent: Intent, accepted: Accepted) -> dict[str, str]:
        config = base(self, intent)
        if intent.endpoint and intent.path_style is False:
            raise BadParam(
                "aws_conn_id",
                "asks for the bucket in the host's name, but with an endpoint Aiven's connector has it in the path",
                "leave out addressing_style in the connection's extra",
            )
        if intent.kms_key:
            raise BadParam(
                "aws_conn_id",
                f"names the KMS key {intent.kms_key!r}, for which Aiven's connector has no setting",
                "make it the key of the bucket's default encryption, and take it out of the connection's extra",
            )
        both = {
            "aws.s3.bucket.name": intent.bucket,
            "aws.s3.region": region_of(intent, self.whose, "it would take us-east-1"),
            "aws.s3.endpoint": intent.endpoint,
            "aws.access.key.id": intent.key_id,
            "aws.secret.access.key": intent.secret,
            "aws.s3.sse.algorithm": intent.encryption if intent.way == "sink" else "",
        }
        return config | given(both) | (_sink(intent) if intent.way == "sink" else _source(intent))

    def lost(self, way: Way, kind: Format, accepted: Accepted) -> Lost:
        found: dict[Part, str] = {}
        if way == "sink":
            if kind != "jsonl":
                found["headers"] = "they are left out: a record without any would stop the task at the next with some"
            found["repeats"] = "after a failure files may overlap"
            return found
        found["headers"] = "it does not make headers of what files have"
        found["timestamps"] = "records get the time at which they are written"
        if kind == "jsonl":
            found["bytes"] = "keys and values come as they stand in the line: base64, if bytes were written"
        found["repeats"] = "after a failure; some versions read all again when the worker is restarted"
        return found

    def notes(self, intent: Intent) -> list[str]:
        if intent.way == "source":
            return []
        return [
            "Aiven's sink writes when the worker commits (offset.flush.interval.ms, 60 s by default), and keeps all "
            "records until then on the heap; when objects end is not the connector's to set",
            "an upload that failed may leave an object that is cut: a file's existence proves nothing",
        ]

    def files(self, kind: Format) -> Formats | None:
        return Formats("aiven", key="base64", value="base64", header="base64", template=_NAMES + _ENDINGS[kind])


def _sink(intent: Intent) -> dict[str, str]:
    fields = ["key", "value", "offset", "timestamp", *(["headers"] if intent.format == "jsonl" else [])]
    return {
        "format.output.type": intent.format,
        "format.output.envelope": "true",
        "format.output.fields": ",".join(fields),
        "format.output.fields.value.encoding": "base64",
        "file.name.template": f"{folder(intent)}/{_NAMES}{_ENDINGS[intent.format]}",
        # It packs lines; Avro and Parquet files are read as such.
        "file.compression.type": "gzip" if intent.format == "jsonl" else "none",
        "file.max.records": str(intent.flush.records or 0),
        "aws.s3.part.size.bytes": "5242880",
    }


def _source(intent: Intent) -> dict[str, str]:
    config = {
        "aws.s3.prefix": f"{folder(intent)}/",
        "input.format": intent.format,
        "file.name.template": "{{topic}}/{{partition}}-{{start_offset}}" + _ENDINGS[intent.format].replace(".", "\\."),
        "file.compression.type": "gzip" if intent.format == "jsonl" else "none",
        "distribution.type": "partition",
        **steps(intent.topics, intent.renames, _UNWRAPPED),
    }
    if intent.format == "jsonl":  # what stands in a line is text
        config |= {"key.converter": _TEXT, "value.converter": _TEXT}
    return config


#: Key and value of a record out of the value that the source hands over.
_UNWRAPPED: Final[Mapping[str, Mapping[str, str]]] = {
    "withKey": {"type": f"{_TRANSFORMS}.ValueToKey", "fields": "key"},
    "key": {"type": f"{_TRANSFORMS}.ExtractField$Key", "field": "key"},
    "value": {"type": f"{_TRANSFORMS}.ExtractField$Value", "field": "value"},
}
