"""Files as S3 sink connectors write them, made by a writer of our own: no connector can be run here.

Written from what the sinks' sources say (Confluent's ``TopicPartitionWriter``, ``RecordViews`` and its writers'
providers, 2026-07), with the libraries that write these formats and none of the code that reads them. What a file
should become is told beside it, record by record.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

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


def plain(number: int, big: int = 0) -> Sent:
    """A record whose value is JSON in one line, as a compact writer makes it."""
    value = {"n": number, "text": "ü" * (number % 5) + "x" * big}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    headers = (("a", b"1"), ("a", b"2"), ("source", f"p{number % 3}".encode()))
    return Sent(f"key-{number % 100}".encode(), text.encode(), headers)
