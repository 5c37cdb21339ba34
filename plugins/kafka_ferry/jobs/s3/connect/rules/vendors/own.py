"""Our own pair, told in the same words as others': it loses nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.own_connectors import CLASSES, PLUGIN, own_config
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Accepted, Format, Lost, Vendor, Way
from kafka_ferry.jobs.s3.files.rules.formats import Formats

_PLUGIN = f"{PLUGIN} (made by `make plugins`; docs/s3_connectors.md, Install)"


class KafkaFerry(Vendor):
    maker = "Kafka Ferry"
    classes: ClassVar[Mapping[Way, str]] = {"sink": CLASSES["sink"], "source": CLASSES["source"]}
    plugin: ClassVar[Mapping[Way, str]] = {"sink": _PLUGIN, "source": _PLUGIN}
    formats: ClassVar[Mapping[Way, tuple[Format, ...]]] = {
        "sink": ("avro", "jsonl", "parquet"),
        "source": ("avro", "jsonl", "parquet"),
    }

    def config(self, intent: Intent, accepted: Accepted) -> dict[str, str]:
        return own_config(intent)

    def lost(self, way: Way, kind: Format, accepted: Accepted) -> Lost:
        return {}

    def notes(self, intent: Intent) -> list[str]:
        return []

    def files(self, kind: Format) -> Formats | None:
        """None: manifests say what is in the bucket."""
        return None
