"""Named sets of client settings for MirrorMaker 2 on Kafka Connect, each key one that acts. Pure.

Where a key goes matters (read in Kafka 4.3.1 and measured): the producer of the records is the *worker's*, so
it listens to ``producer.override.*``; the consumer lives in the task, so it listens to ``source.consumer.*``;
``producer.*`` only tunes the offset-syncs producer; ``consumer.override.*`` and ``source.cluster.batch.size`` do
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class ThroughputProfile:
    """Client settings and intervals of one profile.

    :param settings: connector keys.
    :param sync_seconds: how often checkpoints are emitted and group offsets synced.
    :param refresh_seconds: how often new topics, partitions and groups are looked for.
    :param advice: what would serve its purpose better and is not ours to change; None when nothing.
    :param most_tasks: of the source connector, whatever the user allows; None: no limit.
    """

    settings: MappingProxyType[str, str]
    sync_seconds: int
    refresh_seconds: int
    advice: str | None = None
    most_tasks: int | None = None

    def tasks(self, wanted: int) -> int:
        """``tasks.max`` of the source connector where the user wants ``wanted``."""
        return wanted if self.most_tasks is None else min(wanted, self.most_tasks)


# batch.size and compression.type explain the whole gain on loopback: 2.3 to 2.8 times stock at 1 KB records, 1.3 times
# at 100 B; linger, fetch sizes and poll sizes changed nothing there (docs/benchmarks.md).
_LARGE_BATCHES = {"producer.override.batch.size": "524288", "producer.override.compression.type": "lz4"}

PROFILES: Final = MappingProxyType(
    {
        "lan": ThroughputProfile(MappingProxyType(_LARGE_BATCHES), sync_seconds=1, refresh_seconds=5),
        "wan": ThroughputProfile(
            # One connection carries at most min(receive buffer, broker's send buffer) per round trip; -1 lets the
            # operating system grow the window. At 50 ms: 2 times alone, 10 times with the broker's end open too.
            MappingProxyType({**_LARGE_BATCHES, "source.consumer.receive.buffer.bytes": "-1"}),
            sync_seconds=5,
            refresh_seconds=30,
            advice=(
                "on a slow link set socket.send.buffer.bytes=-1 on the SOURCE brokers (a rolling restart); "
                "measured about 10 times faster at 50 ms round trip. Otherwise raise tasks_max: each task is one "
                "more connection"
            ),
        ),
        # The least work for the same records: one task is one consumer connection a source broker and one producer, and
        # large batches cost brokers about a quarter of stock's CPU. No client key holds the rate down (measured,
        # docs/benchmarks.md): max.poll.records=100 with stock batches cost the same CPU as stock; small fetches were
        # faster; fetch.min.bytes makes a broker wait only at a partition's last segment.
        "gentle": ThroughputProfile(
            MappingProxyType(_LARGE_BATCHES),
            sync_seconds=10,
            refresh_seconds=60,
            most_tasks=1,
            advice=(
                "gentle is one task that costs little, not a limit of the rate. For a hard limit set a client quota on "
                "the source: consumer_byte_rate of the user that MirrorMaker 2 logs in as"
            ),
        ),
    }
)
