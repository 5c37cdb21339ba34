"""The processes around the comparison; the comparison itself runs on real Kafka in tests/integration."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.jobs.common.child_process import Child
from kafka_ferry.jobs.migration.live import fingerprint_process
from kafka_ferry.jobs.migration.live.fingerprint_process import compare_partitions
from kafka_ferry.records.job import PartitionJob
from kafka_ferry.records.translate import GroupMark

PACKAGE = str(Path(fingerprint_process.__file__).parents[4])


def job(partition: int = 0, **fields: object) -> PartitionJob:
    return PartitionJob("a", "b", partition, 0, 9, 9, 0, 9, **fields)  # type: ignore[arg-type]


def test_a_child_imports_no_airflow_and_starts_fast() -> None:
    code = (
        "import sys, time, kafka_ferry.jobs.migration.live.fingerprint_process; "
        "print('airflow' in sys.modules, time.process_time())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": PACKAGE}, capture_output=True, check=True
    )
    airflow, seconds = done.stdout.split()
    assert airflow == b"False"
    assert float(seconds) < 5, "CPU seconds, as the machine may be busy; 0.4 measured"


def test_nothing_to_do() -> None:
    assert compare_partitions({}, {}, [], "read_committed") == []


def test_empty_partitions_need_no_broker() -> None:
    empty = PartitionJob("a", "b", 0, 0, 0, 0, 0, 0, marks=(GroupMark("g", 0, 0),))
    (result,) = compare_partitions({"bootstrap.servers": "x"}, {"bootstrap.servers": "x"}, [empty], "read_committed")
    assert (result.comparison.status, result.groups[0].status) == ("pass", "exact")


def test_processes_answer_in_the_order_of_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint_process, "MIN_RECORDS_PER_PROCESS", 0)
    config = {"bootstrap.servers": "x"}
    jobs = [PartitionJob("a", "b", number, 0, 0, 0, 0, 0) for number in (2, 0, 1)]
    found = compare_partitions(config, config, jobs, "read_committed", processes=3)
    assert [(result.partition, result.comparison.status) for result in found] == [(2, "pass"), (0, "pass"), (1, "pass")]


def test_an_error_in_a_process_keeps_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint_process, "MIN_RECORDS_PER_PROCESS", 1)
    config = {"bootstrap.servers": "x", "sasl.password": "hush-hush", "no-such-setting": "1"}
    with pytest.raises(BadConnection, match="no-such-setting") as refused:
        compare_partitions(config, config, [job(0), job(1)], "read_committed", processes=2)
    assert "hush-hush" not in str(refused.value)


def test_two_jobs_for_one_partition_are_refused() -> None:
    with pytest.raises(ValueError, match="same target partition"):
        compare_partitions({}, {}, [job(), job()], "read_committed")


def test_jobs_survive_json() -> None:
    one = job(mode="last_value", marks=(GroupMark("g", 1, None),))
    assert PartitionJob.from_json(one.to_json()) == one


def test_portions_keep_kinds_apart_and_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint_process, "MAX_RECORDS", 40)
    jobs = [job(0), job(1), job(2), job(3, mode="last_value"), job(4, with_timestamp=False)]
    portions = [[one.partition for one in some] for some in fingerprint_process._portions(jobs)]
    assert sorted(portions) == [[0, 1], [2], [3], [4]]


def test_a_child_that_dies_is_an_outside_fault_with_its_last_words_redacted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in interpreter that shows on stderr all it was given and fails."""
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\nread task\necho "args $* task $task" >&2\nenv >&2\necho the end >&2\nexit 7\n')
    fake.chmod(0o755)
    monkeypatch.setattr(fingerprint_process, "MIN_RECORDS_PER_PROCESS", 1)
    monkeypatch.setattr(sys, "executable", str(fake))
    config = {"bootstrap.servers": "x", "sasl.password": "hush-hush"}
    with pytest.raises(TransientError, match=r"exit code 7: (?s:.*)the end") as died:
        compare_partitions(config, config, [job(0), job(1)], "read_committed", processes=2)
    assert "hush-hush" not in str(died.value)


def test_a_failure_stops_the_other_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text(
        f"#!/bin/sh\nread task\necho $$ >> {tmp_path}/pids\n"
        'case "$task" in *\'"partition": 1,\'*) exit 1;; esac\nexec sleep 600\n'
    )
    fake.chmod(0o755)
    monkeypatch.setattr(fingerprint_process, "MIN_RECORDS_PER_PROCESS", 1)
    monkeypatch.setattr(sys, "executable", str(fake))
    started = time.monotonic()
    with pytest.raises(TransientError, match="exit code 1: it said nothing"):
        compare_partitions({}, {}, [job(0), job(1)], "read_committed", processes=2)
    assert time.monotonic() - started < 60
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_secrets_are_not_in_arguments_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"bootstrap.servers": "x", "sasl.password": "hush-hush"}
    order = {"source": config, "target": config, "jobs": [], "topics": []}
    child = Child(fingerprint_process._MODULE, "a process", order, ["hush-hush"])
    try:
        seen = psutil.Process(child.process.pid)
        assert "hush-hush" not in " ".join(seen.cmdline())
        assert "hush-hush" not in str(seen.environ())
        assert "fingerprint_process" in " ".join(seen.cmdline())
    finally:
        child.kill()
