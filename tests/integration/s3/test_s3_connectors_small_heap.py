"""A worker with 64 MB of heap carries 5,000 records a second into S3, and declares each within a minute."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from own_stacks import own_stack, use
from s3_connectors import S3Connectors, content
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(600)]

RATE, SECONDS, PARTITIONS, SIZE = 5_000, 90, 9, 200


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with own_stack("s3-small-heap", s3_connectors=True) as stack:
        use(stack, monkeypatch, tmp_path)
        monkeypatch.setenv(
            "_JAVA_OPTIONS", "-Xms32m -Xmx64m"
        )  # stands above the command's own; the worker alone begins again
        stack.worker.restart()
        yield stack


def produce_for(stack: Stack, topic: str, seconds: float) -> int:
    """At ``RATE``, evenly; how many records."""
    producer = Producer({**stack.client_settings("source"), "acks": "all", "linger.ms": 10})
    body, begun, sent = os.urandom(SIZE), time.monotonic(), 0
    while (now := time.monotonic() - begun) < seconds:
        while sent < now * RATE:
            producer.produce(topic, body, b"k%d" % (sent % 500), sent % PARTITIONS)
            sent += 1
        producer.poll(0)
        time.sleep(0.01)
    assert producer.flush(60) == 0
    return sent


@pytest.mark.parametrize("kind", ["avro", "parquet"])
def test_64_megabytes_are_enough_at_5_000_records_a_second(
    small: Stack, topic_prefix: str, make_topics: Any, kind: str
) -> None:
    topic = f"{topic_prefix}clicks"
    make_topics(small.source_bootstrap, topic, partitions=PARTITIONS)
    pair = S3Connectors(small, f"{topic_prefix}e")
    # What a consumer holds of answers is outside of the sink's own bound: by default 50 MB, and 1 MB of a partition.
    fetches = {"consumer__override__fetch__max__bytes": 2_000_000,
               "consumer__override__max__partition__fetch__bytes": 200_000}  # fmt: skip
    bounds = {"buffer__memory": 16_000_000, "rotate__schedule__interval__ms": 10_000, "manifest__interval__ms": 10_000}
    pair.deploy("sink", topics=topic, tasks__max=1, format=kind, flush__on__commit="false", **bounds, **fetches)
    pair.until(lambda: [state for state, _ in pair.tasks("sink")] == ["RUNNING"], 60)

    ages: list[float] = []
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for key in sorted(set(pair.manifests()) - seen):
                ages.append(time.time() - pair.earliest(key) / 1000)
                seen.add(key)
            over.wait(0.3)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        sent = produce_for(small, topic, SECONDS)
        pair.until(lambda: pair.declared() == sent, 120)
        time.sleep(1)
    finally:
        over.set()
        watcher.join()
    print(f"{kind}: {sent} records at {RATE}/s; the oldest of each manifest was {max(ages):.1f} s old at the most, "
          f"{sorted(ages)[len(ages) // 2]:.1f} s at the median")  # fmt: skip
    assert max(ages) < 60
    assert pair.stored() == content("kafka_source", [topic], PARTITIONS)
    pair.healthy()
    pair.remove()
