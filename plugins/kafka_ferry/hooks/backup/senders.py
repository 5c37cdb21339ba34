"""Idempotent producers that fail with the first record they cannot deliver: one for rows in lists, one for buffers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from kafka_ferry.backup.segment import Rows
from kafka_ferry.exceptions import BadConnection, FerryError, OutsideFault
from kafka_ferry.hooks.task_watch import beat

_SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": 524288,  # with lz4 the whole gain of tuning (measured: 2.3 times the throughput at 1 KB)
    "queue.buffering.max.kbytes": 131072,
    "queue.buffering.max.messages": 500_000,
    "delivery.report.only.error": True,  # what was delivered shows in the end offset; what was not must not be missed
    "message.max.bytes": 1_000_000_000,  # the broker's limit counts, not the client's default of 1 MB
    "log_level": 2,
}
_FLUSH_SECONDS = 300.0
_FATAL = {KafkaError._FATAL, KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}


class Sender:
    """What both have in common. Not thread-safe."""

    def __init__(self) -> None:
        self._errors: list[str] = []
        self._fatal: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Drop what waits: nothing, after a success."""
        raise NotImplementedError

    def send(self, topic: str, partition: int, rows: Any) -> None:
        """Hand over records; returns when all are taken.

        :raises OutsideFault: one could not be delivered.
        :raises BadConnection: the cluster refuses us.
        """
        raise NotImplementedError

    def _wait(self, seconds: float) -> int:
        """Wait for deliveries; how many are still on their way."""
        raise NotImplementedError

    def flush(self) -> None:
        """Wait until all is delivered.

        :raises OutsideFault: a record was not.
        """
        deadline = time.monotonic() + _FLUSH_SECONDS
        while (left := self._wait(5)) and time.monotonic() < deadline:
            self._check()
        self._check()
        if left:
            raise OutsideFault(f"{left} records were not acknowledged within {_FLUSH_SECONDS:g} s")

    def _on_error(self, code: int, text: str) -> None:
        if code in _FATAL:
            self._fatal = text

    def _on_failed(self, topic: str, partition: int, text: str) -> None:
        self._errors.append(f"{topic}-{partition}: {text}")

    def _check(self) -> None:
        if self._fatal:
            raise BadConnection(f"the target refuses: {self._fatal}")
        if self._errors:
            raise OutsideFault(f"not delivered: {self._errors[0]} ({len(self._errors)} so far)")


class MessageSender(Sender):
    """For :class:`Rows`.

    :param config: librdkafka settings of the connection.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        try:
            self._producer = Producer({**config, **_SETTINGS, "error_cb": self._error})
        except KafkaException as error:
            raise BadConnection(f"librdkafka refuses the connection's settings: {error.args[0].name()}") from None

    def close(self) -> None:
        self._producer.purge()

    def _wait(self, seconds: float) -> int:
        return int(self._producer.flush(seconds))

    def _error(self, error: KafkaError) -> None:
        self._on_error(KafkaError._FATAL if error.fatal() else error.code(), error.str())

    def _failed(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._on_failed(message.topic() or "", message.partition() or 0, error.str())

    def send(self, topic: str, partition: int, rows: Rows) -> None:
        produce, failed = self._producer.produce, self._failed
        columns = zip(rows.keys, rows.values, rows.timestamps, rows.headers, strict=True)
        for count, (key, value, timestamp, headers) in enumerate(columns):
            while True:
                try:
                    produce(topic, value, key, partition, on_delivery=failed, timestamp=timestamp, headers=headers)
                    break
                except BufferError:  # the local queue is full
                    self._producer.poll(0.05)
                    self._check()
                except KafkaException as error:
                    raise FerryError(f"{topic}-{partition}: cannot send: {error.args[0].str()}") from None
            if not count % 1000:
                beat()
                self._producer.poll(0)
                self._check()


class NativeSender(Sender):
    """For :class:`kafka_ferry.backup.packed.PackedRows`; loads Numba.

    :param config: librdkafka settings of the connection, no callbacks.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        from kafka_ferry.hooks.native_producer import NativeProducer

        self._producer = NativeProducer({**config, **_SETTINGS}, self._on_error, self._on_failed)

    def close(self) -> None:
        self._producer.close()

    def _wait(self, seconds: float) -> int:
        return self._producer.flush(seconds)

    def send(self, topic: str, partition: int, rows: Any) -> None:
        at = 0
        while at < len(rows):
            before = at
            at, code = self._producer.send(topic, partition, rows, at)
            if at > before:
                beat()
            if code not in (0, KafkaError._QUEUE_FULL):
                raise FerryError(f"{topic}-{partition}: cannot send: {KafkaError(code).str()}")
            self._producer.poll(0.05 if code else 0)
            self._check()
