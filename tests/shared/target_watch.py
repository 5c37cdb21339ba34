"""A consumer of a target topic that takes the time: how long each record was on its way."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

TIMEOUT = 560


class TargetWatch:
    """Reads a topic from its beginning, as soon as it is there.

    ``seconds`` has, for each record in the order of arrival, the time from the one in the record (when its producer
    wrote it, as an import keeps it) until a consumer of the target had it; one clock, as all runs on one machine.
    """

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._settings = {"bootstrap.servers": bootstrap}
        self._places = [TopicPartition(topic, number, 0) for number in range(partitions)]
        self.seconds: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(60)

    def _read(self) -> None:
        topic, admin = self._places[0].topic, AdminClient(self._settings)
        while topic not in admin.list_topics(timeout=30).topics:
            if self._over.wait(0.2):
                return
        consumer = Consumer({**self._settings, "group.id": "watch", "fetch.wait.max.ms": 50})
        consumer.assign(self._places)
        while not self._over.is_set():
            for message in consumer.consume(500, 0.1):
                if message.error() is None:
                    self.seconds.append(time.time() - message.timestamp()[1] / 1000)
        consumer.close()

    def wait(self, records: int, runs: Sequence[Future[Any]] = ()) -> None:
        """Until so many are there; at once the error of a run that failed meanwhile."""
        deadline = time.monotonic() + TIMEOUT
        while len(self.seconds) < records:
            for run in runs:
                if run.done():
                    run.result()
            assert time.monotonic() < deadline, f"{len(self.seconds)} of {records} records came"
            time.sleep(0.1)

    def told(self, after: int) -> str:
        """Of the records behind the first so many."""
        found = sorted(self.seconds[after:])
        middle, late = statistics.median(found), found[int(len(found) * 0.95)]
        return f"{len(found)} records, median {middle:.1f} s, 95 % {late:.1f} s, longest {found[-1]:.1f} s"
