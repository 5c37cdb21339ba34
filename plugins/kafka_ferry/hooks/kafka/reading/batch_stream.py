"""Where reading in machine code is worth its start, and the stream that does it."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kafka_ferry.extras import MissingExtra, brought_by
from kafka_ferry.hooks.kafka.reading.range_stream import Faults, RangeStream
from kafka_ferry.hooks.kafka.reading.wire_settings import only_librdkafka_knows

if TYPE_CHECKING:
    from kafka_ferry.records.raw_records import RawRecords


log = logging.getLogger(__name__)


def worth_compiling(records: int, least: int) -> bool:
    """Whether so many records are worth the start of Numba; ``FERRY_NATIVE`` = always or never overrules it.

    Where Numba is not installed (extra ``fast``) or cannot work, such as without a folder for what it compiles, the
    answer is no, with a warning; where it has to be, that is an error.

    :raises ValueError: ``FERRY_NATIVE`` is something else.
    """
    wish = os.environ.get("FERRY_NATIVE", "auto")
    if wish not in ("auto", "always", "never"):
        raise ValueError(f"the variable FERRY_NATIVE is {wish!r}. Fix: auto, always or never")
    if wish == "never" or (wish == "auto" and records < least):
        return False
    try:
        with brought_by("fast"), _no_collection():
            import kafka_ferry.records.xxh64  # noqa: F401 - compiled when it is imported
    except (MissingExtra, ImportError, RuntimeError) as error:
        if wish == "always":
            raise
        cure = "" if isinstance(error, MissingExtra) else ". Fix: set NUMBA_CACHE_DIR to a folder that can be written"
        log.warning("records are read and sent one by one, which is several times slower: %s%s", error, cure)
        return False
    return True


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for garbage among the hundreds of thousands of objects that Numba makes to stay.

    Saves 0.1 of 0.4 s, and each time that all objects are looked through later 0.1 s.
    """
    was, known = gc.isenabled(), "numba" in sys.modules
    gc.disable()
    try:
        yield
    finally:
        if not known:
            gc.freeze()  # what is there now is not looked at again
        if was:
            gc.enable()


def cores_kept_busy(config: Mapping[str, Any], records: int, least: int) -> int:
    """By one process that exports so many records: 2 in machine code, which needs no interpreter, else 1.

    Measured on 2 cores, four runs of each in turn: one process took 0.75 of the time of two, 0.6 of the CPU and half
    the memory, with records of 100 B and of 1 KB. Not used for restores, where two were ahead.

    :param config: whole librdkafka configuration. ``least``: see :func:`worth_compiling`.
    """
    return 2 if not only_librdkafka_knows(config) and worth_compiling(records, least) else 1


def is_plain(config: Mapping[str, Any]) -> bool:
    """Whether a connection needs nothing that only confluent-kafka does: no callback."""
    return all(isinstance(value, str | int | float | bool) for value in config.values())


def native_stream(
    config: Mapping[str, Any], isolation_level: str, stall_seconds: float
) -> RangeStream[RawRecords] | None:
    """A stream of records that stay in the batches they came in; None for a connection that needs librdkafka.

    Loads Numba: 0.4 s (measured), some seconds the first time, when it compiles.

    :param config: whole librdkafka configuration.
    """
    others = only_librdkafka_knows(config)
    if others:
        log.info("records are read by librdkafka, which is several times slower: only it supports %s", others)
        return None
    from kafka_ferry.hooks.kafka.reading.batch_client import NativeClient
    from kafka_ferry.records.raw_records import BatchDecoder

    def client(faults: Faults) -> NativeClient[RawRecords]:
        decoder = BatchDecoder()
        return NativeClient(config, faults, lambda _, batches: decoder.records(batches))

    return RangeStream(client, isolation_level, stall_seconds)
