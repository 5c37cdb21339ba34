"""Times every engine on the same data: when the first record is there, how fast the rest follows, when it is proven."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, TopicPartition

from bench import figures, machine, records
from bench.figures import EngineCopy
from demo.loader import Loader, patiently
from demo.spec import TopicSpec
from stack import Stack, jars, service
from stack.java import find_java
from stack.ports import PortLease
from stack.process import MARK
from stack.stack import PROJECT

if TYPE_CHECKING:
    from kafka_ferry.jobs.migration.engines.engine import Engine
    from kafka_ferry.jobs.migration.live.migration import Migration

TOPIC, PARTITIONS, TASKS, VALUE_BYTES = "bench", 8, 4, 200
#: The first is what the others are compared with.
ENGINES = (
    "mirror_maker2_on_connect",
    "replicate_topics",
    "mirror_maker2_dedicated",
    "mirror_maker2_standalone",
    "mirror_maker1",
)
ON_HOSTS = ENGINES[2:]
# The stack's own JVMs are made for a fast start (first compiler only, 512 MB); these are made to carry data.
JVM_OPTIONS = ("-Xms256m", "-Xmx1g", "-XX:+UseG1GC")
TIMEOUT_S = 600.0
POLL_S = 0.05


class EngineBenchError(Exception):
    """A copy did not end, or the target does not hold what it should."""


def params(engine: str, label: str, places: dict[str, str], port: int) -> dict[str, Any]:
    """What the DAG would be triggered with; all else are its defaults. Pure.

    :param places: FERRY_JAVA, FERRY_KAFKA_LIBS, FERRY_MM1_LIBS and FERRY_HOST_FOLDER of the stack.
    """
    made: dict[str, Any] = {"topics": [TOPIC], "migration": label, "tasks_max": TASKS}
    if engine in ON_HOSTS:
        libs = "FERRY_MM1_LIBS" if engine == "mirror_maker1" else "FERRY_KAFKA_LIBS"
        made |= {
            "java": places["FERRY_JAVA"],
            "kafka_libs": places[libs],
            "host_folder": places["FERRY_HOST_FOLDER"],
            "jvm_options": " ".join(JVM_OPTIONS),
        }
    if engine == "mirror_maker2_standalone":
        made["rest_port"] = port
    return made


class Engines:
    """Fills the source of a running stack once, then times one copy after the other."""

    def __init__(self, stack: Stack, count: int, port: int, say: Callable[[str], None]) -> None:
        self._stack, self._count, self._port, self._say = stack, count, port, say
        self._places = stack.variables()
        self.busy: list[float] = []  # cores that others kept busy before each run

    def fill(self) -> None:
        """Write the source topic."""
        config = {"compression.type": "lz4", "segment.bytes": str(4 * 2**20)}  # as in the profiles' bench
        made = lambda: records.records(self._count, PARTITIONS, VALUE_BYTES)  # noqa: E731 - TopicSpec wants a callable
        spec = TopicSpec(TOPIC, PARTITIONS, config, self._count, self._count, made)
        source = Loader(self._stack.source_bootstrap)
        source.create([spec])
        source.fill(spec)
        # A young cluster makes its topic of group offsets when one is first asked for, which is no engine's start-up.
        reader = Consumer({"bootstrap.servers": self._stack.source_bootstrap, "group.id": "bench-warm-up"})
        patiently(lambda: reader.committed([TopicPartition(TOPIC, 0)], timeout=60))
        reader.close()
        self._say(f"{self._count} records written")

    def time(self, names: Sequence[str], runs: int) -> list[list[EngineCopy]]:
        """Interleaved: each run has every engine once, each time another one first."""
        for number, name in enumerate(names):  # compiles the hot code of brokers and worker; not counted
            self._say(f"warm-up: {self.copy(name, f'warm-{number}')}")
        result = []
        for run in range(runs):
            self.busy.append(machine.await_quiet(60, self._say))
            copies = []
            for name in figures.rotated(names, run):
                copies.append(self.copy(name, f"r{run}-{names.index(name)}"))
                self._say(f"run {run + 1}: {copies[-1]}")
            result.append(copies)
        return result

    def copy(self, name: str, label: str) -> EngineCopy:
        """One migration under a name of its own: topics made, engine deployed, all copied, all removed again."""
        # Late: Airflow reads its settings when it is imported, and ``run`` sets them first.
        from kafka_ferry.jobs.migration.engines.registry import engine_of
        from kafka_ferry.jobs.migration.live.migration import Migration
        from kafka_ferry.jobs.migration.live.removal import remove
        from kafka_ferry.jobs.migration.rules.specs import spec_of

        spec = spec_of(name).from_params(params(name, label, self._places, self._port))
        migration = Migration("bench", spec)
        self._provision(migration)
        try:
            return self._timed(name, spec.target_topic(TOPIC), engine_of(migration))
        finally:
            remove(migration)
            migration.target.admin.delete_topics([spec.target_topic(TOPIC)])
            time.sleep(2)  # what the removal still costs is not the next one's

    def _provision(self, migration: Migration) -> None:
        from kafka_ferry.jobs.migration.rules.provision import desired_topics

        desired = desired_topics(migration.spec, migration.topics.topics.values())
        migration.target.admin.create_topics(desired)
        migration.target.admin.wait_until_usable([(t.name, p) for t in desired for p in range(t.partitions)], 60)

    def _timed(self, name: str, topic: str, engine: Engine) -> EngineCopy:
        # A client of its own: one that lives on can stay blind to topics that were deleted.
        target, spec = Loader(self._stack.target_bootstrap), TopicSpec(topic, PARTITIONS)
        began, worker = time.monotonic(), machine.cpu_seconds(self._stack.worker.pid)
        with _in_background(engine.deploy) as deployed:  # records may move before deploy() has returned
            seen, first = self._until(lambda: sum(target.end_offsets(spec).values()), 1, began, deployed)
            held, last = self._until(lambda: sum(target.end_offsets(spec).values()), self._count, began, deployed)
        if held > self._count:
            raise EngineBenchError(f"{name}: {topic} holds {held} records instead of {self._count}")
        deployed.result()
        reader = engine.progress()
        _, proven = self._until(lambda: _copied(reader.next_offsets()), self._count, began, deployed)
        return EngineCopy(name, first, seen, last, proven, self._cpu(engine) - (0 if name in ON_HOSTS else worker))

    def _cpu(self, engine: Engine) -> float:
        """Seconds of CPU that what runs the engine has used so far: its own processes, or the Connect worker."""
        from kafka_ferry.jobs.migration.engines.host_engine import HostEngine

        own = [process.state().pid for process in engine.processes] if isinstance(engine, HostEngine) else []
        return sum(machine.cpu_seconds(pid) for pid in own or [self._stack.worker.pid])

    def _until(self, ask: Callable[[], int], wanted: int, began: float, deployed: Future[None]) -> tuple[int, float]:
        """What was answered that was enough, and the seconds since ``began``."""
        while (found := ask()) < wanted:
            if deployed.done():
                deployed.result()  # raises what kept it from being deployed
            if time.monotonic() - began > TIMEOUT_S:
                raise EngineBenchError(f"{found} of {wanted} after {TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)
        return found, time.monotonic() - began


def _copied(offsets: Any) -> int:
    return sum(offset for (topic, _), offset in offsets.items() if topic == TOPIC)


@contextmanager
def _in_background(work: Callable[[], None]) -> Iterator[Future[None]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def run(
    make_stack: Callable[[], Stack], names: Sequence[str], count: int, runs: int, say: Callable[[str], None]
) -> str:
    """Stack up, measure, stack down; the Markdown to print."""
    setattr(service, "JVM_OPTIONS", JVM_OPTIONS)  # noqa: B010 - of this process only
    if "mirror_maker1" in names:
        jars.resolve_mm1(jars.cache_folder(PROJECT), find_java(say), say)
    stack = make_stack()
    try:
        stack.up()
        os.environ.update(stack.variables())  # connections, and an Airflow home of the stack's own
        os.environ[MARK] = stack.service("source").state.mark("hosts")  # so the stack's end is the engines' too
        with PortLease() as lease:
            bench = Engines(stack, count, lease.take(), say)
            bench.fill()
            made = bench.time(names, runs)
    finally:
        stack.down(purge=True)
    return "\n\n".join(
        [
            f"{machine.describe()}. {count} records of {VALUE_BYTES} B, {PARTITIONS} partitions, tasks_max {TASKS}, "
            f"n = {runs} interleaved; cores that others kept busy before each run: {figures.spread(bench.busy)}.",
            figures.engine_table(made, count, VALUE_BYTES),
        ]
    )
