"""Compare partitions in several processes: decoding and hashing is bound to one core per Python process.

Children are plain ``python -m kafka_ferry.hooks.fingerprint_process``: no fork of an Airflow task process, no Airflow
import (they start in 0.4 s, measured). A child reads one line of JSON from stdin, secrets included, so none shows in
arguments or environment, and writes its results as JSON to stdout. Its stdin stays open: when that ends, the parent is
gone, even by kill -9, and the child ends too.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Any

import kafka_ferry
from kafka_ferry.connectors.redaction import is_secret_key, redact_text
from kafka_ferry.exceptions import BadConnection, FerryError, OutsideFault
from kafka_ferry.hooks.kafka_config import client_config
from kafka_ferry.hooks.record_reader import LibrdkafkaReader
from kafka_ferry.verification.job import PartitionJob, PartitionResult
from kafka_ferry.verification.judge import explain, judge
from kafka_ferry.verification.judge_topic import judge_topic
from kafka_ferry.verification.sharding import shard
from kafka_ferry.verification.topic_job import TopicJob

MAX_RECORDS = 4_000_000
"""Estimated records of both sides that a process holds at once: about 64 MB of hashes, 5 times that while comparing."""
MIN_RECORDS_PER_PROCESS = 100_000  # below that, the start of a process costs more than it saves

_ERRORS: dict[str, type[FerryError]] = {"BadConnection": BadConnection, "OutsideFault": OutsideFault}


def compare_partitions(
    source_config: Mapping[str, Any],
    target_config: Mapping[str, Any],
    jobs: Sequence[PartitionJob] | Sequence[TopicJob],
    isolation_level: str = "read_committed",
    processes: int = 2,
    stall_seconds: float = 30.0,
) -> list[PartitionResult]:
    """Compare partitions, or whole topics, and return a result per job, in the order of the jobs.

    A topic is the work of one process, whatever its size.

    :param source_config: the connection's extra (librdkafka settings); each process makes its own client from it.
    :param isolation_level: of the source, the same as the engine's. The target is always read committed, as the
        applications that go there read it at best: aborted records there are nobody's records.
    :param processes: at most so many; few records take fewer. 1 works in this process.
    :raises FerryError: what a process met, with its class; the others are stopped.
    """
    every: Sequence[PartitionJob | TopicJob] = jobs  # mypy sees two kinds of sequences where one of both will do
    order = {(job.target_topic, job.partition): place for place, job in enumerate(every)}
    if len(order) < len(jobs):
        raise ValueError("two jobs for the same target partition")
    shards = shard(
        [(job, job.estimated_records) for job in every],
        max_shards=max(1, processes),
        min_shard_weight=MIN_RECORDS_PER_PROCESS,
        overhead=100,
    )
    common = {
        "source": dict(source_config),
        "target": dict(target_config),
        "isolation_level": isolation_level,
        "stall_seconds": stall_seconds,
    }
    orders = [{**common, **_task(some)} for some in shards]
    answers = [_work(one) for one in orders] if len(orders) <= 1 else _in_children(orders)
    results = [PartitionResult.from_json(result) for answer in answers for result in answer]
    return sorted(results, key=lambda result: order[result.target_topic, result.partition])


def _task(jobs: Sequence[PartitionJob | TopicJob]) -> dict[str, Any]:
    return {
        "jobs": [job.to_json() for job in jobs if isinstance(job, PartitionJob)],
        "topics": [job.to_json() for job in jobs if isinstance(job, TopicJob)],
    }


def _work(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Do one shard, a portion of partitions or one topic at a time."""
    jobs = [PartitionJob.from_json(data) for data in task["jobs"]]
    topics = [TopicJob.from_json(data) for data in task["topics"]]
    stall = task["stall_seconds"]
    with (
        LibrdkafkaReader(client_config(task["source"]), task["isolation_level"], stall) as source,
        LibrdkafkaReader(client_config(task["target"]), "read_committed", stall) as target,
    ):
        results = [result for portion in _portions(jobs) for result in _compare(portion, source, target)]
        results += [judge_topic(job, source, target) for job in topics]
        return [result.to_json() for result in results]


def _portions(jobs: Sequence[PartitionJob]) -> list[list[PartitionJob]]:
    """Group jobs that can be read with one call on each side and fit in memory; a bigger partition stands alone."""
    portions: list[list[PartitionJob]] = []
    size, kind = 0, None
    for job in sorted(jobs, key=lambda one: (one.mode, one.with_timestamp)):
        same = (job.mode, job.with_timestamp)
        if not portions or same != kind or size + job.estimated_records > MAX_RECORDS:
            portions.append([])
            size, kind = 0, same
        portions[-1].append(job)
        size += job.estimated_records
    return portions


def _compare(jobs: Sequence[PartitionJob], source: LibrdkafkaReader, target: LibrdkafkaReader) -> list[PartitionResult]:
    with_timestamp, with_keys = jobs[0].with_timestamp, jobs[0].mode == "last_value"
    theirs = target.read([job.target_range for job in jobs], with_timestamp, with_keys)
    ours = source.read([job.source_range for job in jobs], with_timestamp, with_keys)
    results = []
    for job in jobs:
        result = judge(job, ours.pop(job.source_range.key), theirs.pop(job.target_range.key))
        results.append(explain(job, result, source, target))
    return results


def _in_children(tasks: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    children: list[_Child] = []
    try:
        children.extend(map(_Child, tasks))
        with ThreadPoolExecutor(len(children)) as pool:
            waiting = [pool.submit(child.answer) for child in children]
            try:
                wait(waiting, return_when=FIRST_EXCEPTION)
                failed = next((one for one in waiting if one.done() and one.exception()), None)
                return [one.result() for one in ([failed] if failed else waiting)]
            except BaseException:
                for child in children:
                    child.kill()  # here: leaving the pool waits for its threads
                raise
    finally:
        for child in children:
            child.kill()


class _Child:
    """One process with its task."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._secrets = [
            str(value) for side in ("source", "target") for key, value in task[side].items() if is_secret_key(key)
        ]
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the child
        package = str(Path(kafka_ferry.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__ if __name__ != "__main__" else "kafka_ferry.hooks.fingerprint_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._task = json.dumps(task).encode() + b"\n"

    def answer(self) -> list[dict[str, Any]]:
        """Hand over the task and wait for the results.

        :raises FerryError: the one the child met; an OutsideFault with the end of its stderr when it died.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101  # both are pipes
        with contextlib.suppress(BrokenPipeError):  # it died; what it said follows below
            stdin.write(self._task)
            stdin.flush()
        output = stdout.read()
        status = self._process.wait()
        if status:
            self._errors.seek(0)
            tail = redact_text(self._errors.read().decode(errors="replace")[-2000:].strip(), self._secrets)
            raise OutsideFault(f"a comparing process ended with exit code {status}: {tail or 'it said nothing'}")
        answer = json.loads(output)
        if "error" in answer:
            raise _ERRORS.get(answer["error"]["type"], FerryError)(answer["error"]["message"])
        results: list[dict[str, Any]] = answer["results"]
        return results

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # unsent bytes for a process that is gone
                    pipe.close()


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not through sys.stdin: its lock would be held when the interpreter wants to exit
        pass
    os._exit(3)


def main() -> None:
    """The child: one task in, its results or its error out."""
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer: dict[str, Any] = {"results": _work(task)}
    except FerryError as error:
        answer = {"error": {"type": type(error).__name__, "message": str(error)}}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
