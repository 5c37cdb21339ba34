"""The import of others' files of an Airflow run: its spec, connections, and what its tasks tell each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from kafka_ferry.core.finding import Finding, Severity, refuse, worst_first
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.hooks.objects.store import StoredObject
from kafka_ferry.jobs.backup.rules.manifest import TopicBackup
from kafka_ferry.jobs.s3.files.files_spec import FilesSpec
from kafka_ferry.jobs.s3.files.rules.losses import Loss, loss_findings, others_finding
from kafka_ferry.jobs.s3.files.rules.names import FileSet, Listing, listing_of, namer_of
from kafka_ferry.jobs.s3.files.rules.records import Losses, rows_of
from kafka_ferry.jobs.s3.files.store.files_run import FilesRun, chosen, topics_of
from kafka_ferry.jobs.s3.files.store.reading import PartitionFiles, fetched, unread
from kafka_ferry.jobs.s3.runs import ArtifactBookmarks, order_of
from kafka_ferry.report.artifacts import RunArtifacts

LISTED, READ = "listing.json", "read"


class FilesJob:
    """The import of one run; ``context`` is a task's.

    :raises BadParam: the run's params cannot work.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.spec = FilesSpec.from_params(context["params"])
        self.artifacts = RunArtifacts.of(context)
        self.cluster = KafkaClusterHook(self.spec.target_conn_id)
        self.order = order_of(self.spec.location, self.spec.aws_conn_id)
        self._dag_id = context["dag_run"].dag_id

    def list_files(self) -> Listing:
        """What the location holds now; the files of the run's topics are noted for the tasks that follow.

        :raises BadParam: there is nothing to import.
        """
        listing = listing_of(open_store(**self.order).list(), namer_of(self.spec.formats))
        counts = chosen(listing, self.spec)
        mine = [one for (topic, _), files in listing.partitions.items() if topic in counts for one in files]
        alone = [one for topic, files in listing.tombstones.items() if topic in counts for one in files]
        files = [one for own in mine for one in (own.value, own.keys, own.headers) if one] + alone
        noted = [[one.key, one.size, one.modified] for one in files]
        said = {"files": noted, "others": listing.others, "named": listing.named}
        self.artifacts.write_json(LISTED, said)
        return listing

    @cached_property
    def listing(self) -> Listing:
        """The files of the run's topics, as the plan found them.

        :raises FerryError: there is no plan.
        """
        said = self.artifacts.read_json(LISTED)
        if said is None:
            raise FerryError(f"there is no {self.artifacts.path(LISTED)}. Fix: clear plan with its downstream tasks")
        found = listing_of((StoredObject(*one) for one in said["files"]), namer_of(self.spec.formats))
        found.others, found.named = said["others"], said["named"]
        return found

    @cached_property
    def counts(self) -> dict[str, int]:
        """Topics of the run, and how many partitions each has."""
        return chosen(self.listing, self.spec)

    def partitions(self) -> Iterator[tuple[Partition, list[FileSet]]]:
        """Every partition with its files, also those that have none."""
        for topic, count in self.counts.items():
            for number in range(count):
                yield (topic, number), self.listing.partitions.get((topic, number), [])

    def files_run(self, read: Sequence[PartitionFiles] = ()) -> FilesRun:
        """:param read: what the files hold, once that is known."""
        cluster_id = self.cluster.admin.describe_cluster().cluster_id
        books = ArtifactBookmarks(self._dag_id, cluster_id, "files", self.spec.location)
        store = open_store(**self.order)
        return FilesRun(self.cluster.extra, store, self.spec, books, self.topics(read))

    def topics(self, read: Sequence[PartitionFiles] = ()) -> list[TopicBackup]:
        return topics_of(self.spec, self.counts, read)

    def read(self) -> list[PartitionFiles]:
        """What all reading tasks of this run found; of most segments only what is needed to look at all of them.

        :raises FerryError: not every partition was read.
        """
        found = [one.slim() for name in self.artifacts.names(READ) for one in self._read(name)]
        if {(one.topic, one.partition) for one in found} != {at for at, _ in self.partitions()}:
            raise FerryError("not every file was read. Fix: clear shards with its downstream tasks")
        return found

    def read_by(self, number: int) -> list[PartitionFiles]:
        """What one of them found."""
        return self._read(f"{READ}/{number:03}.json")

    def _read(self, name: str) -> list[PartitionFiles]:
        return list(map(PartitionFiles.from_json, self.artifacts.read_json(name) or []))

    def sampled(self) -> dict[str, dict[Loss, str]]:
        """By topic what its files lack, as far as their names and the smallest of each topic's files tell."""
        found: dict[str, dict[Loss, str]] = {}
        for topic in self.counts:
            sets = [one for at, files in self.partitions() if at[0] == topic for one in files if one.value.size]
            lost: dict[Loss, str] = {}
            if sets:
                losses = self._losses_of(min(sets, key=lambda one: one.size))
                lost = dict.fromkeys(losses.found, "")
            for name, count in (("keys", sum(one.keys is None for one in sets)),
                                ("headers", sum(one.headers is None for one in sets))):  # fmt: skip
                if self.spec.layout == "confluent" and 0 < count < len(sets):
                    lost[name] = f"in {count:,} of {len(sets):,} files"  # type: ignore[index]
            if alone := self.listing.tombstones.get(topic):
                lost["tombstones"] = f"{number_of(len(alone), 'file')}, such as {alone[0].key}"
            found[topic] = lost
        return found

    def _losses_of(self, one: FileSet) -> Losses:
        losses, segment = Losses(), unread(one)
        parts, _ = fetched(open_store(**self.order), segment)
        next(rows_of(self.spec.formats, segment, parts, losses), None)
        return losses

    def findings(self, lost: Mapping[str, Mapping[Loss, str]], files_run: FilesRun) -> list[Finding]:
        """What the files lack, what else lies there, partitions that may be missing, and what retention will delete."""
        found = loss_findings(lost, self.spec.accept_losses) + _retention_findings(files_run)
        found += others_finding(self.listing.others, self.listing.named)
        found += [
            Finding(
                Severity.ADVISE, "partitions", f"topic {topic}",
                f"the files name {number_of(count, 'partition')}; if it had more, keys would go to other partitions "
                "on the target than on the source",
                "partitions with the number that it had", "partitions",
            )
            for topic, count in self.counts.items() if topic not in self.spec.partitions
        ]  # fmt: skip
        return worst_first(found)

    def refuse_read(self, read: Sequence[PartitionFiles]) -> None:
        """What reading has found, and was not accepted, ends the run before anything is written.

        :raises BadParam: names it.
        """
        lost: dict[str, dict[Loss, str]] = {}
        for one in read:
            mine = lost.setdefault(one.topic, {})
            for loss, files in one.lost.items():
                mine.setdefault(loss, f"{one.topic}-{one.partition}: {files:,} of {one.files:,} files")
            if one.moved:
                mine["order"] = one.moved[0]
            if one.missing and "gaps" not in mine:
                begin, end = one.gaps[0]
                mine["gaps"] = f"first {one.topic}-{one.partition}: offsets {begin} to {end - 1}"
        refuse(loss_findings(lost, self.spec.accept_losses))
        if not any(one.segments for one in read):
            raise BadParam("location", "has files, but no record in any of them", "another location or topics")


def _retention_findings(files_run: FilesRun) -> list[Finding]:
    """Topics that are there and delete what is old, once the run has ended."""
    existing = files_run.admin.topics([topic.name for topic in files_run.topics])
    limits = {name: state.effective.get("retention.ms", "") for name, state in existing.items()}
    return [
        Finding(
            Severity.WARN, "retention", f"topic {name}",
            f"it is there with retention.ms={limit}: records older than that are deleted when the run has ended",
            "retention.ms=-1 on it, or another name (rename): topics that the run makes keep them (topic_configs)",
            "rename",
        )
        for name, limit in limits.items() if limit.isdigit()
    ]  # fmt: skip
