"""Files as S3 sink connectors write them, made by a writer of our own: no connector can be run here.

Written from what the sinks' sources say (Confluent's ``TopicPartitionWriter``, ``RecordViews`` and its writers'
providers, 2026-07; Aiven's ``output`` and ``grouper``, 2026-06; Lenses' ``SchemalessEnvelopeTransformer``,
``EnvelopeWithSchemaTransformer`` and ``FileNamer``, 2026-05), with the libraries that write these formats and none of
the code that reads them. What a file should become is told beside it, record by record.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

Put = Callable[[str, bytes], None]


@dataclass(frozen=True)
class Sent:
    """A record as its producer sent it."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int = 1_790_000_000_000


@dataclass
class Written:
    """What has been written, in the order of the partitions' offsets."""

    put: Put
    records: dict[int, list[Sent]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def file(self, key: str, data: bytes) -> None:
        self.keys.append(key)
        self.put(key, data)


def confluent_name(
    topic: str, partition: int, offset: int, ending: str, folder: str | None = None, part: str = ""
) -> str:
    """As of ``TopicPartitionWriter.fileKeyToCommit`` with the DefaultPartitioner."""
    step = f"partition={partition}" if folder is None else folder
    return f"{topic}/{step}/{topic}+{partition}+{offset:010d}{part}{ending}"


def json_lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def avro(schema: Any, records: Iterable[Any], codec: str = "null") -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, fastavro.parse_schema(schema), records, codec=codec)
    return sink.getvalue()


def parquet(rows: Sequence[Any], schema: Any = None, codec: str = "snappy", **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink, compression=codec, **options)
    return sink.getvalue()


def text_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[dict[str, str]]:
    """As of ``HeaderRecordView``: values as text."""
    return [{"key": name, "value": (value or b"").decode()} for name, value in headers]


@dataclass
class ConfluentSink:
    """Writes records of one topic as Confluent's S3 sink does.

    :param put: by key. ``topic``: their topic. ``ending``: ``.json``, ``.json.gz``, ``.avro``, ``.snappy.parquet``.
    :param base64: a ByteArrayConverter in place of a JSON or string converter, for JSON.
    :param keys, headers: as ``store.kafka.keys`` and ``store.kafka.headers``.
    """

    put: Put
    topic: str
    ending: str = ".json"
    base64: bool = False
    keys: bool = False
    headers: bool = False
    folder: str | None = None

    def write(self, partition: int, offset: int, records: Sequence[Sent]) -> str:
        """One file; the key of the one with the values."""
        key = self.name(partition, offset)
        self.put(key, self.values(records))
        if self.keys:
            self.put(self.name(partition, offset, ".keys"), self._keys(records))
        if self.headers:
            self.put(self.name(partition, offset, ".headers"), self._headers(records))
        return key

    def name(self, partition: int, offset: int, part: str = "") -> str:
        return confluent_name(self.topic, partition, offset, self.ending, self.folder, part)

    def _packed(self, data: bytes) -> bytes:
        return gzip.compress(data) if self.ending.endswith(".gz") else data

    def _text(self, data: bytes | None) -> str:
        if data is None:
            return "null"
        return json.dumps(base64.b64encode(data).decode() if self.base64 else data.decode())

    def values(self, records: Sequence[Sent]) -> bytes:
        if self.ending.startswith(".json"):
            texts = [self._text(one.value) if self.base64 else (one.value or b"null").decode() for one in records]
            return self._packed(json_lines(texts))
        rows = [json.loads(one.value or b"{}") for one in records]
        if self.ending == ".avro":
            fields = [{"name": "n", "type": "long"}, {"name": "text", "type": ["null", "string"]}]
            return avro({"type": "record", "name": "Value", "fields": fields}, rows, "snappy")
        return parquet(rows, pa.schema([("n", pa.int64()), ("text", pa.string())]))

    def _keys(self, records: Sequence[Sent]) -> bytes:
        if self.ending.startswith(".json"):
            return self._packed(json_lines(self._text(one.key) for one in records))
        texts = [(one.key or b"").decode() for one in records]
        return avro("string", texts) if self.ending == ".avro" else parquet([{"key": text} for text in texts])

    def _headers(self, records: Sequence[Sent]) -> bytes:
        lists = [text_headers(one.headers) for one in records]
        if self.ending.startswith(".json"):
            return self._packed(json_lines(json.dumps({"headers": one}) for one in lists))
        if self.ending == ".avro":
            fields = [{"name": "key", "type": "string"}, {"name": "value", "type": "string"}]
            header = {"type": "record", "name": "ConnectDefault", "fields": fields}
            return avro({"type": "array", "items": header}, lists)
        return parquet([{"headers": one} for one in lists])


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def iso(timestamp: int) -> str:
    """As Java's ``ISO_INSTANT``: no more digits than it takes, in threes."""
    at = datetime.fromtimestamp(timestamp / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{timestamp % 1000:03d}Z" if timestamp % 1000 else "Z")


@dataclass
class AivenSink:
    """Writes records of one topic as Aiven's S3 sink does, with ByteArrayConverters: all but the type of the time.

    :param kind: ``jsonl``, ``json``, ``csv``, ``parquet``, ``avro``. ``fields``: as ``format.output.fields``.
    """

    put: Put
    topic: str
    kind: str = "jsonl"
    packed: bool = False
    fields: tuple[str, ...] = ("key", "value", "offset", "timestamp", "headers")

    template: ClassVar[str] = (
        "backup/{{topic}}/{{timestamp:unit=yyyy}}/{{partition:padding=true}}-{{start_offset:padding=true}}"
    )

    def write(self, partition: int, offset: int, records: Sequence[Sent]) -> str:
        text = self.kind in ("jsonl", "json", "csv")
        data = self._text(offset, records) if text else self._binary(offset, records)
        key = f"backup/{self.topic}/2026/{partition:010d}-{offset:020d}.{self.kind}"
        if text and self.packed:
            key, data = f"{key}.gz", gzip.compress(data)
        self.put(key, data)
        return key

    def _text(self, offset: int, records: Sequence[Sent]) -> bytes:
        if self.kind == "csv":
            return "\n".join(self._line(offset + at, one) for at, one in enumerate(records)).encode()
        nodes = [json.dumps(self._node(offset + at, one)) for at, one in enumerate(records)]
        return ("\n".join(nodes) if self.kind == "jsonl" else "[\n" + ",\n".join(nodes) + "\n]").encode()

    def _node(self, offset: int, one: Sent) -> dict[str, Any]:
        headers = [{"key": name, "value": _base64(value)} for name, value in one.headers]
        node = {"headers": headers, "key": _base64(one.key), "offset": offset, "timestamp": iso(one.timestamp),
                "value": _base64(one.value)}  # fmt: skip
        return {name: value for name, value in node.items() if name in self.fields}

    def _line(self, offset: int, one: Sent) -> str:
        headers = "".join(f"{_base64(name.encode())}:{_base64(value)};" for name, value in one.headers)
        cells = {"key": _base64(one.key) or "", "value": _base64(one.value) or "", "offset": str(offset),
                 "timestamp": str(one.timestamp), "headers": headers}  # fmt: skip
        return ",".join(cells[name] for name in self.fields)

    def _binary(self, offset: int, records: Sequence[Sent]) -> bytes:
        rows: list[dict[str, Any]] = [
            {"key": one.key, "value": one.value, "offset": offset + at, "timestamp": one.timestamp,
             "headers": dict(one.headers)} for at, one in enumerate(records)
        ]  # fmt: skip
        if self.kind == "avro":
            types = {"key": ["null", "bytes"], "value": ["null", "bytes"], "offset": "long", "timestamp": "long",
                     "headers": {"type": "map", "values": "bytes"}}  # fmt: skip
            fields = [{"name": name, "type": types[name]} for name in self.fields]
            return avro({"type": "record", "name": "connector_records", "fields": fields}, rows, "deflate")
        headers = pa.map_(pa.string(), pa.binary())
        schema = pa.schema([("key", pa.binary()), ("value", pa.binary()), ("offset", pa.int64()),
                            ("timestamp", pa.int64()), ("headers", headers)])  # fmt: skip
        return parquet([{**row, "headers": list(row["headers"].items())} for row in rows], schema)


@dataclass
class LensesSink:
    """Writes records of one topic as Lenses' S3 sink does with ``store.envelope``. A name has the last offset.

    :param kind: ``json``, with arrays of bytes as it has them from a ByteArrayConverter, ``avro``, ``parquet``.
    """

    put: Put
    topic: str
    kind: str = "json"

    def write(self, partition: int, offset: int, records: Sequence[Sent]) -> str:
        last, times = offset + len(records) - 1, [one.timestamp for one in records]
        key = f"backup/{self.topic}/{partition}/{last:012d}_{min(times)}_{max(times)}.{self.kind}"
        nodes = [self._node(partition, offset + at, one) for at, one in enumerate(records)]
        if self.kind == "json":
            self.put(key, "\n".join(map(json.dumps, nodes)).encode())
        else:
            self.put(key, avro(self._schema(), nodes) if self.kind == "avro" else parquet(nodes))
        return key

    def _node(self, partition: int, offset: int, one: Sent) -> dict[str, Any]:
        about = {"timestamp": one.timestamp, "topic": self.topic, "partition": partition, "offset": offset}
        if self.kind != "json":
            texts = {name: (value or b"").decode() for name, value in one.headers}
            return {"key": one.key, "value": one.value, "headers": texts, "metadata": about}
        node = {"key": _base64(one.key), "value": _base64(one.value), "metadata": about,
                "headers": {name: (value or b"").decode() for name, value in one.headers}}  # fmt: skip
        arrays = {f"{name}IsArray": True for name in ("key", "value") if node[name] is not None}
        return {**node, **arrays}

    @staticmethod
    def _schema() -> Any:
        about = [{"name": "timestamp", "type": "long"}, {"name": "topic", "type": "string"},
                 {"name": "partition", "type": "int"}, {"name": "offset", "type": "long"}]  # fmt: skip
        metadata = {"type": "record", "name": "Metadata", "fields": about}
        fields = [{"name": "key", "type": ["null", "bytes"]}, {"name": "value", "type": ["null", "bytes"]},
                  {"name": "headers", "type": {"type": "map", "values": "string"}},
                  {"name": "metadata", "type": metadata}]  # fmt: skip
        return {"type": "record", "name": "ConnectDefault", "fields": fields}


def hard(number: int) -> Sent:
    """A record that text formats get wrong: binary, null and empty, headers twice and null, times of their own."""
    parts: tuple[bytes | None, ...] = (b"k%d" % number, None, b"\x00\xff\n,;:\r", "ü😀".encode())
    headers = ((("a", b"1"), ("a", b"\xff\x00"), ("n", None)), (), (("z", b""),))[number % 3]
    return Sent(parts[number % 4], parts[(number + 1) % 4], headers, 1_690_000_000_000 + 997 * number)


def plain(number: int, big: int = 0) -> Sent:
    """A record whose value is JSON in one line, as a compact writer makes it."""
    value = {"n": number, "text": "ü" * (number % 5) + "x" * big}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    headers = (("a", b"1"), ("a", b"2"), ("source", f"p{number % 3}".encode()))
    return Sent(f"key-{number % 100}".encode(), text.encode(), headers)
