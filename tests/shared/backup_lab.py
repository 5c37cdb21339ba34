"""Backups of the source cluster for tests: begin, export in this process or another, look into the segments."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.objects.s3_connection import store_of, store_settings
from kafka_ferry.jobs.backup.rules.manifest import Manifest, TopicBackup
from kafka_ferry.jobs.backup.rules.segment import decode
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, RestoreSpec
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.export import export_shard
from kafka_ferry.jobs.backup.store.freeze import begin_backup
from kafka_ferry.jobs.backup.store.process import store_order
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun
from kafka_ferry.records.content import PartitionRange

LOCATION = "s3://ferry-backups/tests"
DONE = "2026-11-21T12:30:00+00:00"
PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


class Backups:
    """One backup name on the source cluster."""

    def __init__(self, prefix: str) -> None:
        self.source = KafkaClusterHook("kafka_source")
        self.store = store_of(LOCATION, "aws_default")
        self.catalogue = Catalogue(self.store, f"{prefix}b")
        self.spec = BackupSpec(backup=f"{prefix}b", location=LOCATION, topics=[f"{prefix}.*"], groups=[f"{prefix}.*"])

    def begin(self, backup_id: str, **changes: Any) -> Manifest:
        spec = self.spec.model_copy(update=changes)
        return begin_backup(
            self.source.admin, self.catalogue, spec, backup_id, f"2026-11-21T12:00:{backup_id[-2:]}+00:00"
        )

    def order(self, manifest: Manifest, store: dict[str, Any] | None = None, **limits: Any) -> dict[str, Any]:
        return {
            "kind": "export",
            "config": self.source.extra,
            "store": store or store_order(LOCATION, store_settings("aws_default")),
            "backup": manifest.backup,
            "backup_id": manifest.backup_id,
            "isolation_level": manifest.isolation_level,
            "ranges": [one.to_json() for one in self.catalogue.ranges_left(manifest)],
            **limits,
        }

    def commit(self, group: str, offsets: dict[tuple[str, int], int]) -> None:
        """Commit for a group on the source; a broker that has just made its offsets topic refuses for a moment."""
        deadline = time.monotonic() + 30
        while refused := self.source.admin.commit({group: offsets}):
            assert time.monotonic() < deadline, refused
            time.sleep(0.2)

    def restore_run(self, **params: Any) -> RestoreRun:
        """A restore to the target cluster."""
        target = KafkaClusterHook("kafka_target")
        spec = RestoreSpec(backup=self.spec.backup, location=LOCATION, **params)
        return RestoreRun(target.extra, self.store, spec)

    def export(self, manifest: Manifest, **limits: Any) -> Manifest:
        left = self.catalogue.ranges_left(manifest)
        level = manifest.isolation_level
        export_shard(self.source.extra, self.store, manifest.backup, manifest.backup_id, left, level, **limits)
        return self.catalogue.finish(manifest, DONE)

    def hashes(self, topics: Iterable[TopicBackup]) -> dict[tuple[str, int], dict[int, int]]:
        """Offset to hash of what is in the segments, by partition."""
        found: dict[tuple[str, int], dict[int, int]] = {}
        for topic in topics:
            for partition in topic.partitions:
                own = found.setdefault((topic.name, partition.partition), {})
                for segment in partition.segments:
                    for rows in decode(self.store.get(segment.key), segment.key) if segment.key else ():
                        own.update(zip(rows.offsets, rows.hashes(), strict=True))
        return found

    def live(self, topics: Iterable[TopicBackup]) -> dict[tuple[str, int], dict[int, int]]:
        """The same, of what the cluster has now, in the ranges of the backup."""
        spans = [PartitionRange(t.name, p.partition, p.begin, p.end) for t in topics for p in t.partitions]
        with self.source.reader("read_committed") as reader:
            contents = reader.read(spans)
        return {key: dict(zip(own.offsets.tolist(), own.hashes.tolist(), strict=True)) for key, own in contents.items()}


def kill_when(process: subprocess.Popen[bytes], condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"it ended before {what}"
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    process.kill()
    process.wait()


def child(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A process at work on an order, to be killed."""
    command = [sys.executable, "-m", "kafka_ferry.jobs.backup.store.process"]
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
    assert process.stdin
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    return process


def measured(order: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The answer of a process of its own, and the most memory it took, in bytes."""
    command = [sys.executable, "-m", "kafka_ferry.jobs.backup.store.process"]
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    said, peak = b"", 0
    while True:
        peak = max(peak, _peak(process.pid))
        if select.select([process.stdout], [], [], 0.02)[0]:
            if not (piece := os.read(process.stdout.fileno(), 1 << 20)):
                break
            said += piece
    assert process.wait() == 0
    answer = json.loads(said)
    assert "result" in answer, answer
    return answer["result"], peak


def _peak(pid: int) -> int:
    """The most memory that a process took since it began its program, in bytes.

    Not ``ru_maxrss``: that begins with what its parent held, which a session of tests makes large (measured).
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0  # none any more while it ends


def delete_before(cluster: str, topic: str, offset: int) -> None:
    admin = AdminClient({"bootstrap.servers": cluster})
    for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
        future.result(30)
