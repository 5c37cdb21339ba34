"""Avro files of others: any schema, the codecs that sinks offer, bounded memory. Pure.

fastavro unpacks a block whole, whatever it becomes, and follows any schema. So blocks are unpacked here, to a bound,
and schemas that could make much of nothing are refused.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import cramjam
import fastavro
import pyarrow as pa

from kafka_ferry.jobs.backup.rules.avro import head_of
from kafka_ferry.jobs.backup.rules.page_headers import zigzag
from kafka_ferry.jobs.s3.files.rules.lines import LINE_BYTES, snappy_size
from kafka_ferry.records.damage import DamagedSegment

_MARKER = 16
_PRIMITIVES: Final = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
_DEPTH: Final = 64


def records(data: Any, what: str) -> Iterator[Any]:
    """What is in a file, one after the other: mappings, lists, or plain values.

    Times are the numbers that they are stored as.

    :raises DamagedSegment: it has a codec or a schema that is not read, or becomes too large.
    """
    about, marker, at = head_of(data)
    schema = fastavro.parse_schema(_plain(json.loads(about["avro.schema"]), {}, 0))
    codec = about.get("avro.codec", b"null").decode()
    if codec not in _CODECS:
        raise DamagedSegment(f"{what}: its codec is {codec[:20]!r}; read are {', '.join(_CODECS)}")
    while at < len(data):
        count, at = zigzag(data, at)
        size, at = zigzag(data, at)
        end = at + size
        if size < 0 or data[end : end + _MARKER] != marker:
            raise DamagedSegment(f"{what}: a block at byte {at} does not end where it says: the file is cut or damaged")
        block = _CODECS[codec](bytes(data[at:end]))
        if not 0 <= count <= len(block):  # a record takes a byte at the least, or blocks of nothing would never end
            raise DamagedSegment(f"{what}: a block of {len(block)} bytes says it has {count} records")
        reading = io.BytesIO(block)
        for _ in range(count):
            yield fastavro.schemaless_reader(reading, schema, None)
        if reading.tell() != len(block):
            raise DamagedSegment(f"{what}: a block has more in it than its {count} records")
        at = end + _MARKER


def _plain(schema: Any, known: dict[str, bool | None], depth: int, space: str = "") -> Any:
    """The schema without what makes numbers into times.

    :param known: by name whether something of that type takes a byte at the least; None: its own fields are being read.
    :raises ValueError: it has records in themselves, or lists of nothing: they unpack without end.
    """
    if depth > _DEPTH:
        raise ValueError("its schema is nested too deeply")
    if isinstance(schema, str):
        return schema if schema in _PRIMITIVES else _known(schema, known, space)
    if isinstance(schema, list):
        return [_plain(one, known, depth + 1, space) for one in schema]
    kind = schema["type"]
    if isinstance(kind, dict | list):
        return _plain(kind, known, depth + 1, space)
    if kind in ("record", "error", "enum", "fixed"):
        return _named(schema, known, depth, space)
    if kind == "array":
        items = _plain(schema["items"], known, depth + 1, space)
        if not _weighs(items, known):
            raise ValueError("its schema has a list of nothing")
        return {"type": "array", "items": items}
    if kind == "map":
        return {"type": "map", "values": _plain(schema["values"], known, depth + 1, space)}
    if kind == "bytes" and schema.get("logicalType") == "decimal":
        return {name: schema[name] for name in ("type", "logicalType", "precision", "scale") if name in schema}
    return _plain(kind, known, depth, space)


def _known(name: str, known: dict[str, bool | None], space: str) -> str:
    full = _full(name, space) if _full(name, space) in known else name
    if known.get(full) is None:
        raise ValueError(f"its schema has {name[:80]!r} in itself, or does not say what that is")
    return full


def _named(schema: Any, known: dict[str, bool | None], depth: int, space: str) -> Any:
    kind, name = schema["type"], schema["name"]
    space = name.rpartition(".")[0] or schema.get("namespace", space)
    full = _full(name, space)
    found: dict[str, Any] = {"type": "record" if kind == "error" else kind, "name": full}
    if kind == "enum":
        known[full] = True
        return found | {"symbols": schema["symbols"]}
    if kind == "fixed":
        known[full] = schema["size"] > 0
        decimal = schema.get("logicalType") == "decimal"
        keep = ("size", "logicalType", "precision", "scale") if decimal else ("size",)
        return found | {key: schema[key] for key in keep if key in schema}
    known[full] = None
    fields = [{"name": one["name"], "type": _plain(one["type"], known, depth + 1, space)} for one in schema["fields"]]
    known[full] = any(_weighs(one["type"], known) for one in fields)
    return found | {"fields": fields}


def _weighs(schema: Any, known: dict[str, bool | None]) -> bool:
    """Whether something of it takes a byte at the least; of what ``_plain`` made."""
    if isinstance(schema, str):
        return schema != "null" if schema in _PRIMITIVES else bool(known[schema])
    return isinstance(schema, list) or schema["type"] not in ("record", "fixed") or bool(known[schema["name"]])


def _full(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _bounded(found: bytes, ended: bool) -> bytes:
    if len(found) > LINE_BYTES:
        raise ValueError(f"a block unpacks to more than {LINE_BYTES:,} bytes")
    if not ended:
        raise ValueError("a block is cut")
    return found


def _deflate(block: bytes) -> bytes:
    unpacking = zlib.decompressobj(-15)
    return _bounded(unpacking.decompress(block, LINE_BYTES + 1), unpacking.eof)


def _snappy(block: bytes) -> bytes:
    _bounded(b"", snappy_size(block) <= LINE_BYTES)
    return bytes(cramjam.snappy.decompress_raw(block[:-4]))  # a checksum of four bytes ends it


def _bzip2(block: bytes) -> bytes:
    unpacking = bz2.BZ2Decompressor()
    return _bounded(unpacking.decompress(block, LINE_BYTES + 1), unpacking.eof)


def _xz(block: bytes) -> bytes:
    unpacking = lzma.LZMADecompressor(memlimit=LINE_BYTES)
    return _bounded(unpacking.decompress(block, LINE_BYTES + 1), unpacking.eof)


def _zstandard(block: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(block), "zstd") as stream:
        return _bounded(stream.read(LINE_BYTES + 1), True)


_CODECS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "null": lambda block: _bounded(block, True),
    "deflate": _deflate,
    "snappy": _snappy,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstandard": _zstandard,
}
