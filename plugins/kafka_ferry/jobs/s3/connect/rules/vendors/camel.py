"""Camel's ``aws-s3-sink`` and ``aws-s3-source``. Pure.

https://github.com/apache/camel-kafka-connector, commit 01ca1e4c: ``camel-aws-s3-sink-sink.json``,
``camel-aws-s3-source-source.json``, ``CamelSinkTask``, ``CamelSourceTask``, ``CamelConnectorConfig``; the pages are
https://camel.apache.org/camel-kafka-connector/4.0.x/reference/connectors/camel-aws-s3-source-kafka-source-connector.html
and ``…/camel-aws-s3-sink-kafka-sink-connector.html``. What the component does is in
https://github.com/apache/camel, ``AWS2S3Consumer`` and ``AWS2S3Producer``.

- The sink writes an object for each record, of its value, under a name that Camel makes up (``exchangeId``).
  ``keyName`` is one name for all: each record would overwrite the one before. So there is no folder, and names say
  nothing.
- ``camel.map.headers``, ``camel.map.properties``: a record's header ``CamelHeader.…`` would be a command to Camel, such
  as another bucket or ``deleteObject``. Off; in a source they would be headers that nobody sent.
- ``deleteAfterRead`` of the source is true by default. False: every poll reads all objects once more, for ever.
- ``camel.error.handler.max.redeliveries`` 0: an error fails the task.
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
    given,
    no_encryption,
    region_of,
    true_or_false,
)
from kafka_ferry.jobs.s3.files.rules.formats import Formats

_ALONE: Final = "an object has a value alone"
_TRANSFORMS: Final = "org.apache.kafka.connect.transforms"


class Camel(Vendor):
    maker = "Camel"
    classes: ClassVar[Mapping[Way, str]] = {
        "sink": "org.apache.camel.kafkaconnector.awss3sink.CamelAwss3sinkSinkConnector",
        "source": "org.apache.camel.kafkaconnector.awss3source.CamelAwss3sourceSourceConnector",
    }
    plugin: ClassVar[Mapping[Way, str]] = {
        "sink": "org.apache.camel.kafkaconnector:camel-aws-s3-sink-kafka-connector (tar.gz) of Maven Central",
        "source": "org.apache.camel.kafkaconnector:camel-aws-s3-source-kafka-connector (tar.gz) of Maven Central",
    }
    formats: ClassVar[Mapping[Way, tuple[Format, ...]]] = {"sink": ("bytes",), "source": ("bytes",)}

    def config(self, intent: Intent, accepted: Accepted) -> dict[str, str]:
        """:param accepted: of a source ``objects``: it deletes them; else ``repeats``: it reads them without end."""
        config = base(self, intent)
        no_encryption(intent, self.whose)
        prefix = f"camel.kamelet.aws-s3-{intent.way}."
        own = {
            "bucketNameOrArn": intent.bucket,
            "region": region_of(intent, self.whose, "it must be given"),
            "accessKey": intent.key_id,
            "secretKey": intent.secret,
            "useDefaultCredentialsProvider": "" if intent.key_id else "true",
            "uriEndpointOverride": intent.endpoint,
            "overrideEndpoint": "true" if intent.endpoint else "",
            "forcePathStyle": "" if intent.path_style is None else true_or_false(intent.path_style),
        }
        own |= _sink(intent) if intent.way == "sink" else _source(intent, accepted)
        config |= {
            "camel.map.headers": "false",
            "camel.map.properties": "false",
            "camel.error.handler.max.redeliveries": "0",
        }
        if intent.way == "source":
            # Each task would read the whole bucket.
            config |= {"topics": intent.renames.get(intent.topics[0], intent.topics[0]), "tasks.max": "1"}
        elif "tombstones" in accepted:
            config |= {
                "transforms": "values",
                "transforms.values.type": f"{_TRANSFORMS}.Filter",
                "transforms.values.predicate": "tombstone",
                "predicates": "tombstone",
                "predicates.tombstone.type": f"{_TRANSFORMS}.predicates.RecordIsTombstone",
            }
        return config | {prefix + key: value for key, value in given(own).items()}

    def lost(self, way: Way, kind: Format, accepted: Accepted) -> Lost:
        found: dict[Part, str] = {"keys": _ALONE, "headers": _ALONE, "timestamps": _ALONE}
        if way == "sink":
            found |= {"partitions": "names do not say them", "order": "names do not say it"}
            if "tombstones" in accepted:
                found["tombstones"] = "they are left out"
            found["repeats"] = "after a failure records stand in two objects"
            return found
        found |= {
            "partitions": "records have no key, and go to any",
            "order": "objects come by their names",
            "tombstones": "an object is a value",
        }
        if "repeats" not in accepted or "objects" in accepted:
            found["objects"] = "each one that was read is deleted (deleteAfterRead)"
            found["repeats"] = "an object whose deletion failed is read again"
        else:
            found["repeats"] = "all objects are read again at every poll, without an end"
        return found

    def stops(self, way: Way, kind: Format) -> Lost:
        return {"tombstones": "a record without a value stops the task"} if way == "sink" else {}

    def notes(self, intent: Intent) -> list[str]:
        if intent.way == "sink":
            return ["Camel's sink makes one object, and one request, of each record"]
        return ["Camel's source makes one record of each object below its folder, whoever wrote it"]

    def files(self, kind: Format) -> Formats | None:
        return None


def _sink(intent: Intent) -> dict[str, str]:
    if intent.prefix:
        raise BadParam(
            "location",
            f"has the folder {intent.prefix!r}, but Camel's sink writes to the root of a bucket: it has no setting "
            "for a folder",
            f"s3://{intent.bucket}, if the bucket is for this alone; or another connector",
        )
    return {}


def _source(intent: Intent, accepted: Accepted) -> dict[str, str]:
    if len(intent.topics) != 1:
        raise BadParam(
            "topics",
            f"are {len(intent.topics)}, but Camel's source writes every object into the same topic, as their names do "
            "not say one",
            "one topic",
        )
    if not {"objects", "repeats"} & set(accepted):
        raise BadParam(
            "accept_losses",
            "does not say what becomes of the objects: Camel's source deletes each one that it has read "
            "(deleteAfterRead, true by default), or reads all of them again at every poll, without an end",
            "objects (they are deleted: take a copy of the bucket) or repeats (records come again and again); "
            "connector kafka_ferry does neither",
        )
    return {
        "prefix": f"{intent.prefix}/" if intent.prefix else "",
        "deleteAfterRead": true_or_false("objects" in accepted),
        "delay": str(round(intent.poll_seconds * 1000)),
    }
