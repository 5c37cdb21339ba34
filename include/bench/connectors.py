"""Export and import by our S3 connectors on a Kafka Connect worker, beside the engine's in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import psutil
import requests

from bench import machine
from bench.backup import PARTITIONS, Backups, BenchError, Run, backup_table
from demo.spec import TopicSpec
from kafka_ferry.hooks.objects.open import open_store
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from stack import Stack
from stack.s3 import ACCESS_KEY, BUCKET, SECRET

CONNECTORS = "connectors"
TASKS = 2
_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"
_CLASSES = {"export": "S3SegmentSinkConnector", "restore": "S3SegmentSourceConnector"}
_LONGEST = 600.0


class Pairs(Backups):
    """The same topic, by the engine and by the connectors in turn.

    :param kind: format of the objects, as the DAGs have it.
    """

    def __init__(self, stack: Stack, size: int, count: int, kind: str, say: Callable[[str], None]) -> None:
        super().__init__(stack, size, count, None, say)
        self.kind = kind

    @property
    def tools(self) -> list[str]:
        return ["kafka_ferry", CONNECTORS]

    def _once(self, tool: str, what: str, number: int) -> Run:
        if tool != CONNECTORS:
            return super()._once(tool, what, number)
        name, target = f"{tool}-{self.kind}-{number}", f"back-{tool}-{number}"
        if what == "restore":
            self._target.create([TopicSpec(target, PARTITIONS)])
            return self._connector(what, name, target, lambda: self._held(target))
        done = self._connector(what, name, target, lambda: self._declared(name))
        sizes = self._objects(name)
        return Run(tool, what, done.seconds, done.cpu, done.peak, len(sizes), sum(sizes))

    def _held(self, target: str) -> int:
        return sum(self._target.end_offsets(TopicSpec(target, PARTITIONS)).values())

    def _declared(self, name: str) -> int:
        """Records in the sink's manifests: those that stand in S3 for an import."""
        catalogue = Catalogue(open_store(**self.store_order), name)
        return sum(one.totals.records for one in catalogue.complete().values())

    def _connector(self, what: str, name: str, target: str, there: Callable[[], int]) -> Run:
        """From PUT of the config until all records are there; the connector is deleted then."""
        url = f"{self._stack.connect_url}/connectors/{name}-{what}"
        pid = self._stack.worker.pid
        assert pid is not None  # noqa: S101  # it runs
        worker, peak = psutil.Process(pid), 0
        before, began = worker.cpu_times(), time.monotonic()
        requests.put(f"{url}/config", json=self._config(what, name, target), timeout=60).raise_for_status()
        while there() < self._count:
            peak = max(peak, worker.memory_info().rss)
            self._refuse_failed(url)
            if time.monotonic() - began > _LONGEST:
                raise BenchError(f"{name}: {there()} of {self._count} records after {_LONGEST:g} s")
            time.sleep(0.1)
        seconds, after = time.monotonic() - began, worker.cpu_times()
        if (found := there()) != self._count:
            raise BenchError(f"{name}: {found} records instead of {self._count}")
        requests.delete(url, timeout=60).raise_for_status()
        cpu = after.user + after.system - before.user - before.system
        return Run(CONNECTORS, what, seconds, cpu, max(peak, worker.memory_info().rss))

    @staticmethod
    def _refuse_failed(url: str) -> None:
        answer = requests.get(f"{url}/status", timeout=60)
        tasks = answer.json().get("tasks", []) if answer.ok else []
        if traces := [task.get("trace", "") for task in tasks if task["state"] == "FAILED"]:
            raise BenchError(f"{url}: {traces[0][:2000]}")

    def _config(self, what: str, name: str, target: str) -> dict[str, str]:
        config = {
            "connector.class": f"kafkaferry.connect.s3.{_CLASSES[what]}",
            "tasks.max": str(TASKS),
            **{f"{part}.converter": _BYTES for part in ("key", "value", "header")},
            "s3.bucket.name": BUCKET,
            "s3.prefix": "bench",
            "export.name": name,
            "store.url": self._stack.s3.url,
            "aws.access.key.id": ACCESS_KEY,
            "aws.secret.access.key": SECRET,
            "topics": self._topic,
        }
        if what == "restore":
            return config | {"s3.poll.interval.ms": "500", "topics.rename": f"{self._topic}:{target}"}
        return config | {
            "format": self.kind,
            "kafka.bootstrap.servers": self._stack.source_bootstrap,
            "consumer.override.bootstrap.servers": self._stack.source_bootstrap,
            "consumer.override.isolation.level": "read_committed",
            "rotate.schedule.interval.ms": "1000",
            "manifest.interval.ms": "1000",
        }


def run(
    make_stack: Callable[[], Stack], kinds: Sequence[str], sizes: tuple[int, int], runs: int, say: Callable[[str], None]
) -> str:
    """Stack up, measure, stack down; the Markdown to print.

    :param kinds: formats of the objects. ``sizes``: value bytes and number of records.
    """
    size, count = sizes
    stack = make_stack()
    tables = [f"{machine.describe()}. n = {runs} interleaved, after one of each that is not counted."]
    try:
        stack.up()
        for number, kind in enumerate(kinds):
            bench = Pairs(stack, size, count, kind, say)
            if number == 0:
                bench.fill()
            busy = machine.await_quiet(60, say)
            tables.append(f"{kind}: {count} records in {PARTITIONS} partitions; others kept {busy:.1f} cores busy.")
            tables.append(backup_table(bench.run(runs), size, count))
    finally:
        stack.down(purge=True)
    return "\n\n".join(tables)
