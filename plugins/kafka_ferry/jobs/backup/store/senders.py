"""Idempotent producers that fail with the first record they cannot deliver: one for rows in lists, one for buffers.

No record of a partition is delivered behind one that was not, else the next try would find a hole it cannot close:

- ``enable.gapless.guarantee``: librdkafka ends with a fatal error where it would else go on behind a refused batch.
- Batches behind a refused one may be on their way already. A broker refuses those as out of sequence, but only where it
  knows the producer (``ProducerStateManager``): so the first record of each partition goes alone, and is waited for.
- ``message.timeout.ms=0``: a message that timed out would be a gap, too (librdkafka, CONFIGURATION.md).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import BadConnection, FerryError, TransientError
from kafka_ferry.hooks.kafka.reading.batch_stream import worth_compiling
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows
from kafka_ferry.records.rows import Rows

BATCH_BYTES = 524288
QUEUE_BYTES = 128 * 1024 * 1024
"""A record whose value is larger is never taken (measured): librdkafka checks it against all that may wait."""

_SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "message.timeout.ms": 0,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": BATCH_BYTES,  # at most; with lz4 all gain of tuning (measured: 2.3 times the throughput at 1 KB)
    "queue.buffering.max.kbytes": QUEUE_BYTES // 1024,
    "queue.buffering.max.messages": 500_000,
    "delivery.report.only.error": True,  # what was delivered shows in the end offset; what was not must not be missed
    "message.max.bytes": 1_000_000_000,  # the broker's limit counts, not the client's default of 1 MB
    "log_level": 2,
}
_FLUSH_SECONDS = 300.0  # without a record that was acknowledged
_WAIT_SECONDS = 5.0
_CAUSE_SECONDS = 5.0
_REFUSED_LOGIN = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
# What records are told that were not refused themselves: one before them was.
_FOLLOWERS = {
    KafkaError._FATAL,
    KafkaError._GAPLESS_GUARANTEE,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
}
_TOO_LARGE = (
    "raise max.message.bytes on the target topic (and segment.bytes, where that is smaller), then clear this task: it "
    "resumes after what was delivered"
)
#: What a broker refuses for ever, and what ends that. All else may pass.
_FIXES: Mapping[int, str] = {
    KafkaError.MSG_SIZE_TOO_LARGE: _TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE: _TOO_LARGE,
    KafkaError.INVALID_TIMESTAMP: "raise message.timestamp.before.max.ms and message.timestamp.after.max.ms on the "
    "target topic, then clear this task",
    KafkaError.INVALID_RECORD: "a compacted topic rejects records without a key: set cleanup.policy=delete on the "
    "target topic; otherwise the broker's log says why. Then clear this task",
    KafkaError.POLICY_VIOLATION: "the broker's log names the policy; then clear this task",
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT: "remove message.format.version from the target topic, then clear "
    "this task",
    KafkaError.INVALID_REQUIRED_ACKS: "a cluster that accepts acks=all",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "grant WRITE on this topic to the target connection's user, then clear this "
    "task",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "grant IDEMPOTENT_WRITE on the cluster, or WRITE on the topic, to the "
    "target connection's user, then clear this task",
}


@dataclass(frozen=True)
class Failure:
    """A record that was not delivered.

    :param code: librdkafka's. ``text``: what it says of it.
    """

    topic: str
    partition: int
    code: int
    text: str


class RecordRefused(FerryError):
    """The target does not take a record, now or later: nothing of its partition behind it was delivered."""

    def __init__(self, failure: Failure, record: str = "a record") -> None:
        fix = _FIXES.get(failure.code, "the broker's log says why")
        super().__init__(
            f"{failure.topic}-{failure.partition}: the target refuses {record}, or the batch that starts with it: "
            f"{failure.text}. Nothing after it was delivered. Fix: {fix}"
        )
        self.failure = failure


_BATCH_FAILED = re.compile(r"ProduceRequest for (?P<topic>\S+) \[(?P<partition>\d+)\] with .*? failed: (?P<text>.*) \(")


def _failure_in(fatal: str) -> list[Failure]:
    """The batch that a fatal error is about: it may be told nowhere else."""
    found = _BATCH_FAILED.search(fatal)
    codes = [code for code in _FIXES if found and found["text"].startswith(KafkaError(code).str())]
    return [Failure(found["topic"], int(found["partition"]), code, KafkaError(code).str()) for code in codes if found]


def batch_limit(limits: Iterable[int]) -> int:
    """What batches of several records are made of at most, so that topics with these limits take them.

    Records that do not fit in one batch are never split from it: librdkafka gives up where a broker refuses it.
    """
    return max(1, min([BATCH_BYTES, *limits]))


class Sender:
    """What both have in common. Not thread-safe."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []
        self._followers = 0
        self._denied: str | None = None
        self._fatal: str | None = None
        self._last_error = ""
        self._known: set[tuple[str, int]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Drop what waits: nothing, after a success."""
        raise NotImplementedError

    def send(self, topic: str, partition: int, rows: Any) -> None:
        """Hand over records; returns when all are taken. The first ones of a partition are delivered then, too.

        :raises RecordRefused: the target does not take one. ``TransientError``: one could not be delivered.
        :raises BadConnection: the cluster refuses us.
        """
        if len(rows) and (topic, partition) not in self._known:
            self._send(topic, partition, rows.first(1))
            self.flush()
            self._known.add((topic, partition))
            rows = rows.skip(1)
        self._send(topic, partition, rows)

    def _send(self, topic: str, partition: int, rows: Any) -> None:
        raise NotImplementedError

    def _wait(self, seconds: float) -> int:
        """Wait for deliveries; how many are still on their way."""
        raise NotImplementedError

    def flush(self) -> None:
        """Wait until all is delivered.

        :raises RecordRefused: a record was not, as the target does not take it. ``TransientError``: for another reason.
        """
        left, deadline = self._wait(_WAIT_SECONDS), time.monotonic() + _FLUSH_SECONDS
        while left and time.monotonic() < deadline:
            self._check()
            before, left = left, self._wait(_WAIT_SECONDS)
            if left < before:  # what waits may be more than a slow link takes in that time
                beat()
                deadline = time.monotonic() + _FLUSH_SECONDS
        self._check()
        if left:
            raise self._stalled(f"{left} records are waiting, none was acknowledged")

    def _stalled(self, what: str) -> TransientError:
        return TransientError(f"{what} within {_FLUSH_SECONDS:g} s{self._last_error and f': {self._last_error}'}")

    def _on_error(self, code: int, text: str) -> None:
        if code in _REFUSED_LOGIN:
            self._denied = text
        elif code == KafkaError._FATAL:
            self._fatal = text
        else:
            self._last_error = text

    def _on_failed(self, failure: Failure) -> None:
        if failure.code in _FOLLOWERS:
            self._followers += 1
        else:
            self._failures.append(failure)

    def _poll(self, seconds: float) -> None:
        """Let callbacks come."""
        raise NotImplementedError

    def _wait_for_room(self, topic: str, partition: int, full_since: float) -> None:
        self._poll(0.05)
        self._check()
        if time.monotonic() - full_since > _FLUSH_SECONDS:
            raise self._stalled(f"{topic}-{partition}: no record was acknowledged")

    def _not_taken(self, topic: str, partition: int, error: KafkaError) -> FerryError:
        """Why librdkafka itself did not take a record: after a fatal error it takes none, and says so by that
        error's own code or as fatal, perhaps before the cause was told."""
        if error.code() in _FOLLOWERS:
            self._fatal = self._fatal or error.str()
        self._check()
        return FerryError(f"{topic}-{partition}: cannot send: {error.str()}")

    def _check(self) -> None:
        if self._denied:
            raise BadConnection(f"the target refuses: {self._denied}")
        if not (self._failures or self._fatal or self._followers):
            return
        deadline = time.monotonic() + _CAUSE_SECONDS
        while not self._failures and not _failure_in(self._fatal or "") and time.monotonic() < deadline:
            self._wait(0.1)  # one may arrive before the other
        for failure in [*self._failures, *_failure_in(self._fatal or "")]:
            if failure.code in _FIXES:
                raise RecordRefused(failure)
        told = self._fatal or "no reason"
        for one in self._failures[:1]:
            told = f"{one.topic}-{one.partition}: {one.text}"
        raise TransientError(f"not delivered: {told} ({len(self._failures) + self._followers} so far)")


def _are_text(rows: Rows) -> bool:
    """Whether confluent-kafka takes the names of all headers.

    On a name that is not UTF-8 version 2.16 ends the process (SIGSEGV, measured); one with a NUL it refuses.
    """
    names = "".join({name for some in rows.headers for name, _ in some})
    try:
        names.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in names


class MessageSender(Sender):
    """For :class:`Rows`. From the first header on whose name is no text, another sender takes over.

    :param config: librdkafka settings of the connection. ``batch_bytes``: see :func:`batch_limit`.
    """

    def __init__(self, config: Mapping[str, Any], batch_bytes: int = BATCH_BYTES) -> None:
        super().__init__()
        self._config, self._batch_bytes = config, batch_bytes
        self._native: NativeSender | None = None
        settings = {**config, **_SETTINGS, "batch.size": batch_bytes}
        try:
            self._producer = Producer({**settings, "error_cb": self._error})
        except KafkaException as error:
            raise BadConnection(f"librdkafka refuses the connection's settings: {error.args[0].name()}") from None

    def close(self) -> None:
        self._producer.purge()
        if self._native is not None:
            self._native.close()

    def send(self, topic: str, partition: int, rows: Rows) -> None:
        """As of all.

        :raises FerryError: the name of a header is no text, and only this client knows the connection.
        """
        if self._native is None and not _are_text(rows):
            native = _sender_of_bytes(self._config, self._batch_bytes, f"{topic}-{partition}")
            super().flush()  # nothing is delivered before what came before it
            self._native = native
        if self._native is None:
            super().send(topic, partition, rows)
        else:
            self._native.send(topic, partition, rows)

    def flush(self) -> None:
        if self._native is None:
            super().flush()
        else:
            self._native.flush()

    def _wait(self, seconds: float) -> int:
        self._serve(self._producer.flush, seconds)
        return len(self._producer)

    def _poll(self, seconds: float) -> None:
        self._serve(self._producer.poll, seconds)

    def _serve(self, call: Callable[[float], int], seconds: float) -> None:
        """Let callbacks come. confluent-kafka raises a fatal error here and gives it to no callback.

        With that exception set it may still call back for a record, so that the first call into C of the callback, and
        then this one, end with a SystemError; or lose the callback (both measured, confluent-kafka 2.16).
        """
        try:
            call(seconds)
        except KafkaException as error:
            self._fatal = error.args[0].str()
        except SystemError as error:
            self._fatal = self._fatal or str(error.__cause__ or error)

    def _error(self, error: KafkaError) -> None:
        self._on_error(error.code(), error.str())

    def _failed(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        try:
            code = error.code()
        except SystemError as fatal:  # see _serve; raised now, it is in nobody's way any more
            self._fatal, code = str(fatal.__cause__ or fatal), error.code()
        self._on_failed(Failure(message.topic() or "", message.partition() or 0, code, error.str()))

    def _send(self, topic: str, partition: int, rows: Rows) -> None:
        produce, failed = self._producer.produce, self._failed
        columns = zip(rows.keys, rows.values, rows.timestamps, rows.headers, strict=True)
        for count, (key, value, timestamp, headers) in enumerate(columns):
            full_since = None
            while True:
                try:
                    produce(topic, value, key, partition, on_delivery=failed, timestamp=timestamp, headers=headers)
                    break
                except BufferError:  # the local queue is full
                    full_since = full_since or time.monotonic()
                    self._wait_for_room(topic, partition, full_since)
                except KafkaException as error:
                    raise self._not_taken(topic, partition, error.args[0]) from None
            if not count % 1000:
                beat()
                self._poll(0)
                self._check()


class NativeSender(Sender):
    """For :class:`kafka_ferry.records.packed_rows.PackedRows`, and :class:`Rows`, which it packs; loads Numba.

    :param config: librdkafka settings of the connection, no callbacks. ``batch_bytes``: see :func:`batch_limit`.
    """

    def __init__(self, config: Mapping[str, Any], batch_bytes: int = BATCH_BYTES) -> None:
        super().__init__()
        from kafka_ferry.hooks.kafka.writing.batch_producer import NativeProducer

        settings = {**config, **_SETTINGS, "batch.size": batch_bytes}
        self._producer = NativeProducer(settings, self._on_error, lambda *failure: self._on_failed(Failure(*failure)))

    def close(self) -> None:
        self._producer.close()

    def _wait(self, seconds: float) -> int:
        return self._producer.flush(seconds)

    def _poll(self, seconds: float) -> None:
        self._producer.poll(seconds)

    def send(self, topic: str, partition: int, rows: Any) -> None:
        from kafka_ferry.records.packed_rows import PackedRows

        super().send(topic, partition, PackedRows.of_rows(rows) if isinstance(rows, Rows) and len(rows) else rows)

    def _send(self, topic: str, partition: int, rows: Any) -> None:
        at, full_since = 0, None
        while at < len(rows):
            before = at
            at, code = self._producer.send(topic, partition, rows, at)
            if at > before:
                beat()
            if code not in (0, KafkaError._QUEUE_FULL):
                raise self._not_taken(topic, partition, KafkaError(code))
            full_since = None if at > before else full_since or time.monotonic()
            if code:
                self._wait_for_room(topic, partition, full_since or time.monotonic())
            else:
                self._poll(0)
                self._check()


def _sender_of_bytes(config: Mapping[str, Any], batch_bytes: int, place: str) -> NativeSender:
    """For headers whose names are any bytes.

    :raises FerryError: it cannot be used here, or nobody could read them back by this connection.
    """
    why = ""
    if others := only_librdkafka_knows(config):
        why = (
            f"only librdkafka supports {', '.join(others)}, and it cannot send this. Fix: a target connection "
            "without it"
        )
    elif not worth_compiling(1, 1):
        why = "only compiled code can send it. Fix: set FERRY_NATIVE to auto, NUMBA_CACHE_DIR to a writable folder"
    if why:
        raise FerryError(f"{place}: a header's name is not UTF-8, or has a NUL; {why}")
    return NativeSender(config, batch_bytes)
