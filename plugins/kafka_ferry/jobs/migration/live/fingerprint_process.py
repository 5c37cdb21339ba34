"""Compare partitions in several processes: decoding and hashing is bound to one core per Python process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kafka_ferry.core.redaction import is_secret_key
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.hooks.kafka.reading.message_reader import LibrdkafkaReader
from kafka_ferry.jobs.common.child_process import answer_order, run_children
from kafka_ferry.records.job import PartitionJob, PartitionResult
from kafka_ferry.records.judge import explain, judge
from kafka_ferry.records.judge_topic import judge_topic
from kafka_ferry.records.schema_ids import SchemaIds, SchemaIdUse
from kafka_ferry.records.sharding import shard
from kafka_ferry.records.topic_job import TopicJob

MAX_RECORDS = 4_000_000
"""Estimated records of both sides that a process holds at once: about 64 MB of hashes, 5 times that while comparing."""
MIN_RECORDS_PER_PROCESS = 100_000  # below that, the start of a process costs more than it saves

_MODULE = "kafka_ferry.jobs.migration.live.fingerprint_process"


def compare_partitions(
    source_config: Mapping[str, Any],
    target_config: Mapping[str, Any],
    jobs: Sequence[PartitionJob] | Sequence[TopicJob],
    isolation_level: str,
    processes: int = 2,
    stall_seconds: float = 30.0,
    without_headers: Collection[str] = (),
    schema_ids: bool = False,
) -> list[PartitionResult]:
    """Compare partitions, or whole topics, and return a result per job, in the order of the jobs.

    A topic is the work of one process, whatever its size.

    :param source_config: the connection's extra (librdkafka settings); each process makes its own client from it.
    :param isolation_level: of the source, the same as the engine's. The target is always read committed, as the
        applications that go there read it at best: aborted records there are nobody's records.
    :param processes: at most so many; few records take fewer. 1 works in this process.
    :param without_headers: names of headers that do not count, on either side.
    :param schema_ids: also tell which ids of schemas the source's records begin with.
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
        "without_headers": sorted(without_headers),
        "schema_ids": schema_ids,
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
    how = {"stall_seconds": task["stall_seconds"], "without_headers": task["without_headers"]}
    ids = SchemaIds() if task["schema_ids"] else None
    with (
        LibrdkafkaReader(client_config(task["source"]), task["isolation_level"], **how, schema_ids=ids) as source,
        LibrdkafkaReader(client_config(task["target"]), "read_committed", **how) as target,
    ):
        results = [result for portion in _portions(jobs) for result in _compare(portion, source, target)]
        results += [judge_topic(job, source, target) for job in topics]
    if ids is not None:
        results = [replace(result, schema_ids=_ids_of(ids, result)) for result in results]
    return [result.to_json() for result in results]


def _ids_of(ids: SchemaIds, result: PartitionResult) -> tuple[SchemaIdUse, ...]:
    return ids.of(result.source_topic, None if result.whole_topic else result.partition)


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
    return run_children(_MODULE, "a comparing process", [(task, _secrets(task)) for task in tasks])


def _secrets(task: Mapping[str, Any]) -> list[str]:
    return [str(value) for side in ("source", "target") for key, value in task[side].items() if is_secret_key(key)]


def main() -> None:
    """The child: one task in, its results or its error out."""
    answer_order(_work)


if __name__ == "__main__":
    main()
