"""A real Kafka Streams application, by the old protocol of groups and by the new one (KIP-1071)."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from stack import jars
from stack.java import find_java
from stack.stack import PROJECT

_FOLDER = Path(__file__).with_name("streams-app")


def libraries() -> Path:
    """Kafka Streams' jars; fetched once, into the cache that all sessions share."""
    cache, pom = jars.cache_folder(PROJECT), _FOLDER / "pom.xml"
    folder = jars.jars_folder(cache, pom, "streams-app")
    return jars.fetch(cache, find_java(), print, pom, folder, "kafka-streams", "Kafka Streams' jars", "80 MB")


@contextmanager
def running(bootstrap: str, app: str, source: str, output: str, protocol: str, folder: Path) -> Iterator[None]:
    """``StreamsApp.java`` at work; closed as a user closes it.

    :param folder: of its own; its state goes below it, and its log.
    """
    folder.mkdir(parents=True)
    command = [
        find_java(), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{libraries()}/*", str(_FOLDER / "StreamsApp.java"),
        bootstrap, app, source, output, protocol, str(folder / "state"),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
        assert process.poll() is None, (folder / "log").read_text()[-3000:]
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()


def values(bootstrap: str, topic: str, begin: int = 0) -> list[tuple[str, int]]:
    """Word and count of all that stands in an output topic of one partition, from an offset on."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "nobody", "enable.auto.commit": False})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
        consumer.assign([TopicPartition(topic, 0, begin)])
        found: list[tuple[str, int]] = []
        while len(found) < end - begin:
            for message in consumer.consume(500, timeout=5):
                assert message.error() is None
                found.append(((message.key() or b"").decode(), int(message.value() or b"")))
        return found
    finally:
        consumer.close()


def counted(bootstrap: str, topic: str, begin: int = 0) -> Counter[str]:
    """The last count of each word."""
    return Counter(dict(values(bootstrap, topic, begin)))


def eventually(check: Callable[[], bool], what: Callable[[], object], seconds: float = 90) -> None:
    """Waits until it holds; tells what is there when it does not."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, what()
        time.sleep(0.3)
