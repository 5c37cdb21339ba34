"""When records are read and sent in machine code."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kafka_ferry
from kafka_ferry.hooks.kafka.reading.batch_stream import is_plain, native_stream, worth_compiling


@pytest.mark.parametrize(
    ("wish", "records", "answer"),
    [("auto", 10, True), ("auto", 9, False), ("never", 10**9, False), ("always", 0, True), (None, 9, False)],
)
def test_many_records_pay_unless_somebody_knows_better(
    wish: str | None, records: int, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FERRY_NATIVE", raising=False)
    if wish:
        monkeypatch.setenv("FERRY_NATIVE", wish)
    assert worth_compiling(records, 10) is answer


def test_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_NATIVE", "yes")
    with pytest.raises(ValueError, match=r"FERRY_NATIVE is .yes.\. Fix: auto, always or never"):
        worth_compiling(1, 1)


def test_without_numba_it_is_slower_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("FERRY_NATIVE", raising=False)
    monkeypatch.setitem(sys.modules, "kafka_ferry.records.xxh64", None)  # its import fails
    with caplog.at_level(logging.WARNING):
        assert worth_compiling(10, 10) is False
    assert "Fix: set NUMBA_CACHE_DIR" in caplog.text
    monkeypatch.setenv("FERRY_NATIVE", "always")
    with pytest.raises(ImportError):
        worth_compiling(10, 10)


def test_what_numba_makes_to_stay_is_not_looked_through_again() -> None:
    code = """
import gc
from kafka_ferry.hooks.kafka.reading.batch_stream import worth_compiling
before = gc.get_freeze_count(), gc.isenabled()
assert worth_compiling(1, 1)
first = gc.get_freeze_count()
kept = [[] for _ in range(1000)]
assert worth_compiling(1, 1)
print(*before, first > 50_000, gc.get_freeze_count() == first, gc.isenabled())
"""
    package = str(Path(kafka_ferry.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "FERRY_NATIVE": "always"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", "True", "True", "True"]


def test_a_connection_with_a_callback_stays_with_messages() -> None:
    assert is_plain({"bootstrap.servers": "x:9092", "ssl.ca.location": "/ca", "enable.ssl": True, "n": 1})
    config = {"bootstrap.servers": "x:9092", "oauth_cb": lambda _: ("token", 0.0)}
    assert not is_plain(config)
    assert native_stream(config, "read_committed", 1.0) is None


@pytest.mark.parametrize(
    "module",
    ["hooks.kafka.reading.column_reader", "jobs.backup.store.process", "jobs.migration.live.fingerprint_process"],
)
def test_what_reads_little_does_not_wait_for_numba(module: str) -> None:
    """Its import takes about a second, in every child process."""
    code = f"import sys, kafka_ferry.{module}; print('numba' in sys.modules)"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=path, check=True)
    assert done.stdout.splitlines()[-1] == "False"
