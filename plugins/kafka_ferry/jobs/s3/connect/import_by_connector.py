"""An import whose records the source connector writes: where it begins, how far it is, and what of it is proven."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.connect.hook import Offsets
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.jobs.backup.rules.formats import offsets_of
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic, takes_part
from kafka_ferry.jobs.backup.store.restore import read_segment
from kafka_ferry.jobs.s3.bookmark import Mark
from kafka_ferry.jobs.s3.connect.carrier import Carrier, bucket_of, connector_name, msk_connector_name, runtime_of
from kafka_ferry.jobs.s3.connect.rules.intent import Intent
from kafka_ferry.jobs.s3.connect.rules.reached import (
    Look,
    Place,
    last_offset,
    look_at,
    positions,
    source_partition,
    would_repeat,
)
from kafka_ferry.jobs.s3.import_run import ImportRun
from kafka_ferry.jobs.s3.s3_spec import ImportSpec
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.report.artifacts import RunArtifacts

log = logging.getLogger(__name__)

#: Artifact: how far the connector has to come, by partition.
WANTED = "connector/wanted.json"
_ENGINE = "another name in rename, or delete the topic; transport: engine goes on by what the topic holds"


@dataclass(frozen=True)
class ConnectorImport:
    """One import of a run.

    :param run: of the export that is imported. ``cluster_id``: of the target.
    """

    run: ImportRun
    spec: ImportSpec
    cluster_id: str

    @property
    def export(self) -> str:
        """As the connector calls it in its offsets."""
        return f"{(self.spec.copy_to or self.spec.location).rstrip('/')}/{self.spec.export}"

    @cached_property
    def carrier(self) -> Carrier:
        """The source connector, as this run wants it."""
        spec, name = self.spec, source_name(self.spec, self.cluster_id)
        runtime = runtime_of("source", spec, name, spec.target_conn_id)
        location, conn_id = spec.location, spec.aws_conn_id
        if spec.copy_to:
            location, conn_id = spec.copy_to, spec.copy_aws_conn_id
        names = {topic.source.name: topic.name for topic in self.run.topics}
        intent = Intent(
            way="source",
            topics=tuple(sorted(names)),
            export=spec.export,
            tasks=spec.tasks_max,
            renames={old: new for old, new in names.items() if old != new},
            poll_seconds=spec.follow_interval,
            overrides=spec.transport != "msk_connect",
            **bucket_of(location, conn_id, runtime, "copy_aws_conn_id" if spec.copy_to else "aws_conn_id"),
        )
        return Carrier(name, runtime, intent, transport=spec.transport)

    # -- where it begins -----------------------------------------------------------------------------------------------

    def deploy(self) -> None:
        """Make or adopt the connector, and let it run behind what earlier imports have proven."""
        self.carrier.deploy(self.begin, self.is_behind)

    def is_behind(self, offsets: Offsets) -> bool:
        """Whether a connector that is there would repeat what an import without it has proven since."""
        there = positions(self.export, offsets)
        return any(
            place in there and would_repeat(there[place], mark.source, self._segments(topic, place[2]))
            for topic, place, mark in self._marks()
            if mark
        )

    @staticmethod
    def _segments(topic: RestoreTopic, number: int) -> Sequence[Segment]:
        return next(one.segments for one in topic.partitions if one.partition == number)

    def begin(self, offsets: Offsets) -> Offsets:
        """Offsets to set before the connector runs: behind what earlier imports have proven.

        :raises BadParam: the target holds records of which nobody knows whether they are the export's.
        """
        there, changes = positions(self.export, offsets), []
        for topic, place, mark in self._marks():
            known = there.get(place)
            parts = self._segments(topic, place[2])
            if mark is not None and (known is None or would_repeat(known, mark.source, parts)):
                self._refuse_unproven(topic.name, place[2], mark.target)
                entry = {"object": "", "offset": mark.source - 1}
                changes.append({"partition": source_partition(self.export, place), "offset": entry})
            elif mark is None and known is None:
                self._refuse_unproven(topic.name, place[2], 0)
        if changes:
            log.info("%d partition(s) begin behind what earlier imports have proven", len(changes))
        return changes

    def _marks(self) -> list[tuple[RestoreTopic, Place, Mark | None]]:
        ids = self.run.admin.topic_ids([topic.name for topic in self.run.topics])
        found = []
        for topic in self.run.topics:
            marks = self.run.book(topic, ids.get(topic.name, "")).marks
            for one in topic.partitions:
                place = topic.source.name, topic.source.topic_id, one.partition
                mark = marks.get(one.partition)
                # Of one that held nothing yet there is nothing to go on behind.
                found.append((topic, place, mark if mark and mark.source else None))
        return found

    def _refuse_unproven(self, topic: str, partition: int, begin: int) -> None:
        at = topic, partition
        end = self.run.admin.offsets([at], "latest", "read_committed")[at]
        begin = max(begin, self.run.admin.offsets([at], "earliest", "read_committed")[at])
        if begin >= end:
            return
        with LibrdkafkaReader(client_config(self.run.config), "read_committed", few=True) as reader:
            first = reader.probe([PartitionRange(*at, begin, end)])[at]
        if first is not None:
            problem = f"{topic}-{partition} holds records from offset {first} on that no import has proven"
            raise BadParam("rename", f"{problem}, and the connector's position is gone: it would repeat them", _ENGINE)

    # -- how far it is -------------------------------------------------------------------------------------------------

    def wanted(self) -> dict[Place, int]:
        """Partition to the offset of its last record in the export, of those with something to import or to prove.

        Objects are read only where a manifest does not tell that offset.
        """
        found = {}
        for topic, place, mark in self._marks():
            parts = self._segments(topic, place[2])
            taken = [one for one in parts if takes_part(one, None) and (mark is None or one.end > mark.source)]
            if taken:
                found[place] = self._last(taken[-1])
        return found

    def _last(self, segment: Segment) -> int:
        known = last_offset(segment)
        if known is not None:
            return known
        return int(offsets_of(read_segment(self.run.store, segment), segment.key or "")[-1])

    def look(self, wanted: Mapping[Place, int]) -> Look:
        """How far the connector has come, by what it has committed: that is behind what the target has confirmed."""
        begins = {
            (topic.source.name, topic.source.topic_id, one.partition): one.segments[0].begin
            for topic in self.run.topics
            for one in topic.partitions
            if one.segments
        }
        return look_at(wanted, positions(self.export, self.carrier.runtime.offsets(self.carrier.name)), begins)


def source_name(spec: ImportSpec, cluster_id: str) -> str:
    name = msk_connector_name if spec.transport == "msk_connect" else connector_name
    return name(spec.export, "source", f"{spec.location.rstrip('/')} {cluster_id}")


def keep_wanted(artifacts: RunArtifacts, wanted: Mapping[Place, int]) -> None:
    artifacts.write_json(WANTED, [[*place, last] for place, last in sorted(wanted.items())])


def kept_wanted(artifacts: RunArtifacts) -> dict[Place, int]:
    """:raises FerryError: nothing was kept."""
    found = artifacts.read_json(WANTED)
    if found is None:
        fix = "clear deploy with its downstream tasks"
        raise FerryError(f"nobody has noted how far the connector has to come. Fix: {fix}")
    return {(topic, topic_id, number): last for topic, topic_id, number, last in found}
