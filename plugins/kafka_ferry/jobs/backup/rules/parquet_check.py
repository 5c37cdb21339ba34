"""A Parquet file before it is unpacked: whether it is packed as ours are, and how large it would become. Pure."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kafka_ferry.jobs.backup.rules.decoding import DECODED_BYTES, check_about, refuse_large
from kafka_ferry.jobs.backup.rules.page_headers import Chunk, pages, row_group
from kafka_ferry.records.columns import BINARY_NAMES, SCHEMA
from kafka_ferry.records.damage import DamagedSegment

_NAMES: Final = "headers.list.element.key"
_CODED: Final = {"timestamp_type", _NAMES}  # columns that are written with a dictionary
_PLAIN: Final = 0
_DICTIONARIES: Final = {2, 8}  # PLAIN_DICTIONARY, RLE_DICTIONARY
_WORDS: Final = {_PLAIN, *_DICTIONARIES}
_VALUE_BYTES: Final = 16  # of the arrays around a value
_KIND: Final = SCHEMA.get_field_index("timestamp_type")
#: As an older pyarrow (18.1, which Airflow 3.0 and 3.1 are pinned to) reads that column: with codes of 32 bits, always.
_WIDE: Final = SCHEMA.field(_KIND).with_type(pa.dictionary(pa.int32(), pa.string()))
_READ: Final = [one for schema in (SCHEMA, BINARY_NAMES) for one in (schema, schema.set(_KIND, _WIDE))]


def open_file(data: Any, what: str) -> Any:
    """The file, whose columns are ours.

    :raises DamagedSegment: they are not.
    """
    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    found = file.schema_arrow
    if not any(found.remove_metadata().equals(schema) for schema in _READ):
        columns = ", ".join(f"{field.name} {field.type}" for field in found)
        raise DamagedSegment(f"{what}: its columns are {columns[:500]}")
    # Of the file and not of its Arrow schema, which a Parquet library other than Arrow writes without it.
    check_about(what, (file.metadata.metadata or {}).get(b"kafka_ferry"))
    return file


def read_group(file: Any, group: int) -> Any:
    """Its table, with the codes of ``SCHEMA``, whichever pyarrow reads it.

    :raises pyarrow.ArrowInvalid: it has more kinds of timestamps than those codes can tell apart.
    """
    table = file.read_row_group(group, use_threads=False)
    field = SCHEMA.field(_KIND)
    if table.schema.field(_KIND).type == field.type:
        return table
    narrow = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(field.type.index_type), chunk.dictionary)
        for chunk in table.column(_KIND).chunks
    ]
    return table.set_column(_KIND, field, pa.chunked_array(narrow, field.type))


def check_group(group: int, data: Any, what: str) -> None:
    """Look at the pages of a row group.

    :raises DamagedSegment: it would become too large, or is packed in a way that we do not write.
    """
    records, chunks = row_group(memoryview(data), group)
    if records < 1:
        raise DamagedSegment(f"{what}: a row group without records, which Kafka Ferry does not write")
    total = sum(_chunk_bytes(chunk, memoryview(data), what) for chunk in chunks)
    refuse_large(what, total)
    names = next(chunk for chunk in chunks if chunk.path == _NAMES)
    if names.has_dictionary or names.values * names.unpacked > DECODED_BYTES:
        refuse_large(what, total + _name_bytes(data, group))


def _chunk_bytes(chunk: Chunk, data: memoryview, what: str) -> int:
    column, total, values = chunk.path, 0, 0
    for page in pages(data, chunk.begin, chunk.end):
        if page.encoding not in (_WORDS if column in _CODED else {_PLAIN}):
            raise DamagedSegment(
                f"{what}: column {column} has the encoding {page.encoding}, which Kafka Ferry does not write"
            )
        total += page.size
        values += 0 if page.is_dictionary else page.values
    if values != chunk.values:
        raise DamagedSegment(f"{what}: column {column} has {values} values, its footer says {chunk.values}")
    return total + values * _VALUE_BYTES


def _name_bytes(data: Any, group: int) -> int:
    """What the names of headers are once each stands for itself; as a dictionary they are small."""
    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False, read_dictionary=[_NAMES])
    total = 0
    for chunk in file.read_row_group(group, columns=[_NAMES], use_threads=False).column(0).chunks:
        names = chunk.values.field("key")
        if isinstance(names, pa.DictionaryArray) and len(names.dictionary):
            total += int(pc.sum(pc.take(pc.binary_length(names.dictionary), names.indices)).as_py() or 0)
    return total
