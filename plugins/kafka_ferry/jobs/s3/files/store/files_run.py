"""One import of others' files from its listing to its proof. Free of Airflow."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import BadParam, DataLossError
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.manifest import PartitionBackup, Segment, TopicBackup
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic, select_topics
from kafka_ferry.jobs.backup.store.restore import RestoreRange
from kafka_ferry.jobs.backup.store.restore_run import Refusal, RestoreRun
from kafka_ferry.jobs.backup.store.work import added, in_processes
from kafka_ferry.jobs.s3.bookmark import Mark
from kafka_ferry.jobs.s3.files.files_spec import FilesSpec
from kafka_ferry.jobs.s3.files.process import run
from kafka_ferry.jobs.s3.files.rules.names import FileSet, Listing, partitions_of
from kafka_ferry.jobs.s3.files.store.reading import ForeignFiles, PartitionFiles
from kafka_ferry.jobs.s3.import_run import Bookmarks, ImportRun


def chosen(listing: Listing, spec: FilesSpec) -> dict[str, int]:
    """Topics that are imported, and how many partitions each has.

    :raises BadParam: there is none, one that was asked for is not there, or has more partitions than ``partitions``
        says.
    """
    counts = dict(partitions_of(listing))
    offered = {name: count for name, count in counts.items() if not name.startswith("__") or name in spec.topics}
    if not offered:
        raise BadParam(
            "location",
            f"{spec.location!r} has no files of the layout {spec.layout}"
            + (f"; what is there: {'; '.join(listing.named[:3])}" if listing.named else ""),
            "the prefix below which the files are, and the sink that wrote them (layout)",
        )
    topics = [TopicBackup(name=name, topic_id="", replication_factor=1) for name in offered]
    found = {one.source.name: offered[one.source.name] for one in select_topics(topics, spec.topics, spec.rename)}
    for topic, count in spec.partitions.items():
        if topic not in found:
            raise BadParam("partitions", f"{topic!r} is not among the topics to import", f"one of {sorted(found)[:10]}")
        if count < found[topic]:
            raise BadParam(
                "partitions", f"{topic}: {count}, but its files name {found[topic]}", "as many as the topic had"
            )
        found[topic] = count
    return found


def topics_of(spec: FilesSpec, counts: Mapping[str, int], read: Collection[PartitionFiles] = ()) -> list[TopicBackup]:
    """The topics as an export would describe them.

    :param counts: topic to its partitions. ``read``: what their files hold, as far as that is known.
    """
    known = {(one.topic, one.partition): one.segments for one in read}
    return [
        TopicBackup(
            name=topic,
            topic_id=_identity(spec, topic),
            replication_factor=1,
            configs=dict(spec.topic_configs),
            partitions=[_partition(number, known.get((topic, number), ())) for number in range(count)],
        )
        for topic, count in counts.items()
    ]


def _partition(number: int, segments: Sequence[Segment]) -> PartitionBackup:
    return PartitionBackup(partition=number, begin=0, end=segments[-1].end if segments else 0, segments=list(segments))


def _identity(spec: FilesSpec, topic: str) -> str:
    """What bookmarks know a topic by: read in another way its records are others."""
    said = "\0".join((spec.location.rstrip("/"), topic, *map(str, asdict(spec.formats).values())))
    return f"files-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


class FilesRun(ImportRun):
    """An import whose segments are files that others wrote.

    :param config: the target connection's extra. ``found``: the topics, with the segments of their partitions once
        their files were read.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        store: ObjectStore,
        spec: FilesSpec,
        books: Bookmarks,
        found: Sequence[TopicBackup],
    ) -> None:
        RestoreRun.__init__(self, config, store, spec.restore())
        self._books, self._found, self._rename = books, found, spec.rename
        self.reader = ForeignFiles(spec.formats)

    @cached_property
    def topics(self) -> list[RestoreTopic]:
        return select_topics(self._found, [], self._rename)

    def refusals(self) -> list[Refusal]:
        """As of a restore; but a topic may have more partitions than names tell of."""
        existing, growing = self.admin.topics([topic.name for topic in self.topics]), self._growing()
        all_found = RestoreRun.refusals(self)
        found = [one for one in all_found if one.kind != "partitions"]
        for topic in self.topics:
            state, needed = existing.get(topic.name), len(topic.source.partitions)
            if state is not None and state.partitions < needed and topic.name not in growing:
                problem = f"has {state.partitions} partition(s), the files have {needed}"
                found.append(Refusal(topic.name, "partitions", problem, "delete it, or import under another name"))
        return found or (self._foreign(existing) if all_found else [])

    def ranges(self) -> list[RestoreRange]:
        """As of an import.

        :raises DataLossError: files were added, or have more in them, where an earlier import has been.
        """
        for topic, topic_id in self._with_ids():
            marks = self.book(topic, topic_id).marks
            for one in topic.partitions:
                if one.partition in marks:
                    self._refuse_more(topic, one, marks[one.partition])
        return super().ranges()

    def _refuse_more(self, topic: RestoreTopic, one: PartitionBackup, mark: Mark) -> None:
        """Fewer are taken: a bucket's lifecycle deletes old files, and what they held was proven to have arrived."""
        now = self._records_below(one.segments, mark)
        if mark.records is not None and now > mark.records:
            raise DataLossError(
                f"{topic.name}-{one.partition}: below offset {mark.source} the files have {now:,} records, an earlier "
                f"import has brought {mark.records:,}: files were added or replaced there since. Fix: import them "
                "under another name (rename), or delete the target topic and import it again"
            )

    def _records_below(self, segments: Sequence[Segment], mark: Mark) -> int:
        return sum(
            one.records if one.end <= mark.source else self._below(one, mark.source) if one.begin < mark.source else 0
            for one in segments
        )

    def _below(self, segment: Segment, offset: int) -> int:
        data = self.reader.fetch(self.store, segment)
        pieces = self.reader.decode(data, segment, native=False)
        return sum(int((np.array(rows.offsets, np.int64) < offset).sum()) for rows in pieces)

    def marks(self, lines: Sequence[Mapping[str, Any]], ranges: Sequence[RestoreRange]) -> list[list[Any]]:
        records = {
            (topic.name, one.partition): sum(segment.records for segment in one.segments)
            for topic in self.topics
            for one in topic.partitions
        }
        return [[*mark, records[mark[0], mark[1]]] for mark in super().marks(lines, ranges)]


def read_files(
    order: Mapping[str, Any], spec: FilesSpec, partitions: Mapping[Partition, Sequence[FileSet]]
) -> list[PartitionFiles]:
    """Read all files of some partitions.

    :param order: how a process opens the store.
    """
    common = {"kind": "read", "store": dict(order), "formats": asdict(spec.formats)}
    answers = in_processes(
        list(partitions.items()),
        lambda item: sum(one.size for one in item[1]),
        lambda some: {**common, "partitions": [[*at, [one.to_json() for one in files]] for at, files in some]},
        runner=run,
    )
    return [PartitionFiles.from_json(one) for answer in answers for one in answer["partitions"]]


def import_files(
    files_run: FilesRun, order: Mapping[str, Any], spec: FilesSpec, mine: Collection[Partition]
) -> dict[str, Any]:
    """Write what is left of these partitions and prove it: ``{"done": sums, "lines": [...], "marks": [...]}``.

    :param mine: partitions of the target.
    """
    wanted = set(mine)
    ranges = [one for one in files_run.ranges() if one.at in wanted]

    def each(kind: str) -> list[dict[str, Any]]:
        common = {
            "kind": kind, "config": dict(files_run.config), "store": dict(order), "formats": asdict(spec.formats)
        }  # fmt: skip
        return in_processes(
            ranges,
            lambda one: sum(segment.size for segment in one.segments),
            lambda some: {**common, "ranges": [one.to_json() for one in some]},
            runner=run,
        )

    done = added(each("restore"))
    lines = [line for answer in each("compare") for line in answer["lines"]]
    return {"done": done, "lines": lines, "marks": files_run.marks(lines, ranges)}
