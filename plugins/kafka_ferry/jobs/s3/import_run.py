"""One import from its params to its proof: topics with parity, records, bookmarks. Free of Airflow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from kafka_ferry.core.partition import Partition
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.backup.rules.formats import offsets_of
from kafka_ferry.jobs.backup.rules.manifest import Segment
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic, takes_part
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.restore import RestoreRange, read_segment
from kafka_ferry.jobs.backup.store.restore_run import Refusal, RestoreRun
from kafka_ferry.jobs.backup.store.work import added, in_processes
from kafka_ferry.jobs.s3.bookmark import Bookmark, Mark, unread
from kafka_ferry.jobs.s3.connect.rules.reached import with_repeated
from kafka_ferry.jobs.s3.s3_spec import ImportSpec


class Bookmarks(Protocol):
    """Where bookmarks are kept, by target topic."""

    def read(self, topic: str) -> Bookmark:
        """An empty one when there is none."""
        ...

    def write(self, topic: str, bookmark: Bookmark) -> None: ...


class _Held(MutableMapping[str, dict[str, str]]):
    """The configs that topics shall have in the end, written down before anything is held."""

    def __init__(self, books: Bookmarks, topics: Collection[str]) -> None:
        self._books, self._topics = books, topics

    def __getitem__(self, topic: str) -> dict[str, str]:
        configs = self._books.read(topic).configs
        if configs is None:
            raise KeyError(topic)
        return dict(configs)

    def __setitem__(self, topic: str, configs: dict[str, str]) -> None:
        book = self._books.read(topic)
        self._books.write(topic, Bookmark(book.topic_id, book.source_id, configs, book.marks))

    def __delitem__(self, topic: str) -> None:
        book = self._books.read(topic)
        self._books.write(topic, Bookmark(book.topic_id, book.source_id, None, book.marks))

    def __iter__(self) -> Iterator[str]:
        return (topic for topic in self._topics if self._books.read(topic).configs is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ImportRun(RestoreRun):
    """A restore that resumes where the last one of the same export to the same topics ended.

    The target topic may have lost its oldest records to retention since: bookmarks say where the next record belongs.

    :param config: the target connection's extra.
    :param export_id: as of which export; None is the latest.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        store: ObjectStore,
        spec: ImportSpec,
        books: Bookmarks,
        export_id: str | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        super().__init__(config, store, spec.restore(export_id))
        self._books = books
        if catalogue is not None:
            self.catalogue = catalogue

    def book(self, topic: RestoreTopic, topic_id: str) -> Bookmark:
        """What is known of a target topic as it is now."""
        return self._books.read(topic.name).of(topic_id, topic.source.topic_id)

    def _foreign(self, existing: Mapping[str, TopicState]) -> list[Any]:
        """Topics that an earlier import has proven are looked at behind its marks, when records are written."""
        known = {
            topic.name
            for topic in self.topics
            if topic.name in existing and self.book(topic, existing[topic.name].topic_id).marks
        }
        return super()._foreign({name: state for name, state in existing.items() if name not in known})

    def refusals(self) -> list[Refusal]:
        """As of a restore; but target topics of an earlier import may grow with the source."""
        growing = self._growing()
        return [one for one in super().refusals() if one.topic not in growing or one.kind != "partitions"]

    def _growing(self) -> dict[str, int]:
        existing = self.admin.topics([topic.name for topic in self.topics])
        return {
            topic.name: len(topic.source.partitions)
            for topic in self.topics
            if topic.name in existing
            and existing[topic.name].partitions < len(topic.source.partitions)
            and self.book(topic, existing[topic.name].topic_id).marks
        }

    def grow(self) -> dict[str, int]:
        """Give target topics of an earlier import the partitions that the source got since; topic to their number."""
        wanted = self._growing()
        self.admin.grow_partitions(wanted)
        self.admin.wait_until_usable([(name, count - 1) for name, count in wanted.items()], 60)
        return wanted

    def prepare(self) -> list[str]:
        """Make absent topics like the source's, and hold retention; the topics made."""
        self.grow()
        existing = self.admin.topics([topic.name for topic in self.topics])
        for topic in self.topics:
            if topic.name not in existing and self._books.read(topic.name).topic_id:
                self._books.write(topic.name, Bookmark())  # of a topic that is gone
        made = self.provision(_Held(self._books, [topic.name for topic in self.topics]))
        for topic, topic_id in self._with_ids():
            self._books.write(topic.name, self.book(topic, topic_id))
        return made

    def let_go(self) -> list[str]:
        """End the hold; the topics that were changed."""
        held = _Held(self._books, [topic.name for topic in self.topics])
        changed = self.release(held)
        for name in list(held):
            del held[name]
        return changed

    def configs_in_the_end(self) -> dict[str, dict[str, str]]:
        """Target topic to what it is set to once the hold is over."""
        return dict(_Held(self._books, [topic.name for topic in self.topics]))

    def _with_ids(self) -> list[tuple[RestoreTopic, str]]:
        ids = self.admin.topic_ids([topic.name for topic in self.topics])
        lacking = [topic.name for topic in self.topics if topic.name not in ids]
        if lacking:
            raise TransientError(f"missing: {', '.join(lacking[:20])}")
        return [(topic, ids[topic.name]) for topic in self.topics]

    def ranges(self) -> list[RestoreRange]:
        """What is left to import, one line a partition; proven ones with nothing left are not in it."""
        topics = self._with_ids()
        places = [(topic.name, one.partition) for topic in self.topics for one in topic.partitions]
        starts = self.admin.offsets(places, "earliest", "read_uncommitted")
        ends = self.admin.offsets(places, "latest", "read_uncommitted")
        found = []
        for topic, topic_id in topics:
            marks = self.book(topic, topic_id).marks
            for one in topic.partitions:
                at = topic.name, one.partition
                taken = [segment for segment in one.segments if takes_part(segment, None)]
                mark = marks.get(one.partition)
                left = unread(f"{at[0]}-{at[1]}", taken, mark, (starts[at], ends[at]), self._below)
                if left.segments or mark is None:
                    found.append(RestoreRange(*at, left.base, left.segments))
        return found

    def unsent(self, existing: Mapping[str, TopicState]) -> dict[Partition, list[Segment]]:
        """As of a restore; of topics that an earlier import has proven, what lies behind its marks."""
        found = super().unsent(existing)
        for topic in self.topics:
            state = existing.get(topic.name)
            marks = self.book(topic, state.topic_id).marks if state else {}
            for one in topic.partitions:
                if mark := marks.get(one.partition):
                    left = [segment for segment in one.segments if segment.end > mark.source]
                    found[topic.name, one.partition] = [segment for segment in left if takes_part(segment, None)]
        return found

    def _below(self, segment: Segment, offset: int) -> int:
        return int((offsets_of(read_segment(self.store, segment), segment.key or "") < offset).sum())

    def marks(self, lines: Sequence[Mapping[str, Any]], ranges: Sequence[RestoreRange]) -> list[list[Any]]:
        """``[topic, partition, source offset, target offset]`` of the ranges that are proven."""
        ends = {(topic.name, one.partition): one.end for topic in self.topics for one in topic.partitions}
        proven = {(line["topic"], line["partition"]): line for line in lines if not line["detail"]}
        return [
            [*one.at, ends[one.at], line.get("end") or one.base + line["expected"]]
            for one in ranges
            if (line := proven.get(one.at))
        ]

    def behind(self, before: ImportRun) -> dict[Partition, int]:
        """Records of this export, by target partition, that come behind all that an earlier one has."""
        ends = {(topic.name, one.partition): one.end for topic in before.topics for one in topic.partitions}
        return {
            (topic.name, one.partition): sum(
                part.records for part in one.segments if part.begin >= ends.get((topic.name, one.partition), 0)
            )
            for topic in self.topics
            for one in topic.partitions
        }

    def confirm(self, marks: Sequence[Sequence[Any]]) -> None:
        """Write bookmarks. By one writer at a time."""
        for topic, topic_id in self._with_ids():
            mine = [one for one in marks if one[0] == topic.name]
            book = self.book(topic, topic_id)
            for _, partition, *numbers in mine:
                known, mark = book.marks.get(partition), Mark(*numbers)
                if known is None or known.source < mark.source:  # a task that is repeated does not turn back
                    book = book.with_mark(partition, mark)
            if mine:
                self._books.write(topic.name, book)


def import_shard(
    import_run: ImportRun,
    store_order: Mapping[str, Any],
    mine: Collection[Partition],
    later: Callable[[], ImportRun] | None = None,
) -> dict[str, Any]:
    """Write what is left of these partitions and prove it: ``{"done": sums, "lines": [...], "marks": [...]}``.

    :param later: a connector has written it, and may be writing what comes behind: it is only proven. The import of the
        latest export there is then.
    """
    wanted = set(mine)
    ranges = [one for one in import_run.ranges() if one.at in wanted]

    def run(kind: str) -> list[dict[str, Any]]:
        def order(some: Sequence[RestoreRange]) -> dict[str, Any]:
            place = {"config": dict(import_run.config), "store": dict(store_order)}
            growing = later is not None
            return {"kind": kind, **place, "ranges": [one.to_json() for one in some], "growing": growing}

        return in_processes(ranges, lambda one: sum(segment.bytes for segment in one.segments), order)

    done = {} if later else added(run("restore"))
    lines = [line for answer in run("compare") for line in answer["lines"]]
    if later and any(line["behind"] for line in lines):
        lines = with_repeated(lines, later().behind(import_run))
    return {"done": done, "lines": lines, "marks": import_run.marks(lines, ranges)}
