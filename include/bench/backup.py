"""Export and restore by our engine, beside OSO kafka-backup's core where a driver of it is given."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka.admin import AdminClient

from bench import figures, machine
from demo.loader import Loader
from demo.spec import Record, TopicSpec
from stack import Stack
from stack.s3 import ACCESS_KEY, BUCKET, SECRET

PARTITIONS = 8
PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


class BenchError(Exception):
    """A tool failed, or the target does not hold what it should."""


@dataclass(frozen=True)
class Run:
    """One timed run.

    :param cpu: seconds of the tool's processes, user and system. ``peak``: RSS of all of them together, bytes.
    :param objects: in the bucket after an export. ``size``: of them, bytes. ``puts``: write requests; 0: not reported.
    """

    tool: str
    what: str
    seconds: float
    cpu: float
    peak: int
    objects: int = 0
    size: int = 0
    puts: int = 0

    def __str__(self) -> str:
        return f"{self.tool} {self.what}: {self.seconds:.1f} s, CPU {self.cpu:.1f} s, {self.peak / 2**20:.0f} MiB"


class Backups:
    """One topic, filled once, exported and restored again and again.

    :param oso: executable that takes ``backup`` or ``restore`` and a YAML file; None: ours alone.
    """

    kind = "parquet"
    """Format of our objects."""

    def __init__(self, stack: Stack, size: int, count: int, oso: Path | None, say: Callable[[str], None]) -> None:
        self._stack, self._size, self._count, self._oso, self._say = stack, size, count, oso, say
        self._topic = f"bench-{size}"
        self._target = Loader(stack.target_bootstrap)

    @property
    def tools(self) -> list[str]:
        return ["kafka_ferry", *(["OSO"] if self._oso else [])]

    def fill(self) -> None:
        values = _values(self._size)

        def made() -> Any:
            for number in range(self._count):
                yield Record(b"key-%07d" % number, next(values), 1_700_000_000_000 + number, [("kind", b"test")],
                             number % PARTITIONS)  # fmt: skip

        spec = TopicSpec(self._topic, PARTITIONS, {"compression.type": "lz4"}, self._count, self._count, made)
        source = Loader(self._stack.source_bootstrap)
        source.create([spec])
        source.fill(spec)

    def run(self, runs: int) -> list[Run]:
        """Interleaved, each run begun by another tool. The first one of each is not counted: caches fill."""
        result = []
        for number in range(runs + 1):
            for tool in figures.rotated(self.tools, number):
                for what in ("export", "restore"):
                    done = self._once(tool, what, number)
                    self._say(f"run {number}{'' if number else ' (not counted)'}: {done}")
                    result += [done] if number else []
                self._forget(f"back-{tool}-{number}")
        return result

    @property
    def store_order(self) -> dict[str, Any]:
        """Where the objects go, as ``open_store`` takes it."""
        settings = {"endpoint_url": self._stack.s3.url, "region_name": "us-east-1", "aws_access_key_id": ACCESS_KEY,
                    "aws_secret_access_key": SECRET}  # fmt: skip
        return {"location": f"s3://{BUCKET}/bench", "settings": settings, "patience": 120}

    def _once(self, tool: str, what: str, number: int) -> Run:
        name, target = f"{tool}-{self.kind}-{self._size}-{number}", f"back-{tool}-{number}"
        folder = self._stack.folder / "bench"
        folder.mkdir(exist_ok=True)
        make = self._ours if tool == "kafka_ferry" else self._theirs
        command, environment = make(folder, what, name, target)
        seconds, cpu, peak, output = _measure(command, environment, folder / f"{name}-{what}.log")
        if what == "restore":
            self._check(target)
            return Run(tool, what, seconds, cpu, peak)
        objects = self._objects(name)
        puts = int(json.loads(output).get("puts", 0)) if tool == "kafka_ferry" else 0
        return Run(tool, what, seconds, cpu, peak, len(objects), sum(objects), puts)

    def _objects(self, name: str) -> list[int]:
        """Sizes of all that an export has in the bucket."""
        folder = self._stack.s3.data / BUCKET / "bench" / name
        return [path.stat().st_size for path in folder.rglob("*") if path.is_file()]

    def _ours(self, folder: Path, what: str, name: str, target: str) -> tuple[list[str], dict[str, str]]:
        cluster = self._stack.source_bootstrap if what == "export" else self._stack.target_bootstrap
        order = {
            "what": what,
            "config": {"bootstrap.servers": cluster},
            "store": self.store_order,
            "format": self.kind,
            "name": name,
            "id": "only",
            "topic": self._topic,
            "target": target,
        }
        file = folder / f"{name}-{what}.json"
        file.write_text(json.dumps(order))
        path = os.pathsep.join([str(PLUGINS), str(PLUGINS.parent / "include")])
        return [sys.executable, "-m", "bench.backup_once", str(file)], {"PYTHONPATH": path}

    def _theirs(self, folder: Path, what: str, name: str, target: str) -> tuple[list[str], dict[str, str]]:
        mode, side = ("backup", "source") if what == "export" else ("restore", "target")
        cluster = self._stack.source_bootstrap if what == "export" else self._stack.target_bootstrap
        order = {
            "mode": mode,
            "backup_id": name,
            side: {"bootstrap_servers": [cluster], "topics": {"include": [self._topic]}},
            "storage": {"backend": "s3", "endpoint": self._stack.s3.url, "bucket": BUCKET, "access_key": ACCESS_KEY,
                        "secret_key": SECRET, "prefix": "bench", "region": "us-east-1", "path_style": True,
                        "allow_http": True},
            "backup": {"compression": "zstd", "compression_level": 1, "stop_at_current_offsets": True,
                       "include_offset_headers": False, "consumer_group_snapshot": False},
            "restore": {"topic_mapping": {self._topic: target}, "create_topics": True,
                        "include_original_offset_header": False},
        }  # fmt: skip
        del order["restore" if what == "export" else "backup"]
        file = folder / f"{name}-{what}.yaml"
        file.write_text(json.dumps(order))  # JSON is YAML
        return [str(self._oso), mode, str(file)], {}

    def _check(self, target: str) -> None:
        held = sum(self._target.end_offsets(TopicSpec(target, PARTITIONS)).values())
        if held != self._count:
            raise BenchError(f"{target} holds {held} records instead of {self._count}")

    def _forget(self, target: str) -> None:
        admin = AdminClient({"bootstrap.servers": self._stack.target_bootstrap})  # referenced: its futures die with it
        for future in admin.delete_topics([target]).values():
            future.result()


def _values(size: int, seed: int = 1) -> Iterator[bytes]:
    """Different values without end, half words and half noise: they compress to about a third."""
    made = random.Random(seed)  # noqa: S311 - test data
    noise, half = made.randbytes(10_000_000).hex().encode(), size // 2
    for number in numbers():
        at = made.randrange(len(noise) - half)
        head = b'{"id":%09d,"type":"measurement","unit":"celsius","place":"%s","note":"' % (number, b"Kiel" * 3)
        words = (head + b"the same words in every record, " * (size // 30 + 1))[: size - half]
        yield words + noise[at : at + half]


def _measure(command: list[str], environment: dict[str, str], log: Path) -> tuple[float, float, int, str]:
    """Wall seconds, CPU seconds and the largest RSS of a process and its children together, and what it printed."""
    with log.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        watch = _Memory(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
    output = log.read_text(errors="replace")
    if process.returncode:
        raise BenchError(f"{command[0]} ended with exit code {process.returncode}: {output[-2000:]}")
    last = output.strip().splitlines()[-1:]
    return seconds, usage.ru_utime + usage.ru_stime, watch.peak, last[0] if last else ""


class _Memory(threading.Thread):
    """Looks three times a second, as each costs CPU; what the kernel counts would begin with our own memory."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self.peak = pid, 0

    def run(self) -> None:
        with contextlib.suppress(psutil.Error):  # it has ended
            root = psutil.Process(self._pid)
            while root.status() != psutil.STATUS_ZOMBIE:
                held = 0
                for process in (root, *root.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        held += process.memory_info().rss
                self.peak = max(self.peak, held)
                time.sleep(0.3)


def backup_table(runs: Sequence[Run], size: int, count: int) -> str:
    """One row per tool and direction; the ratio is taken within a run. Pure."""
    rows = []
    for what in ("export", "restore"):
        ours = [run for run in runs if run.tool == "kafka_ferry" and run.what == what]
        for tool in dict.fromkeys(run.tool for run in runs):
            mine = [run for run in runs if run.tool == tool and run.what == what]
            total = size * count
            ratios = [run.seconds / other.seconds for run, other in zip(mine, ours, strict=True)]
            gigabyte = total / 1e9
            rows.append(
                [
                    f"{tool} {what}",
                    figures.spread(run.seconds for run in mine),
                    figures.spread(total / run.seconds / 1e6 for run in mine),
                    figures.spread((count / run.seconds / 1e3 for run in mine), 0),
                    f"{figures.spread(ratios, 2)} x",
                    figures.spread(run.cpu for run in mine),
                    f"{max(run.peak for run in mine) / 2**20:.0f}",
                    f"{mine[0].objects / gigabyte:.0f}" if mine[0].objects else "-",
                    f"{mine[0].puts / gigabyte:.0f}" if mine[0].puts else "-",
                    f"{mine[0].size / total:.2f}" if mine[0].size else "-",
                ]
            )
    head = [f"{size} B", "s", "MB/s", "thousand records/s", "time relative to ours", "CPU s", "peak RSS MiB",
            "objects per GB", "PUTs per GB", "stored/value bytes"]  # fmt: skip
    return figures.table(head, rows)


def run(
    make_stack: Callable[[], Stack],
    sizes: Sequence[tuple[int, int]],
    runs: int,
    oso: Path | None,
    say: Callable[[str], None],
) -> str:
    """Stack up, measure, stack down; the Markdown to print.

    :param sizes: value bytes and number of records.
    """
    stack = make_stack()
    tables = [f"{machine.describe()}. n = {runs} interleaved, after one of each that is not counted."]
    try:
        stack.up()
        for size, count in sizes:
            bench = Backups(stack, size, count, oso, say)
            bench.fill()
            busy = machine.await_quiet(60, say)
            tables.append(f"{count} records of {size} B in {PARTITIONS} partitions; others kept {busy:.1f} cores busy.")
            tables.append(backup_table(bench.run(runs), size, count))
    finally:
        stack.down(purge=True)
    return "\n\n".join(tables)
