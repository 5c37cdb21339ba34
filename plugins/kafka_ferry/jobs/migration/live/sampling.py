"""Read some records of topics, to know what all of them may be like."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader, headers_of
from kafka_ferry.jobs.migration.rules.sample import Sample, Sampling
from kafka_ferry.records.batch_messages import BatchMessage
from kafka_ferry.records.content import PartitionRange


def samples(reader: LibrdkafkaReader, ranges: Sequence[PartitionRange]) -> dict[str, Sample]:
    """By topic; those without a record in their range are left out.

    :param ranges: one of each topic. Of the records of a range one is kept in memory.
    """
    found = {span.topic: Sampling(span.partition) for span in ranges}
    for (topic, _), messages in reader.stream(ranges):
        for one in messages:
            headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in headers_of(one) or ()]
            batch = one.batch() if isinstance(one, BatchMessage) else None
            found[topic].take(one.offset() or 0, one.key(), one.value(), headers, batch)
    return {topic: sample for topic, one in found.items() if (sample := one.sample())}
