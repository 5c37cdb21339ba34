"""Times one copy after the other: MirrorMaker 2 as it comes, and the throughput profiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import requests
from confluent_kafka.admin import AdminClient

from bench import figures, machine, records
from bench.figures import Copy
from demo.loader import Loader
from demo.spec import TopicSpec
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import MirrorIntent, configs
from stack import Stack, service

TOPIC, PARTITIONS, TASKS = "bench", 8, 4
STOCK = "stock"
VARIANTS = (STOCK, "lan", "wan", "gentle")
TIMEOUT_S = 600.0
POLL_S = 0.05
# The stack's own JVMs are made for a fast start (first compiler only, 512 MB); these are made to carry data.
JVM_OPTIONS = ("-Xms256m", "-Xmx1g", "-XX:+UseG1GC")
_BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


class BenchError(Exception):
    """A copy did not end, or the cluster does not hold what it should."""


@dataclass(frozen=True)
class Variant:
    """A connector configuration under test; ``name`` is how the table calls it.

    :param extra: keys laid over it; None removes a key.
    """

    name: str
    base: str
    extra: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Variant:
        """``lan``, or ``lan,key=value,key=`` to try further keys; an empty value removes the key."""
        base, *pairs = text.split(",")
        if base not in VARIANTS:
            raise ValueError(f"{base!r} is none of {', '.join(VARIANTS)}")
        extra = [(key, value or None) for key, _, value in (pair.partition("=") for pair in pairs)]
        return cls(text.replace("source.consumer.", "s.c."), base, tuple(extra))

    def config(self, alias: str, source: str, target: str) -> dict[str, str]:
        """The source connector; its target topic is ``<alias>.bench``."""
        made = _stock(alias, source, target) if self.base == STOCK else _ours(self.base, alias, source, target)
        for key, value in self.extra:
            made.pop(key, None)
            if value is not None:
                made[key] = value
        return made


def _stock(alias: str, source: str, target: str) -> dict[str, str]:
    """What MirrorMaker 2 cannot run without here, and byte converters; no producer or consumer key at all."""
    return {
        "connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector",
        "source.cluster.alias": alias,
        "target.cluster.alias": "target",
        "source.cluster.bootstrap.servers": source,
        "target.cluster.bootstrap.servers": target,
        "topics": TOPIC,
        "tasks.max": str(TASKS),
        "key.converter": _BYTES,
        "value.converter": _BYTES,
        "header.converter": _BYTES,
        "replication.factor": "1",
        "offset-syncs.topic.replication.factor": "1",
    }


def _ours(profile: str, alias: str, source: str, target: str) -> dict[str, str]:
    intent = MirrorIntent(
        name=alias,
        source_alias=alias,
        target_alias="target",
        source={"bootstrap.servers": source},
        target={"bootstrap.servers": target},
        topics=[TOPIC],
        topics_exclude=[],
        groups=[],
        groups_exclude=[],
        tasks_max=TASKS,
        throughput=profile,
        isolation_level="read_committed",
        prefix=True,
        replication_factor=1,
    )
    return configs(intent)[intent.source_connector]


class Profiles:
    """Fills the source of a running stack once, then times copies."""

    def __init__(self, stack: Stack, count: int, say: Callable[[str], None]) -> None:
        self._stack, self._count, self._say = stack, count, say
        self._source, self._target = Loader(stack.source_bootstrap), Loader(stack.target_bootstrap)
        self.busy: list[float] = []  # cores that others kept busy before each run
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy stands between us and 127.0.0.1

    def fill(self) -> int:
        """Write the source topic; the bytes of its values."""
        made = lambda: records.records(self._count, PARTITIONS)  # noqa: E731 - TopicSpec wants a callable
        # lz4 as a producer would have sent it. Small segments as of a topic that is larger than one: a broker answers
        # at once who reads an old segment, whatever fetch.min.bytes says (DelayedFetch.tryComplete).
        config = {"compression.type": "lz4", "segment.bytes": str(4 * 2**20)}
        spec = TopicSpec(TOPIC, PARTITIONS, config, self._count, self._count, made)
        self._source.create([spec])
        began = time.monotonic()
        self._source.fill(spec)
        self._say(f"{self._count} records written in {time.monotonic() - began:.1f} s")
        return self._count * records.VALUE_BYTES

    def time(self, variants: Sequence[Variant], runs: int) -> list[list[Copy]]:
        """Interleaved: each run has every variant once, each time another one first."""
        for number, variant in enumerate(variants):  # compiles the JVMs' hot code; not counted
            self._say(f"warm-up: {self.copy(variant, f'warm-{number}')}")
        result = []
        for run in range(runs):
            self.busy.append(machine.await_quiet(60, self._say))
            by_name = {variant.name: variant for variant in variants}
            copies = []
            for name in figures.rotated(list(by_name), run):
                copies.append(self.copy(by_name[name], f"r{run}-{list(by_name).index(name)}"))
                self._say(f"run {run + 1}: {copies[-1]}")
            result.append(copies)
        return result

    def copy(self, variant: Variant, label: str) -> Copy:
        """One copy under an alias of its own, and its removal."""
        alias = f"bench-{label}"
        config = variant.config(alias, self._stack.source_bootstrap, self._stack.target_bootstrap)
        url = f"{self._stack.connect_url}/connectors/{alias}"
        pids = [self._stack.worker.pid, self._stack.broker("source").pid, self._stack.broker("target").pid]
        before = [machine.cpu_seconds(pid) for pid in pids]
        began = time.monotonic()
        self._http.put(f"{url}/config", json=config, timeout=60).raise_for_status()
        try:
            first = self._wait(alias, began, 1)
            seconds = self._wait(alias, began, self._count)
            worker, source, target = (machine.cpu_seconds(pid) - used for pid, used in zip(pids, before, strict=True))
        finally:
            self._http.delete(url, timeout=60).raise_for_status()
        self._delete([f"{alias}.{TOPIC}"])
        time.sleep(2)  # what the removal still costs is not the next one's
        return Copy(variant.name, seconds, first, worker, source + target)

    def _wait(self, alias: str, began: float, wanted: int) -> float:
        """Seconds since ``began`` until the target's ends add up to ``wanted``."""
        topic = f"{alias}.{TOPIC}"
        spec = TopicSpec(topic, PARTITIONS)
        while True:
            # A topic that is not there yet has no ends, which is not the same as ends of 0: asked by name first.
            known = topic in self._target.admin.list_topics(timeout=30).topics if wanted == 1 else True
            end = sum(self._target.end_offsets(spec).values()) if known else 0
            passed = time.monotonic() - began
            if end >= wanted:
                if end > self._count:
                    raise BenchError(f"{topic} holds {end} records instead of {self._count}")
                return passed
            if passed > TIMEOUT_S:
                raise BenchError(f"{topic} holds {end} of {wanted} records after {passed:.0f} s")
            time.sleep(POLL_S)

    def _delete(self, topics: list[str]) -> None:
        # A client of its own: one that lives on can stay blind to topics that were deleted.
        admin = AdminClient({"bootstrap.servers": self._stack.target_bootstrap})  # referenced: its futures die with it
        for future in admin.delete_topics(topics).values():
            future.result()


def run(
    make_stack: Callable[[], Stack], variants: Sequence[Variant], count: int, runs: int, say: Callable[[str], None]
) -> str:
    """Stack up, measure, stack down; the Markdown to print."""
    setattr(service, "JVM_OPTIONS", JVM_OPTIONS)  # noqa: B010 - of this process only
    stack = make_stack()
    try:
        stack.up()
        bench = Profiles(stack, count, say)
        size = bench.fill()
        made = bench.time(variants, runs)
    finally:
        stack.down(purge=True)
    return "\n\n".join(
        [
            f"{machine.describe()}. {count} records of {records.VALUE_BYTES} B, {PARTITIONS} partitions, "
            f"{TASKS} tasks, n = {runs} interleaved; "
            f"cores that others kept busy before each run: {figures.spread(bench.busy)}.",
            figures.profile_table(made, size),
        ]
    )
