"""The records of a file that others wrote, with the files of keys and headers beside it. Pure.

Each layout says what of a record its files have. What they do not have is noted (``Losses``) while they are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final, NamedTuple, Protocol

from kafka_ferry.jobs.backup.rules.decoding import named
from kafka_ferry.jobs.s3.files.rules.file_segment import FileSegment
from kafka_ferry.jobs.s3.files.rules.formats import Format, Formats
from kafka_ferry.jobs.s3.files.rules.lines import lines
from kafka_ferry.jobs.s3.files.rules.losses import Loss
from kafka_ferry.jobs.s3.files.rules.names import Kind
from kafka_ferry.jobs.s3.files.rules.rendering import NotOfFormat, as_bytes, header_bytes, parsed
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.rows import Rows

PORTION_BYTES: Final = 4 * 1024 * 1024
PORTION_RECORDS: Final = 10_000
_ABSENT: Final = object()
Headers = list[tuple[str, bytes | None]]


class Record(NamedTuple):
    """One record. ``offset``, ``timestamp``: None: the file does not say."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    offset: int | None = None
    timestamp: int | None = None


@dataclass
class Parts:
    """What is in a file and in those beside it, as bytes."""

    value: Any
    keys: Any = None
    headers: Any = None

    def __len__(self) -> int:
        return sum(len(one) for one in (self.value, self.keys, self.headers) if one is not None)


@dataclass
class Losses:
    """What was found to be missing."""

    found: set[Loss] = field(default_factory=set)


class _Line(bytes):
    """A line of JSON as it stands."""


def _data(kind: Kind, data: Any, what: str) -> Iterator[Any]:
    """What is in a file, one after the other."""
    if kind == "avro":
        from kafka_ferry.jobs.s3.files.rules import avro_file

        return avro_file.records(data, what)
    if kind == "parquet":
        from kafka_ferry.jobs.s3.files.rules import parquet_file

        return parquet_file.records(data, what)
    return map(_Line, lines(data, what))


class _Content(Protocol):
    """What a layout has in its files."""

    def records(self, segment: FileSegment, parts: Parts, losses: Losses) -> Iterator[Record]: ...


class _Confluent:
    """A value in a line, a record or a row; keys and headers in files beside it, in the same order, where the sink was
    told to store them. Avro has them as they are, Parquet in a record of one field, JSON the headers so, too
    (``RecordViews``). No offsets, no timestamps."""

    def __init__(self, formats: Formats) -> None:
        self._formats = formats

    def records(self, segment: FileSegment, parts: Parts, losses: Losses) -> Iterator[Record]:
        keys, headers, formats = segment.keys, segment.headers, self._formats
        losses.found.add("timestamps")
        if keys is None:
            losses.found.add("keys")
        if headers is None:
            losses.found.add("headers")
        if headers is not None or formats.value == "json" or (keys is not None and formats.key == "json"):
            losses.found.add("bytes")
        values = _data(segment.kind, parts.value, segment.key or "")
        key_data = _data(keys.kind, parts.keys, keys.key) if keys else None
        header_data = _data(headers.kind, parts.headers, headers.key) if headers else None
        for value, key, some in _together(segment, values, key_data, header_data):
            yield Record(
                None if key is _ABSENT else _bytes(_only(key, "key") if keys and keys.kind == "parquet" else key,
                                                   formats.key, "key"),
                _bytes(value, formats.value, "value"),
                [] if some is _ABSENT else _listed(_only(_node(some), "headers")),
            )  # fmt: skip


def _together(
    segment: FileSegment, values: Iterator[Any], keys: Iterator[Any] | None, headers: Iterator[Any] | None
) -> Iterator[tuple[Any, Any, Any]]:
    """Values with their keys and headers; ``_ABSENT`` where there is no such file.

    :raises DamagedSegment: there are fewer of one than of another.
    """
    short = object()
    sides = [one for one in (keys, headers) if one is not None]
    for count, (value, *others) in enumerate(zip_longest(values, *sides, fillvalue=short)):
        if value is short or short in others:
            raise DamagedSegment(
                f"{segment.key}: the files of keys, headers and values beside it have not the same number of records: "
                f"one of them ends after {count:,}"
            )
        rest = iter(others)
        yield value, _ABSENT if keys is None else next(rest), _ABSENT if headers is None else next(rest)


def _node(found: Any) -> Any:
    return parsed(found) if isinstance(found, _Line) else found


def _only(found: Any, name: str) -> Any:
    """What a record of this one field has; all else as it is."""
    return found[name] if isinstance(found, dict) and list(found) == [name] else found


def _bytes(found: Any, kind: Format, what: str) -> bytes | None:
    if not isinstance(found, _Line):
        return as_bytes(found, kind, what)
    node = parsed(found)  # also where it is taken as it stands: a line that is cut is no record
    return as_bytes(node, kind, what) if kind != "json" or node is None else bytes(found)


def _listed(found: Any) -> Headers:
    """Headers of a list of key and value."""
    if not isinstance(found, list) or not all(isinstance(one, dict) and isinstance(one["key"], str) for one in found):
        raise NotOfFormat("headers are no list of key and value")
    return [(one["key"], header_bytes(one.get("value"))) for one in found]


def _content_of(formats: Formats) -> _Content:
    return {"confluent": _Confluent}[formats.layout](formats)


def rows_of(formats: Formats, segment: FileSegment, parts: Parts, losses: Losses | None = None) -> Iterator[Rows]:
    """The records of a file from its begin to its end, a portion at a time; those below or behind are left out.

    :param losses: gets what the file does not have.
    :raises DamagedSegment: it is not what its name and the params say.
    """
    what = segment.key or ""
    rows, size, count = Rows([], [], [], [], []), 0, 0
    with named(what, segment.kind):
        for record in _content_of(formats).records(segment, parts, losses or Losses()):
            offset = segment.moved + (segment.first + count if record.offset is None else record.offset)
            count += 1
            if not segment.begin <= offset < segment.end:
                continue
            rows.offsets.append(offset)
            rows.timestamps.append(segment.modified if record.timestamp is None else record.timestamp)
            rows.keys.append(record.key)
            rows.values.append(record.value)
            rows.headers.append(record.headers)
            size += len(record.key or b"") + len(record.value or b"")
            if size >= PORTION_BYTES or len(rows) >= PORTION_RECORDS:
                yield rows
                rows, size = Rows([], [], [], [], []), 0
        yield rows
