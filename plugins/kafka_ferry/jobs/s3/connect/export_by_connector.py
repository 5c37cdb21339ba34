"""An export whose objects the sink makes: what is frozen, whether it is in S3, and what of it is this run's."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.backup.rules.layout import sink_prefix
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.freeze import check_topic_ids, plan_backup
from kafka_ferry.jobs.backup.store.known import KnownCatalogue
from kafka_ferry.jobs.s3.connect.carrier import (
    Carrier,
    bucket_of,
    connect_runtime,
    connector_name,
    msk_connector_name,
    runtime_of,
)
from kafka_ferry.jobs.s3.connect.rules.intent import Flush, Intent
from kafka_ferry.jobs.s3.connect.rules.reached import Look, check_own, merged, sink_manifests, uncovered
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import CONNECTORS
from kafka_ferry.jobs.s3.export_run import ExportRun, now
from kafka_ferry.jobs.s3.s3_spec import ExportSpec
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.report.artifacts import RunArtifacts

log = logging.getLogger(__name__)

#: Artifacts: the ends that were frozen, as a manifest without objects; and the id of the last manifest that is ours.
FROZEN, EXPORTED = "connector/frozen.json", "connector/exported.json"
_SETTLING = 30.0  # seconds beyond the manifest's interval that a paused sink may take for its last manifest


@dataclass(frozen=True)
class ConnectorExportRun(ExportRun):
    """The same steps as of the engine's: what the sink has written is looked at where the engine would write."""

    artifacts: RunArtifacts

    def plan(self) -> Manifest:
        """:raises BadParam: what is in the bucket is not the sink's, or cannot be continued."""
        planned = super().plan()
        check_own(self.spec.export, self.catalogue.complete(), planned)
        return planned

    def begin(self) -> Manifest:
        """Freeze the ends; those of an earlier try stay."""
        if self.artifacts.read_json(FROZEN) is None:
            self.artifacts.write_json(FROZEN, self.plan().model_dump(mode="json", by_alias=True))
        frozen = self.frozen
        check_topic_ids(self.admin, frozen)
        return frozen

    @property
    def frozen(self) -> Manifest:
        """:raises FerryError: nothing was frozen."""
        found = self.artifacts.read_json(FROZEN)
        if found is None:
            raise FerryError("the ends of this run were not frozen. Fix: clear freeze with its downstream tasks")
        try:
            return Manifest.model_validate(found)
        except ValueError:
            raise DamagedManifest(f"{self.artifacts.path(FROZEN)} is damaged. Fix: start a new run") from None

    def manifest(self) -> Manifest:
        """Of this run: all that the sink has written since it was frozen; once it is finished, up to that."""
        frozen, until = self.frozen, self.artifacts.read_json(EXPORTED)
        parent, last = frozen.parent or "", (until or {}).get("export_id")
        written = [one for one in sink_manifests(self.catalogue.complete()) if one.backup_id > parent]
        return merged(frozen, [one for one in written if last is None or one.backup_id <= last])

    def run_shard(self, mine: object) -> dict[str, float]:
        """Nothing: the connector copies."""
        return {}

    def finish(self, exported: object = ()) -> Manifest:
        """Let the sink write what it has begun, and say which manifests are this run's.

        :raises FerryError: what was frozen is not all in S3.
        """
        if self.artifacts.read_json(EXPORTED) is None:
            if not self.spec.follow_for and self.spec.connector_afterwards != "run" and self.carrier.pause():
                self._settle()
            look = ExportWatch(self, self.catalogue).look(probe=True)
            if look.left:
                fix = "clear wait_until_copied with its downstream tasks"
                raise FerryError(f"not all that was frozen is in manifests: {look.text}. Fix: {fix}")
            self.artifacts.write_json(EXPORTED, {"export_id": self.manifest().backup_id})
        return self.manifest()

    def watch(self) -> ExportWatch:
        return ExportWatch(self)

    def at_present(self, catalogue: Catalogue) -> Manifest:
        """The ends as they are now."""
        return plan_backup(self.admin, catalogue, self.spec.backup(), self.export_id, now())

    def left_of(self, asked: Manifest, newest: Manifest | None) -> dict[Partition, range]:
        """What of these ends is not in S3, but for markers of transactions."""
        left = uncovered(asked, newest)
        empty = self.without_records(left) if left else set()
        return {at: span for at, span in left.items() if at not in empty}

    def without_records(self, spans: Mapping[Partition, range]) -> set[Partition]:
        """Those in which there is no record, but markers of transactions, and what was aborted or compacted away."""
        ranges = [PartitionRange(*at, span.start, span.stop) for at, span in spans.items()]
        hook = KafkaClusterHook(self.spec.source_conn_id)
        try:
            with hook.reader(self.spec.isolation_level, few=True) as reader:
                return {at for at, first in reader.probe(ranges).items() if first is None}
        except TransientError as fault:
            log.warning("not probed: %s", fault)
            return set()

    def _settle(self) -> None:
        """Wait until no note of a paused sink lacks its manifest. Nothing of this run depends on it: the next sink
        declares what this one leaves behind."""
        until = time.monotonic() + self.spec.follow_interval + _SETTLING
        while next(iter(self.store.list(sink_prefix(self.spec.export))), None) is not None:
            if time.monotonic() > until:
                log.warning("the sink is paused, and has objects that no manifest names: the next one will")
                return
            time.sleep(0.5)

    @cached_property
    def carrier(self) -> Carrier:
        """The sink, as this run wants it: for the topics that are frozen, or would be."""
        topics = (self.frozen if self.artifacts.read_json(FROZEN) else self.plan()).topics
        return export_carrier(self.spec, [topic.name for topic in topics])


def sink_name(spec: ExportSpec) -> str:
    place = spec.location.rstrip("/")
    if spec.transport == "msk_connect":
        return msk_connector_name(spec.export, "sink", place)
    # One of another maker writes elsewhere, and may stand beside ours.
    return connector_name(
        spec.export, "sink", place if spec.connector == "kafka_ferry" else f"{place} {spec.connector}"
    )


def export_carrier(spec: ExportSpec, topics: list[str]) -> Carrier:
    """The sink of an export.

    :param topics: that it reads.
    """
    name, on_msk = sink_name(spec), spec.transport == "msk_connect"
    runtime = runtime_of("sink", spec, name, spec.source_conn_id)
    committed = spec.isolation_level == "read_committed"
    intent = Intent(
        way="sink",
        topics=tuple(topics),
        export=spec.export,
        tasks=spec.tasks_max,
        flush=Flush(bytes=spec.segment_mb * 1_000_000, seconds=spec.follow_interval),
        cluster=runtime.client_settings(spec.source_conn_id),
        other_cluster=not on_msk and _is_elsewhere(spec),
        read_committed=committed,
        # There they are for what nothing else can say.
        overrides=committed or not on_msk,
        format=spec.format,
        **bucket_of(spec.location, spec.aws_conn_id, runtime, "aws_conn_id"),
    )
    maker, accepted = CONNECTORS[spec.connector], tuple(spec.accept_losses)
    return Carrier(name, runtime, intent, maker, accepted, spec.transport)


def _is_elsewhere(spec: ExportSpec) -> bool:
    """Whether the workers of Kafka Connect are of another cluster than the one that is read."""
    there = connect_runtime(spec.connect_conn_id).connect.info().kafka_cluster_id
    return there != KafkaClusterHook(spec.source_conn_id).admin.describe_cluster().cluster_id


class ExportWatch:
    """Looks how far the sink has come. Partitions that stand still are probed: behind the last record may be markers of
    transactions, which are in no object."""

    def __init__(self, run: ConnectorExportRun, catalogue: Catalogue | None = None) -> None:
        self.run, self.frozen = run, run.frozen
        self._catalogue = catalogue or KnownCatalogue(run.store, run.spec.export)
        self._before: dict[Partition, range] = {}
        self._empty: set[Partition] = set()

    def look(self, *, probe: bool = False) -> Look:
        """:param probe: all that is left, not only what has stood still since the last look."""
        left = {at: span for at, span in self.left().items() if at not in self._empty}
        still = {at: span for at, span in left.items() if probe or self._before.get(at) == span}
        self._before = left
        if still:
            self._empty |= self.run.without_records(still)
            left = {at: span for at, span in left.items() if at not in self._empty}
        frozen = [one for topic in self.frozen.topics for one in topic.partitions]
        offsets = sum(len(span) for span in left.values())
        text = f"{len(frozen) - len(left)} of {len(frozen)} partitions are in S3 up to their frozen ends"
        if left:
            (topic, number), span = next(iter(left.items()))
            text += f"; {offsets:,} offsets are left, as of {topic}-{number} from {span.start} on"
        return Look(len(left), -offsets, text)

    def left(self) -> dict[Partition, range]:
        """Of each partition that is not in S3 up to its frozen end: what is not."""
        written = sink_manifests(self._catalogue.complete())
        return uncovered(self.frozen, written[-1] if written else None)
