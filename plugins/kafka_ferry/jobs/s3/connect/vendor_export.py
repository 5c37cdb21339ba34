"""An export that another maker's sink writes: there are no manifests, so its files are read and counted."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.s3.connect.export_by_connector import ConnectorExportRun, ExportWatch
from kafka_ferry.jobs.s3.connect.rules.vendors.proof import Held, held, judge, without_tombstones
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Lost, Vendor
from kafka_ferry.jobs.s3.export_run import ExportRun
from kafka_ferry.jobs.s3.files.rules.formats import Formats
from kafka_ferry.jobs.s3.files.rules.names import FileSet, listing_of, namer_of
from kafka_ferry.jobs.s3.files.store.reading import read_partition
from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.damage import DamagedSegment

log = logging.getLogger(__name__)

#: Artifacts: what files hold, of the partitions of a task; and objects that are no files.
HELD = "connector/held"


@dataclass(frozen=True)
class VendorExportRun(ConnectorExportRun):
    """What its connector has committed is said to be in S3; that it is there, its files have to say."""

    @property
    def vendor(self) -> Vendor:
        return VENDORS[self.spec.connector]

    @property
    def folder(self) -> str:
        """Below which its files are. Camel's sink knows no folder."""
        location = self.spec.location.rstrip("/")
        return location if self.spec.connector == "camel" else f"{location}/{self.spec.export}"

    def place(self, topic: str) -> str:
        return f"{self.folder}/{topic}/"

    def plan(self) -> Manifest:
        """:raises BadParam: there are exports of ours, among which its files would stand."""
        if ours := list(self.catalogue.complete()):
            problem = f"{self.spec.export!r} has exports of Kafka Ferry's own, such as {ours[-1]}"
            raise BadParam("export", problem, "another export name, or connector: kafka_ferry")
        return ExportRun.plan(self)

    def manifest(self) -> Manifest:
        """The ends that were frozen; nobody has described any objects."""
        return self.frozen

    def watch(self) -> VendorWatch:
        return VendorWatch(self)

    def finish(self, exported: object = ()) -> Manifest:
        """:raises FerryError: the connector has not committed all that was frozen."""
        if self.spec.connector_afterwards != "run":
            self.carrier.pause()
        look = self.watch().look(probe=True)
        if look.left:
            fix = "clear wait_until_copied with its downstream tasks"
            raise FerryError(f"the connector has not committed all that was frozen: {look.text}. Fix: {fix}")
        return self.frozen

    # -- proof ---------------------------------------------------------------------------------------------------------

    def unread(self) -> str:
        """Why its files are not read; empty: they are."""
        if not self.spec.verify:
            return "param verify is off"
        if self.vendor.files(self.spec.format) is None:
            return f"objects of {self.vendor.whose} sink, as {self.spec.format}, do not tell which records they hold"
        return ""

    def verify_shard(self, mine: Collection[Partition]) -> list[dict[str, Any]]:
        """Read the files of these partitions, and the source; what was found is noted, and judged later."""
        formats = self.vendor.files(self.spec.format)
        if formats is None or not mine:
            return []
        store = open_store(**{**self.store_order, "location": self.folder})
        listing = listing_of(store.list(""), namer_of(formats))
        frozen = {(topic.name, one.partition): one for topic, one in self.frozen.partitions()}
        found = []
        for at in sorted(mine):
            span = PartitionRange(*at, frozen[at].begin, frozen[at].end)
            found.append(self._held(store, formats, span, listing.partitions.get(at, [])))
            beat()
        first = min(mine)
        said = {"held": [one.to_json() for one in found], "others": listing.others, "named": listing.named}
        self.artifacts.write_json(f"{HELD}/{first[0]}-{first[1]}.json", said)
        return []

    def _held(self, store: Any, formats: Formats, span: PartitionRange, files: list[FileSet]) -> Held:
        try:
            read = read_partition(store, formats, *span.key, files)
        except DamagedSegment as damage:
            return Held(*span.key, span.estimated_records, 0, differing=(str(damage),), files=len(files))
        source = self._source(span)
        whole = not read.lost and not self._lost()
        return held(span, read.segments, source, whole=whole, repeated=read.repeated)

    def _source(self, span: PartitionRange) -> PartitionContent:
        """All of it from the log's start, also behind the frozen end: files may go on there. Without tombstones, where
        the sink leaves them out."""
        begin = self.admin.offsets([span.key], "earliest", self.spec.isolation_level)[span.key]
        end = self.admin.offsets([span.key], "latest", self.spec.isolation_level)[span.key]
        whole = replace(span, begin=begin, end=max(begin, end))
        with KafkaClusterHook(self.spec.source_conn_id).reader(self.spec.isolation_level) as reader:
            read = reader.read([whole], with_keys=True)[span.key]
        return without_tombstones(read) if "tombstones" in self._lost() else read

    def _lost(self) -> Lost:
        """But for what comes after a failure: that is counted."""
        lost = self.vendor.lost("sink", self.spec.format, self.spec.accept_losses)
        return {part: why for part, why in lost.items() if part != "repeats"}

    def judged(self) -> dict[str, Any]:
        """Checks and topic lines.

        :raises FerryError: not every partition was read.
        """
        lost = self._lost()
        spans = {(topic.name, one.partition): one for topic, one in self.frozen.partitions()}
        if unread := self.unread():
            found = {at: Held(*at, 0, 0) for at in spans}
            return judge(list(found.values()), lost, unread, self.folder)
        noted = [self.artifacts.read_json(name) or {} for name in self.artifacts.names(HELD)]
        found = {(one.topic, one.partition): one for part in noted for one in map(Held.from_json, part["held"])}
        left = [at for at, one in spans.items() if at not in found and one.begin < one.end]
        if left:
            where = f"{left[0][0]}-{left[0][1]}"
            raise FerryError(f"files of {where} were not read. Fix: clear verify with its downstream tasks")
        found |= {at: Held(*at, 0, 0) for at in spans if at not in found}
        others = max((part["others"] for part in noted), default=0)
        named: list[str] = next((part["named"] for part in noted if part["others"] == others), [])
        return judge([found[at] for at in sorted(spans)], lost, "", self.folder, (others, named))


class VendorWatch(ExportWatch):
    """How far the connector has come, by what it has committed."""

    def left(self) -> dict[Partition, range]:
        carrier = self.run.carrier
        there: dict[Partition, int] = {}
        for entry in carrier.runtime.offsets(carrier.name):
            where, at = entry["partition"], entry.get("offset") or {}
            if "kafka_offset" in at:
                there[str(where["kafka_topic"]), int(where["kafka_partition"])] = int(at["kafka_offset"])
        found = {}
        for topic, one in self.frozen.partitions():
            begin = max(one.begin, there.get((topic.name, one.partition), 0))
            if begin < one.end:
                found[topic.name, one.partition] = range(begin, one.end)
        return found
