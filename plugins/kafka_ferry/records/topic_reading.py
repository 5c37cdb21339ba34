"""Read a topic over all its partitions: at once, or in passes over parts of its keys where it is large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kafka_ferry.records.content import PartitionContent, PartitionRange
from kafka_ferry.records.reader import RecordReader
from kafka_ferry.records.topic_content import TopicContent, joined, sample

_SLICE = 500_000  # offsets read at once when only some of the records are kept


def read_topic(
    reader: RecordReader, ranges: Sequence[PartitionRange], with_timestamp: bool, number: int = 0, passes: int = 1
) -> TopicContent:
    """Return the records of one pass; every record is in exactly one of the passes 0 to ``passes - 1``.

    :raises TransientError: as the reader does.
    """
    if passes == 1:
        contents = reader.read(ranges, with_timestamp, with_keys=True)
        return TopicContent.of({span.partition: contents[span.key] for span in ranges})
    return TopicContent.of({span.partition: _some_of(reader, span, with_timestamp, number, passes) for span in ranges})


def _some_of(
    reader: RecordReader, span: PartitionRange, with_timestamp: bool, number: int, passes: int
) -> PartitionContent:
    begins = range(span.begin, span.end, _SLICE) or [span.begin]
    slices = [replace(span, begin=begin, end=min(span.end, begin + _SLICE)) for begin in begins]
    return joined(
        [sample(reader.read([one], with_timestamp, with_keys=True)[one.key], number, passes) for one in slices]
    )
