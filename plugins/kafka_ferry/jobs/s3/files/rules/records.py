"""The records of a file that others wrote, with the files of keys and headers beside it. Pure.

Each layout says what of a record its files have. What they do not have is noted (``Losses``) while they are read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any, Final, NamedTuple, Protocol

from kafka_ferry.jobs.backup.rules.decoding import named, whole
from kafka_ferry.jobs.s3.files.rules.file_segment import FileSegment
from kafka_ferry.jobs.s3.files.rules.formats import Format, Formats, Kind, Layout
from kafka_ferry.jobs.s3.files.rules.lines import lines
from kafka_ferry.jobs.s3.files.rules.losses import Loss
from kafka_ferry.jobs.s3.files.rules.rendering import NotOfFormat, as_bytes, header_bytes, parsed
from kafka_ferry.records.damage import DamagedSegment
from kafka_ferry.records.rows import Rows

PORTION_BYTES: Final = 4 * 1024 * 1024
PORTION_RECORDS: Final = 10_000
_ABSENT: Final = object()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
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
        if formats.value == "json" or (keys and formats.key == "json") or (headers and formats.header != "base64"):
            losses.found.add("bytes")
        values = _data(segment.kind, parts.value, segment.key or "")
        key_data = _data(keys.kind, parts.keys, keys.key) if keys else None
        header_data = _data(headers.kind, parts.headers, headers.key) if headers else None
        for value, key, some in _together(segment, values, key_data, header_data):
            yield Record(
                None if key is _ABSENT else _bytes(_only(key, "key") if keys and keys.kind == "parquet" else key,
                                                   formats.key, "key"),
                _bytes(value, formats.value, "value"),
                [] if some is _ABSENT else _listed(_only(_node(some), "headers"), formats.header),
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


def _listed(found: Any, kind: Format) -> Headers:
    """Headers of a list of key and value."""
    if not isinstance(found, list) or not all(isinstance(one, dict) and isinstance(one["key"], str) for one in found):
        raise NotOfFormat("headers are no list of key and value")
    return [(one["key"], header_bytes(one.get("value"), kind)) for one in found]


class _Aiven:
    """An object of fields in a line, a record or a row; or a value alone, without the envelope. In CSV fields have no
    names, and key, value and headers are base64 (``OutputFieldPlainWriter``). Headers are a list in JSON, a map in Avro
    and Parquet (``SinkSchemaBuilder``)."""

    _fields: Final = {"key", "value", "offset", "timestamp", "headers"}

    def __init__(self, formats: Formats) -> None:
        self._formats = formats

    def records(self, segment: FileSegment, parts: Parts, losses: Losses) -> Iterator[Record]:
        formats, what = self._formats, segment.key or ""
        if segment.kind == "csv":
            found = self._csv(lines(parts.value, what), losses)
        else:
            found = self._nodes(_data(segment.kind, parts.value, what))
        for count, node in enumerate(found):
            record = self._record(node, losses)
            if count == 0 and record.offset not in (None, segment.first):
                raise DamagedSegment(f"{what}: its first record has offset {record.offset}, its name {segment.first}")
            yield record
        if formats.value == "json" or (formats.key == "json" and "keys" not in losses.found):
            losses.found.add("bytes")

    def _nodes(self, found: Iterator[Any]) -> Iterator[Any]:
        """What is in a file; of a JSON array, one record a line."""
        for one in found:
            if not isinstance(one, _Line):
                yield one if self._formats.envelope else {"value": _only(one, "value")}
            elif (line := _Line(one.strip().removesuffix(b","))) not in (b"[", b"]"):
                yield parsed(line) if self._formats.envelope else {"value": line}

    def _csv(self, found: Iterator[bytes], losses: Losses) -> Iterator[Any]:
        for line in found:
            cells = line.decode().split(",")
            if len(cells) != len(self._formats.fields):
                raise NotOfFormat(f"a line has {len(cells)} fields, param csv_fields {len(self._formats.fields)}")
            node: dict[str, Any] = dict(zip(self._formats.fields, cells, strict=True))
            for name in node.keys() & {"key", "value"}:
                node[name] = _unbased(node[name]) or None
                if node[name] is None:  # null, or empty
                    losses.found.add("bytes")
            if "headers" in node:
                pairs = [one.partition(":")[::2] for one in node["headers"].split(";") if one]
                node["headers"] = [{"key": _unbased(name).decode(), "value": _unbased(text)} for name, text in pairs]
            for name in ("offset", "timestamp"):
                if node.get(name, "").isdigit():
                    node[name] = int(node[name])
            yield node

    def _record(self, node: Any, losses: Losses) -> Record:
        formats = self._formats
        if not isinstance(node, dict) or "value" not in node or not node.keys() <= self._fields:
            raise NotOfFormat("a record is no object with value, and key, offset, timestamp, headers at the most: "
                              "without the sink's format.output.envelope param envelope is false")  # fmt: skip
        losses.found |= {loss for name, loss in _LOST.items() if name not in node}
        if node.get("timestamp") in (None, ""):
            losses.found.add("timestamps")
        return Record(
            _field(node.get("key"), formats.key, "key"),
            _bytes(node["value"], formats.value, "value")
            if isinstance(node["value"], _Line)
            else _field(node["value"], formats.value, "value"),
            _headers(node.get("headers"), formats.header, losses),
            None if "offset" not in node else whole(node["offset"]),
            _timestamp(node.get("timestamp")),
        )


class _Lenses:
    """The envelope of ``store.envelope``: key, value, headers, metadata. Without it no record says where it stood."""

    def __init__(self, formats: Formats) -> None:
        self._formats = formats

    def records(self, segment: FileSegment, parts: Parts, losses: Losses) -> Iterator[Record]:
        for one in _data(segment.kind, parts.value, segment.key or ""):
            node = _node(one)
            about = node.get("metadata") if isinstance(node, dict) else None
            if not isinstance(about, dict) or "offset" not in about:
                raise NotOfFormat("a record has no metadata with its offset: the sink's store.envelope was not set")
            for name, said in (("topic", segment.topic), ("partition", segment.partition)):
                if about.get(name, said) != said:
                    raise DamagedSegment(
                        f"{segment.key}: a record of {name} {about[name]!r}, but its name says {said!r}"
                    )
            losses.found |= {loss for name, loss in _LOST.items() if name not in {**about, **node}}
            if about.get("timestamp") is None:
                losses.found.add("timestamps")
            key, value = (self._one(node, name, losses) for name in ("key", "value"))
            headers = _headers(node.get("headers"), self._formats.header, losses)
            yield Record(key, value, headers, whole(about["offset"]), _timestamp(about.get("timestamp")))

    def _one(self, node: dict[str, Any], name: str, losses: Losses) -> bytes | None:
        kind: Format = "base64" if node.get(f"{name}IsArray") else getattr(self._formats, name)
        if kind == "json" and node.get(name) is not None and not isinstance(node[name], bytes):
            losses.found.add("bytes")
        return _field(node.get(name), kind, name)


def _unbased(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_LOST: Final[dict[str, Loss]] = {"key": "keys", "headers": "headers", "timestamp": "timestamps"}


def _field(node: Any, kind: Format, what: str) -> bytes | None:
    """A field of an envelope; bytes are what they are."""
    return node if isinstance(node, bytes) else as_bytes(node, kind, what)


def _headers(found: Any, kind: Format, losses: Losses) -> Headers:
    if found is None:
        return []
    if isinstance(found, dict):  # without order and repetition
        losses.found.add("headers")
        found = [{"key": name, "value": value} for name, value in found.items()]
    if any(not isinstance(one.get("value"), str | bytes | None) for one in found):
        losses.found.add("bytes")
    return _listed(found, kind)


def _timestamp(found: Any) -> int | None:
    """ms since 1970, of a number of them or ISO 8601."""
    if found is None or found == "":
        return None
    if isinstance(found, str):
        at = datetime.fromisoformat(found)
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
    return whole(found)


_CONTENTS: Final[Mapping[Layout, Callable[[Formats], _Content]]] = {
    "confluent": _Confluent,
    "aiven": _Aiven,
    "lenses": _Lenses,
}


def rows_of(formats: Formats, segment: FileSegment, parts: Parts, losses: Losses | None = None) -> Iterator[Rows]:
    """The records of a file from its begin to its end, a portion at a time; those below or behind are left out.

    :param losses: gets what the file does not have.
    :raises DamagedSegment: it is not what its name and the params say.
    """
    what = segment.key or ""
    rows, size, count = Rows([], [], [], [], []), 0, 0
    with named(what, segment.kind):
        for record in _CONTENTS[formats.layout](formats).records(segment, parts, losses or Losses()):
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
