"""The export or import of an Airflow run: its spec, connections, and what it keeps between runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kafka_ferry.core.plan import PlannedTopic
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.largest import Largest
from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.known import KnownCatalogue
from kafka_ferry.jobs.backup.store.process import store_order
from kafka_ferry.jobs.backup.store.restore_sizes import largest_line
from kafka_ferry.jobs.backup.store.transfer import Transferred, transfer
from kafka_ferry.jobs.common.deployment import check_location
from kafka_ferry.jobs.common.signing import signer_of
from kafka_ferry.jobs.s3.bookmark import Bookmark
from kafka_ferry.jobs.s3.export_run import ExportRun
from kafka_ferry.jobs.s3.import_run import ImportRun
from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.report.artifacts import RunArtifacts
from kafka_ferry.report.names import run_key, safe_name

if TYPE_CHECKING:
    from kafka_ferry.jobs.s3.connect.import_by_connector import ConnectorImport

_BOOKMARKS = "_bookmarks"  # beside the runs' own folders
_SAMPLE = 1000


def export_run_of(context: Mapping[str, Any]) -> ExportRun:
    """The export of the run a task belongs to."""
    return export_run(context["dag_run"].dag_id, context["dag_run"].run_id, context["params"])


def export_run(dag_id: str, run_id: str, params: Mapping[str, Any]) -> ExportRun:
    """The export of a run, by whatever carries it."""
    spec = ExportSpec.from_params(params)
    cluster = KafkaClusterHook(spec.source_conn_id)
    order = order_of(spec.location, spec.aws_conn_id, spec.signing_conn_id)
    made = cluster.admin, cluster.extra, open_store(**order), order, spec, run_key(run_id)
    if spec.transport == "engine":
        return ExportRun(*made)
    from kafka_ferry.jobs.s3.connect.export_by_connector import ConnectorExportRun
    from kafka_ferry.jobs.s3.connect.vendor_export import VendorExportRun

    run = ConnectorExportRun if spec.connector == "kafka_ferry" else VendorExportRun
    return run(*made, RunArtifacts(dag_id, run_id))


def order_of(
    location: str, aws_conn_id: str | None, signing_conn_id: str | None = None, param: str = "location"
) -> dict[str, Any]:
    check_location(location, param)
    settings = store_settings(aws_conn_id) if location.startswith("s3://") else None
    return store_order(location, settings, signer=signer_of(signing_conn_id))


def record_bytes(conn_id: str, manifest: Manifest) -> dict[str, float]:
    """Mean bytes of key and value by topic, from a sample of the ranges; topics without records are left out."""
    ranges = []
    for topic in manifest.topics:
        largest = max(topic.partitions, key=lambda one: one.end - one.begin, default=None)
        if largest and largest.end > largest.begin:
            end = min(largest.end, largest.begin + _SAMPLE)
            ranges.append(PartitionRange(topic.name, largest.partition, largest.begin, end))
    with KafkaClusterHook(conn_id).reader(manifest.isolation_level, few=True) as reader:
        contents = reader.read(ranges)
    return {topic: content.bytes / len(content) for (topic, _), content in contents.items() if len(content)}


class ImportJob:
    """The import of one run; ``context`` is a task's, or has what of it is used.

    :raises BadParam: the run's params cannot work.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.spec = ImportSpec.from_params(context["params"])
        self._dag_id = context["dag_run"].dag_id
        self.cluster = KafkaClusterHook(self.spec.target_conn_id)
        self.order = order_of(self.spec.location, self.spec.aws_conn_id, self.spec.signing_conn_id)
        if self.spec.copy_to:
            self.order = order_of(self.spec.copy_to, self.spec.copy_aws_conn_id, self.spec.signing_conn_id, "copy_to")

    @property
    def store(self) -> ObjectStore:
        """Where the import reads: the copy, where there is one."""
        return open_store(**self.order)

    def origin(self) -> ObjectStore:
        """Where the export was written."""
        return open_store(**order_of(self.spec.location, self.spec.aws_conn_id, self.spec.signing_conn_id))

    def latest(self, origin: ObjectStore) -> str | None:
        """Id of the export to import; None when there is none yet, and ``follow_for`` waits for one.

        :raises IncompleteBackup: there is none, or not the one asked for, or not all that it builds on.
        """
        try:
            chain = Catalogue(origin, self.spec.export, "export").chain(self.spec.export_id)
        except IncompleteBackup:
            # A connector is told topics by name, which only an export tells.
            if self.spec.follow_for and self.spec.transport == "engine":
                return None
            raise
        return chain[-1].backup_id

    def catalogue(self, store: ObjectStore) -> KnownCatalogue:
        """The exports in a store, for those who look often."""
        return KnownCatalogue(store, self.spec.export)

    def transfer(self, export_id: str) -> Transferred:
        """Bring an export to where this run reads."""
        return transfer(
            self.origin(), self.store, Catalogue(self.origin(), self.spec.export, "export").chain(export_id)
        )

    def bring(self, origin: KnownCatalogue) -> None:
        """Bring what is new to where this run reads, when that is a copy."""
        latest = next(reversed(origin.complete()), None)
        if self.spec.copy_to is not None and latest is not None:
            transfer(origin.store, self.store, origin.chain(latest))

    def import_run(self, export_id: str | None = None, catalogue: Catalogue | None = None) -> ImportRun:
        """:param export_id: as of which export; None is the latest."""
        cluster_id = self.cluster.admin.describe_cluster().cluster_id
        books = ArtifactBookmarks(self._dag_id, cluster_id, self.spec.export, self.spec.location)
        return ImportRun(self.cluster.extra, self.store, self.spec, books, export_id, catalogue)

    def by_connector(self, export_id: str | None, catalogue: Catalogue | None = None) -> ConnectorImport:
        """The same, where a connector writes."""
        from kafka_ferry.jobs.s3.connect.import_by_connector import ConnectorImport

        cluster_id = self.cluster.admin.describe_cluster().cluster_id
        return ConnectorImport(self.import_run(export_id, catalogue), self.spec, cluster_id)


class ArtifactBookmarks:
    """Bookmarks beside the runs' artifacts: ``_bookmarks/<cluster id>/<export>/<target topic>.json``.

    Without them (a store that was emptied, another Airflow) an import still repeats nothing while the target has all of
    its records: it counts them, and looks at the last one.
    """

    def __init__(self, dag_id: str, cluster_id: str, name: str, location: str) -> None:
        self._artifacts = RunArtifacts(dag_id, _BOOKMARKS)
        place = hashlib.sha256(location.rstrip("/").encode()).hexdigest()[:8]
        self._folder = f"{safe_name(cluster_id)}/{name}-{place}"

    def read(self, topic: str) -> Bookmark:
        found = self._artifacts.read_json(self._name(topic))
        try:
            return Bookmark.from_json(found) if found else Bookmark()
        except ValueError as error:
            raise FerryError(
                f"{self._artifacts.path(self._name(topic))} is not a bookmark ({error}). Fix: delete it; the import "
                "then finds where to resume from what the target holds"
            ) from None

    def write(self, topic: str, bookmark: Bookmark) -> None:
        self._artifacts.write_json(self._name(topic), bookmark.to_json())

    def _name(self, topic: str) -> str:
        return f"{self._folder}/{safe_name(topic)}.json"


def planned_topics(import_run: ImportRun, largest: Mapping[str, Largest]) -> list[PlannedTopic]:
    """Topics of an export as lines of a plan."""
    return [_line(topic, largest[topic.name]) for topic in import_run.topics]


def _line(topic: RestoreTopic, largest: Largest) -> PlannedTopic:
    segments = [segment for one in topic.partitions for segment in one.segments]
    return PlannedTopic(
        source=topic.source.name,
        target=topic.name,
        partitions=len(topic.source.partitions),
        records=sum(segment.records for segment in segments),
        bytes=sum(segment.bytes for segment in segments),
        **largest_line(largest),
    )


def refuse_itself(import_run: ImportRun) -> None:
    """A topic that was deleted may come back under its name; one that is there cannot be its own target.

    :raises BadParam: a topic would be imported into itself.
    """
    ids = import_run.admin.topic_ids([topic.name for topic in import_run.topics])
    for topic in import_run.topics:
        if ids.get(topic.name) == topic.source.topic_id:
            raise BadParam(
                "rename",
                f"{topic.name!r} is the topic that was exported: it would be imported into itself",
                "a name for the target topic, such as {'source-(.*)': 'target-\\\\1'}",
            )
