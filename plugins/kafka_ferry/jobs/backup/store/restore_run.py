"""One restore from its params to its proof: topics, records, groups, and what was held is put back. Free of Airflow."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pendulum

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.name_collisions import collisions, problem_of
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.retention import is_held
from kafka_ferry.core.topics import Selection, TopicState, mm2_group_refusal, select
from kafka_ferry.core.unnamed_groups import without_unnamed
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.data_intervals import as_of
from kafka_ferry.jobs.backup.rules.formats import offsets_of
from kafka_ferry.jobs.backup.rules.manifest import GroupOffset, Manifest, Segment
from kafka_ferry.jobs.backup.rules.ranges import assemble
from kafka_ferry.jobs.backup.rules.restore_plan import (
    OffsetMap,
    RestoreTopic,
    configs_to_hold,
    configs_to_put_back,
    held_configs,
    not_there_yet,
    own_sizes,
    select_topics,
    takes_part,
    translate_groups,
    whole,
)
from kafka_ferry.jobs.backup.rules.spec import RestoreSpec
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.holding import Holding
from kafka_ferry.jobs.backup.store.restore import RestoreRange, read_segment, restore_ranges, restored_rows
from kafka_ferry.records.content import PartitionRange

log = logging.getLogger(__name__)

# Of one cluster alone: its brokers' ids, and how they keep records, where every other format than the newest lacks
# headers or timestamps and clients that write idempotently are refused (Kafka 4 does not know the setting).
_CLUSTER_BOUND = (
    "leader.replication.throttled.replicas", "follower.replication.throttled.replicas", "message.format.version",
)  # fmt: skip
_USABLE_SECONDS = 60.0
_LOADING_SECONDS = 30.0

Memory = MutableMapping[str, dict[str, str]]
"""Target topic to the configs it shall have in the end; kept by the caller over tries, as the hold hides them."""


@dataclass(frozen=True)
class Refusal:
    """A reason why a restore must not begin.

    :param kind: ``partitions``: another number than in the backup; ``name``: Kafka makes no such topic; ``records``: it
        holds others.
    """

    topic: str
    kind: Literal["partitions", "name", "records"]
    problem: str
    fix: str


class RestoreRun:
    """A restore on a live cluster. Every step asks the cluster again and may be repeated.

    :param config: the target connection's extra (librdkafka settings).
    """

    def __init__(self, config: Mapping[str, Any], store: ObjectStore, spec: RestoreSpec) -> None:
        self.config, self.store, self.spec = config, store, spec
        self.admin = KafkaSurvey(client_config(config), spec.target_conn_id)
        self.catalogue = Catalogue(store, spec.backup)

    @cached_property
    def chain(self) -> list[Manifest]:
        """The backup with all it builds on: the one asked for, the first begun after the point in time, the latest.

        :raises IncompleteBackup: it is not there.
        """
        if self.spec.backup_id is None and self.point_in_time is not None:
            return self.catalogue.chain(as_of(self.catalogue.complete(), self.point_in_time, datetime.now(UTC)))
        return self.catalogue.chain(self.spec.backup_id)

    @property
    def manifest(self) -> Manifest:
        return self.chain[-1]

    @cached_property
    def topics(self) -> list[RestoreTopic]:
        """:raises BadParam: a topic is not in the backup, or names clash."""
        return select_topics(assemble(self.chain), self.spec.topics, self.spec.rename, self.spec.partitions)

    @cached_property
    def point_in_time(self) -> int | None:
        """ms since 1970, UTC."""
        if self.spec.point_in_time is None:
            return None
        try:
            return int(pendulum.parse(self.spec.point_in_time).timestamp() * 1000)  # type: ignore[union-attr]
        except ValueError as error:
            raise BadParam("point_in_time", f"{error}", "ISO 8601, such as 2026-11-20T22:00:00Z") from error

    def configs(self, topic: RestoreTopic) -> dict[str, str]:
        """What a topic that the restore makes has in the end."""
        return {key: value for key, value in topic.source.configs.items() if key not in _CLUSTER_BOUND}

    def refusals(self) -> list[Refusal]:
        """Preflight: what would lose records or mix them with others. Changes nothing."""
        existing = self.admin.topics([topic.name for topic in self.topics])
        found: list[Refusal] = []
        for topic in self.topics:
            state = existing.get(topic.name)
            if state is None:
                continue
            needed = 1 + max((one.partition for one in topic.partitions), default=-1)
            if state.partitions < needed or (not self.spec.partitions and state.partitions != needed):
                problem = (
                    f"has {state.partitions} partition(s), the backup {needed}: keys would map to other partitions"
                )
                found.append(Refusal(topic.name, "partitions", problem, "delete it, or restore under another name"))
        there = self.admin.topic_names()
        found += [
            Refusal(
                name,
                "name",
                f"cannot be created: {problem_of(other, there)}",
                f"rename it, or delete {other!r} if nobody uses it",
            )
            for name, other in collisions([topic.name for topic in self.topics], there).items()
        ]
        return found or self._foreign(existing)

    def _foreign(self, existing: Mapping[str, TopicState]) -> list[Refusal]:
        """Topics whose first record is not the backup's: neither empty nor left by a try of this restore."""
        firsts = {}
        for topic in self.topics:
            for one in topic.partitions if topic.name in existing else ():
                first = next((segment for segment in one.segments if takes_part(segment, self.point_in_time)), None)
                whole_one = first is not None and whole(first, self.point_in_time)
                firsts[topic.name, one.partition] = first.fingerprint if first and whole_one else None
        begins = self.admin.offsets(firsts, "earliest", "read_uncommitted")
        ends = self.admin.offsets(firsts, "latest", "read_uncommitted")
        spans = [PartitionRange(*at, begins[at], begins[at] + 1) for at in firsts if ends[at] > begins[at]]
        with LibrdkafkaReader(client_config(self.config), "read_uncommitted", few=True) as reader:
            contents = reader.read(spans)
        found = []
        for at, content in contents.items():
            expected = firsts[at]
            if not len(content) or (expected and f"{int(content.hashes[0]):016x}" != expected["first"]):
                problem = f"holds records that are not from the backup (partition {at[1]})"
                found.append(Refusal(at[0], "records", problem, "restore to a topic that does not exist or is empty"))
        return found

    def check(self) -> None:
        """:raises BadParam: preflight refuses; with all reasons."""
        refused = self.refusals()
        if refused:
            text = "; ".join(f"{one.topic} {one.problem} (fix: {one.fix})" for one in refused[:20])
            raise BadParam("topics", text, refused[0].fix)

    def remember(self, memory: Memory) -> None:
        """Note the configs that each topic shall have in the end, before they are changed; what is noted stays."""
        existing = self.admin.topics([topic.name for topic in self.topics])
        for topic in self.topics:
            state = existing.get(topic.name)
            own = None if state is None or any(is_held(*one) for one in state.configs.items()) else dict(state.configs)
            memory.setdefault(topic.name, self.configs(topic) if own is None else own)

    def provision(self, memory: Memory) -> list[str]:
        """Make absent topics, and hold what would delete, compact or restamp records. Returns the topics made.

        :param memory: filled in before anything is changed.
        """
        self.check()
        self.remember(memory)
        existing = self.admin.topics([topic.name for topic in self.topics])
        absent = [topic for topic in self.topics if topic.name not in existing]
        holding = self.holding(existing)
        for name, why in holding.sizes_stay.items():
            log.warning("topic %s: size limits stay as they are: %s", name, why)
        self.admin.create_topics(self._made(topic)[topic.name in holding.sizes_stay] for topic in absent)
        held = {name: holding.of(name, self._to_hold(state)) for name, state in existing.items()}
        self._alter({name: entries for name, entries in held.items() if entries})  # none: held by an earlier try
        self.admin.wait_until_usable([one for topic in self.topics for one in _places(topic)], _USABLE_SECONDS)
        return [topic.name for topic in absent]

    def holding(self, existing: Mapping[str, TopicState]) -> Holding:
        """What the target takes of the configs that topics shall have while records arrive. Changes nothing."""
        absent = {topic.name: self._made(topic) for topic in self.topics if topic.name not in existing}
        return Holding.asked(self.admin, {name: self._to_hold(state) for name, state in existing.items()}, absent)

    def _to_hold(self, state: TopicState) -> dict[str, str]:
        held = configs_to_hold(state.effective)
        return {key: value for key, value in held.items() if state.configs.get(key) != value}

    def _made(self, topic: RestoreTopic) -> tuple[DesiredTopic, DesiredTopic]:
        """A topic that is not there, with limits of size lifted, and with its own."""
        own, factor = self.configs(topic), self.spec.replication_factor
        about = topic.source.name, topic.name, len(topic.source.partitions), factor
        return DesiredTopic(*about, held_configs(own)), DesiredTopic(*about, own_sizes(own))

    def unsent(self, existing: Mapping[str, TopicState]) -> dict[Partition, list[Segment]]:
        """By target partition the segments with records that are not there yet, as far as their number tells."""
        parts = {(topic.name, one.partition): one.segments for topic in self.topics for one in topic.partitions}
        there = [at for at in parts if at[0] in existing and at[1] < existing[at[0]].partitions]
        begins = self.admin.offsets(there, "earliest", "read_uncommitted")
        ends = self.admin.offsets(there, "latest", "read_uncommitted")
        return {
            at: not_there_yet(segments, ends[at] - begins[at] if at in ends else 0, self.point_in_time)
            for at, segments in parts.items()
        }

    def ranges(self) -> list[RestoreRange]:
        """What to restore, one line a partition."""
        parts = {(topic.name, one.partition): one.segments for topic in self.topics for one in topic.partitions}
        bases = self.admin.offsets(parts, "earliest", "read_uncommitted")
        return restore_ranges(parts, bases, self.point_in_time)

    def release(self, memory: Memory) -> list[str]:
        """Put back what was held. Returns the topics that were changed."""
        existing = self.admin.topics(memory)
        changes = {
            name: back
            for name, after in memory.items()
            if name in existing and (back := configs_to_put_back(after, existing[name].configs))
        }
        self._alter(changes)
        return sorted(changes)

    def _alter(self, changes: Mapping[str, Mapping[str, str | None]]) -> None:
        self.admin.set_configs(changes)
        deadline = time.monotonic() + 30
        while True:
            now = self.admin.topics(changes)
            waiting = [
                name
                for name, entries in changes.items()
                if any(now[name].configs.get(key) != value for key, value in entries.items())
            ]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise TransientError(f"configs are set, but not yet in effect: {', '.join(waiting[:20])}")
            time.sleep(0.1)

    def offset_map(self, restored: RestoreRange) -> OffsetMap:
        """From source offsets to offsets of a restored partition. Reads the segments that have holes."""
        return OffsetMap.of(restored.base, (self._offsets(one, restored) for one in restored.segments))

    def _offsets(self, segment: Segment, restored: RestoreRange) -> Any:
        cut = not whole(segment, restored.point_in_time)
        if segment.missing == 0 and not cut:
            return range(segment.begin, segment.end)
        data = read_segment(self.store, segment)
        if not cut:
            return offsets_of(data, segment.key or "")
        kept = [rows.offsets for rows in restored_rows(data, segment, restored.point_in_time)]
        return np.array([offset for offsets in kept for offset in offsets], dtype=np.int64)

    def chosen_groups(self) -> dict[str, list[GroupOffset]]:
        """Groups to restore: those asked for that have committed offsets on a topic of this restore."""
        return {name: self.manifest.groups[name] for name in self._selection.names if self._is_on_topics(name)}

    def groups_left_out(self) -> dict[str, str]:
        """Why groups do not come back: what the backup has of these topics, and what it could not have."""
        skipped = {item.name: item.reason for item in self._selection.skipped if self._is_on_topics(item.name)}
        return {**self.manifest.groups_left_out, **skipped}

    @cached_property
    def _selection(self) -> Selection:
        found = select(
            "groups", self.manifest.groups, self.spec.groups, [], never=lambda _: None, by_default=mm2_group_refusal
        )
        return without_unnamed(found, self.admin.can_name)

    def _is_on_topics(self, group: str) -> bool:
        names = {topic.source.name for topic in self.topics}
        return any(one.topic in names for one in self.manifest.groups[group])

    def groups(self) -> dict[str, dict[Partition, int]]:
        """Group to committed offsets on the target, exact: by the offset map of what was restored."""
        groups = self.chosen_groups()
        names = {topic.source.name: topic.name for topic in self.topics}
        wanted = {(names[one.topic], one.partition) for own in groups.values() for one in own if one.topic in names}
        by_target = {one.at: one for one in self.ranges() if one.at in wanted}
        maps = {
            (source, partition): self.offset_map(by_target[name, partition])
            for source, name in names.items()
            for _, partition in [at for at in by_target if at[0] == name]
        }
        return translate_groups(groups, names, maps)

    def commit(self, offsets: Mapping[str, Mapping[Partition, int | Commit]]) -> dict[str, str]:
        """Write committed offsets; group to reason where it was refused, as a group at work is."""
        deadline = time.monotonic() + _LOADING_SECONDS
        refused = self.admin.commit(offsets)
        # The first commit on a cluster makes __consumer_offsets; until it is loaded the broker refuses (measured).
        while time.monotonic() < deadline and any("load in progress" in reason for reason in refused.values()):
            time.sleep(0.5)
            refused |= self.admin.commit({group: offsets[group] for group in refused})
            refused = {group: why for group, why in refused.items() if self._lacks(group, offsets[group])}
        return refused

    def _lacks(self, group: str, offsets: Mapping[Partition, int | Commit]) -> bool:
        there = self.admin.committed([group]).get(group, {})
        return any(there.get(at) != (one.offset if isinstance(one, Commit) else one) for at, one in offsets.items())


def _places(topic: RestoreTopic) -> Sequence[Partition]:
    return [(topic.name, one.partition) for one in topic.partitions]
