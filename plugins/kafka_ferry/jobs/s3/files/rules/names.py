"""What the name of a file says of its records: topic, partition, offset; by the layout of who wrote it. Pure.

Names come from others: no path is made of them, and the object is asked for by the key that the listing gave. What a
name may look like was read in the sinks' sources: Confluent's ``TopicPartitionWriter`` and ``RecordViews`` (2026-07),
Aiven's ``TopicPartitionRecordGrouper`` (2026-06), Lenses' ``FileNamer`` and ``CloudKeyNamer`` (2026-05).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Protocol, Self

from kafka_ferry.core.object_key import key_problem
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.files.rules.formats import Formats, Kind

Part = Literal["value", "keys", "headers"]

MOST_FILES: Final = 100_000
MOST_PARTITIONS: Final = 10_000
_TOPIC = r"[A-Za-z0-9._-]{1,249}"
_NUMBER = r"[0-9]{1,20}"  # Aiven's padding
_ENDINGS: Final = (
    r"(?:\.(?:snappy|gz|zstd|lz4|lz4hc|br))?\.(?P<kind>json|jsonl|ndjson|avro|parquet|csv)(?:\.(?:gz|zst|zstd|snappy))?"
)
_KINDS: Final[dict[str, Kind]] = {
    "json": "json", "jsonl": "json", "ndjson": "json", "avro": "avro", "parquet": "parquet", "csv": "csv",
}  # fmt: skip
_OFFSETS: Final = 2**63


class Stored(Protocol):
    """One line of a store's listing, ``hooks.objects.store.StoredObject``."""

    @property
    def key(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def modified(self) -> int: ...


@dataclass(frozen=True)
class NamedFile:
    """One file, by its name.

    :param modified: when it was written, ms since 1970. ``offset``: that its name has.
    :param stem: what the files of one set of records have in common.
    """

    key: str
    size: int
    modified: int
    topic: str
    partition: int
    offset: int
    kind: Kind
    part: Part = "value"
    stem: str = ""


@dataclass(frozen=True)
class FileSet:
    """A file with values, and those beside it."""

    value: NamedFile
    keys: NamedFile | None = None
    headers: NamedFile | None = None

    @property
    def size(self) -> int:
        return self.value.size + sum(one.size for one in (self.keys, self.headers) if one)

    def to_json(self) -> list[Any]:
        return [one and asdict(one) for one in (self.value, self.keys, self.headers)]

    @classmethod
    def from_json(cls, data: list[Any]) -> Self:
        return cls(*(one and NamedFile(**one) for one in data))


@dataclass
class Listing:
    """What a location holds.

    :param partitions: by topic and partition the files in the order of their offsets.
    :param tombstones: by topic the files of keys without values: records whose value is null.
    :param others: of objects that are no such file, how many there are, and the first of them with the reason.
    """

    partitions: dict[tuple[str, int], list[FileSet]] = field(default_factory=dict)
    tombstones: dict[str, list[NamedFile]] = field(default_factory=dict)
    others: int = 0
    named: list[str] = field(default_factory=list)

    def leave_out(self, key: str, why: str) -> None:
        self.others += 1
        if len(self.named) < 20:
            self.named.append(f"{key[:300]!r}: {why}")


class Namer(Protocol):
    """Reads names of one layout."""

    def read(self, one: Stored) -> NamedFile | str:
        """The file, or why it is none."""
        ...


def _file(one: Stored, found: re.Match[str], kind: Kind | None, part: Part, stem: str) -> NamedFile | str:
    said = found.groupdict()
    partition, offset = int(said["partition"]), int(said["offset"])
    if partition >= MOST_PARTITIONS:
        return f"partition {partition} is above {MOST_PARTITIONS - 1}"
    if offset >= _OFFSETS:
        return "its offset has more than 64 bits"
    if kind is None:
        return "its name does not end with what is in it: param format says so"
    return NamedFile(one.key, one.size, one.modified, said["topic"], partition, offset, kind, part, stem)


class ConfluentNames:
    """``<topics.dir>/<topic>/<folders>/<topic>+<partition>+<offset>[.keys|.headers].<ending>``."""

    _pattern = re.compile(
        rf"(?P<stem>(?P<topic>{_TOPIC})\+(?P<partition>{_NUMBER})\+(?P<offset>{_NUMBER}))"
        rf"(?P<part>\.keys|\.headers)?{_ENDINGS}"
    )
    _folder = re.compile(rf"partition=({_NUMBER})")

    def read(self, one: Stored) -> NamedFile | str:
        folder, _, name = one.key.rpartition("/")
        found = self._pattern.fullmatch(name)
        if found is None:
            return "its name is not <topic>+<partition>+<offset>.json, .avro or .parquet"
        for step in folder.split("/"):
            said = self._folder.fullmatch(step)
            if said and int(said[1]) != int(found["partition"]):
                return f"its folder says partition {said[1]}, its name {found['partition']}"
        if _KINDS[found["kind"]] == "csv":
            return "this layout has no CSV"
        part: Part = "value" if not found["part"] else "keys" if found["part"] == ".keys" else "headers"
        return _file(one, found, _KINDS[found["kind"]], part, f"{folder}/{found['stem']}")


class AivenNames:
    """By the sink's ``file.name.template``, below the location."""

    _variable = re.compile(r"\{\{\s*(\w+)\s*(?::\s*([^}]*?)\s*)?\}\}")
    _groups: Final[dict[str, tuple[str, str]]] = {
        "topic": ("topic", _TOPIC), "partition": ("partition", _NUMBER), "start_offset": ("offset", _NUMBER)
    }  # fmt: skip

    def __init__(self, template: str, kind: Kind | None) -> None:
        """:raises BadParam: the template does not tell topic, partition and offset apart."""
        self._kind, at, pattern = kind, 0, ""
        seen = set[str]()
        for found in self._variable.finditer(template):
            pattern += re.escape(template[at : found.start()])
            at, name = found.end(), found[1]
            if name == "timestamp":
                pattern += "[0-9]{1,4}"
            elif name in self._groups:
                group, what = self._groups[name]
                pattern += f"(?P={group})" if name in seen else f"(?P<{group}>{what})"
                seen.add(name)
            else:
                raise _bad_template(
                    f"has {name!r}: such a file has one record for each key, without an order among them"
                    if name == "key"
                    else f"has the variable {name!r}, which Aiven's sink does not know"
                )
        if missing := self._groups.keys() - seen:
            raise _bad_template(f"has no {', '.join(sorted(missing))}: names do not say which records are in a file")
        self._pattern = re.compile(pattern + re.escape(template[at:]) + r"(?:\.(?:gz|snappy|zst|zstd))?")
        self._shown = template

    def read(self, one: Stored) -> NamedFile | str:
        found = self._pattern.fullmatch(one.key)
        if found is None:
            return f"its name is not as the template {self._shown} has it"
        said = re.search(_ENDINGS + r"\Z", one.key)
        kind = self._kind or (_KINDS[said["kind"]] if said else None)
        return _file(one, found, kind, "value", one.key)


def _bad_template(problem: str) -> BadParam:
    return BadParam("file_name_template", problem, "the sink's file.name.template, such as {{topic}}/{{partition}}-"
                    "{{start_offset}}.jsonl")  # fmt: skip


class LensesNames:
    """``<prefix>/<topic>/<partition>/<offset>[_<time>_<time>].<ending>``, or ``<topic>(<partition>_<offset>).<ending>``
    where a sink has a PARTITIONBY. The offset is that of the last record."""

    _patterns = (
        re.compile(
            rf"(?:.*/)?(?P<topic>{_TOPIC})/(?P<partition>{_NUMBER})/(?P<offset>{_NUMBER})(?:_[0-9]+_[0-9]+)?"
            rf"(?:-[A-Za-z0-9_-]+)?{_ENDINGS}"
        ),
        re.compile(
            rf"(?:.*/)?(?P<topic>{_TOPIC})\((?P<partition>{_NUMBER})_(?P<offset>{_NUMBER})\)(?:-[A-Za-z0-9_-]+)?{_ENDINGS}"
        ),
    )

    def read(self, one: Stored) -> NamedFile | str:
        for pattern in self._patterns:
            if found := pattern.fullmatch(one.key):
                if _KINDS[found["kind"]] == "csv":
                    return "CSV has no envelope"
                return _file(one, found, _KINDS[found["kind"]], "value", one.key)
        return "its name is not <topic>/<partition>/<offset>.json, .avro or .parquet"


def namer_of(formats: Formats) -> Namer:
    """Who reads the names of a layout.

    :raises BadParam: the template of names cannot be used.
    """
    if formats.layout == "aiven":
        return AivenNames(formats.template, formats.kind)
    return LensesNames() if formats.layout == "lenses" else ConfluentNames()


def listing_of(objects: Iterable[Stored], namer: Namer) -> Listing:
    """Sort a listing by what its names say.

    :raises BadParam: there are more files than one run takes.
    """
    found, files = Listing(), list[NamedFile]()
    for one in objects:
        if one.key.endswith("/"):  # what S3's console makes of a folder
            continue
        if problem := key_problem(one.key):
            found.leave_out(one.key, problem)
            continue
        named = namer.read(one)
        if isinstance(named, str):
            found.leave_out(one.key, named)
            continue
        files.append(named)
        if len(files) > MOST_FILES:
            raise BadParam(
                "location",
                f"there are more than {MOST_FILES:,} files of this layout",
                "a location with fewer, such as one topic's folder: a run for each",
            )
    _sorted_in(files, found)
    return found


def _sorted_in(files: Iterable[NamedFile], into: Listing) -> None:
    sides: dict[tuple[str, Part], NamedFile] = {}
    values: list[NamedFile] = []
    for one in files:
        if one.part == "value":
            values.append(one)
        elif (one.stem, one.part) in sides:
            into.leave_out(one.key, f"it has the records of {sides[one.stem, one.part].key!r}")
        else:
            sides[one.stem, one.part] = one
    values.sort(key=lambda one: (one.topic, one.partition, one.offset, one.key))
    taken = set[str]()
    for one in values:
        taken.add(one.stem)
        own = FileSet(one, sides.get((one.stem, "keys")), sides.get((one.stem, "headers")))
        into.partitions.setdefault((one.topic, one.partition), []).append(own)
    for (stem, part), one in sides.items():
        if stem not in taken and part == "keys":
            into.tombstones.setdefault(one.topic, []).append(one)
        elif stem not in taken and (stem, "keys") not in sides:
            into.leave_out(one.key, "there is no file with values beside it")


def partitions_of(listing: Listing) -> Iterator[tuple[str, int]]:
    """Topic and how many partitions it had at the least."""
    found: dict[str, int] = {}
    for topic, partition in listing.partitions:
        found[topic] = max(found.get(topic, 0), partition + 1)
    yield from sorted(found.items())
