"""A batch's records some megabytes at a time: what one batch becomes never decides how much memory is taken. Pure.

A producer may put gigabytes into a batch that is small enough for its topic: brokers compare ``max.message.bytes`` with
what is compressed (KIP-98's format; KAFKA-4169 is the same on the producer's side).
"""

from __future__ import annotations

from kafka_ferry.exceptions import FerryError
from kafka_ferry.records.record_batch import RecordBatch

PIECE_BYTES = 8 * 1024 * 1024
"""Of decompressed records that are looked at together."""

MOST_RECORD_BYTES = 256 * 1024 * 1024
"""Of one record, decompressed: larger ones are refused. Brokers and clients take 1 MB by default, few 100 MB."""


class RecordWindow:
    """What is decompressed of one batch and not yet taken.

    :raises DamagedBatch: it cannot be decompressed.
    """

    def __init__(self, batch: RecordBatch) -> None:
        self._batch, self._stream = batch, batch.stream()
        self.data, self.ended = memoryview(b""), False
        self.more(0)

    def more(self, used: int) -> None:
        """Take so many bytes away at the front and read on: some megabytes, or the double of what is left.

        :raises DamagedBatch: what follows cannot be decompressed.
        :raises FerryError: the record at the front is larger than ``MOST_RECORD_BYTES``.
        """
        rest = self.data[used:]
        if len(rest) >= MOST_RECORD_BYTES:
            raise FerryError(
                f"the batch at offset {self._batch.base} holds a record of more than {MOST_RECORD_BYTES} bytes when "
                "decompressed. Fix: leave its topic out, or wait until its retention has passed"
            )
        wanted = max(PIECE_BYTES, len(rest))
        found = self._stream.read(wanted)
        self.ended = len(found) < wanted
        self.data = memoryview(b"".join((rest, found)))

    def is_spent(self, used: int) -> bool:
        """Whether nothing follows the first so many bytes.

        :raises DamagedBatch: what follows cannot be decompressed.
        """
        return used == len(self.data) and (self.ended or not self._stream.read(1))
