"""Brokers and the object store go away in mid-run: a wrong backup is never COMPLETE, a resumed one is whole."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backup_lab import LOCATION, Backups, child
from kafka_ferry.hooks.objects.s3_connection import store_settings
from kafka_ferry.jobs.backup.rules.manifest import State
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.store.process import store_order
from kafka_ferry.jobs.backup.store.restore import restore_shard
from kafka_ferry.jobs.backup.store.verify import compare_restored
from s3_faults import S3Faults
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

RECORDS, VALUE = 9000, 10_000  # 90 MB: more than librdkafka fetches ahead, so that the broker is needed to the end
DONE = "2026-11-21T12:30:00+00:00"
AWAY = 60.0


@pytest.fixture
def backups(connections, topic_prefix) -> Backups:
    return Backups(topic_prefix)


class Gate:
    """Lets the first objects through and refuses the others until it is opened: nothing can be over before that."""

    def __init__(self, answer: int | str = 503, first: int = 3) -> None:
        self.answer, self.left, self.is_open = answer, first, False

    def __call__(self, method: str, path: str) -> int | str | None:
        if self.is_open or "/data/" not in path:
            return None
        self.left -= 1
        return None if self.left >= 0 else self.answer


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated(breakable_stack, gate) -> Iterator[S3Faults]:
    """The store behind that gate."""
    with S3Faults(breakable_stack.s3.url, gate) as proxy:
        yield proxy


def fill(stack: Stack, topic: str, produce: Callable[..., None]) -> None:
    values = [os.urandom(VALUE) for _ in range(50)]
    produce(stack.source_bootstrap, topic, ({"key": b"%d" % n, "value": values[n % 50]} for n in range(RECORDS)))


def place(proxy: S3Faults) -> dict[str, Any]:
    return store_order(LOCATION, {**store_settings("aws_default"), "endpoint_url": proxy.url})


def patient(proxy: S3Faults) -> dict[str, Any]:
    """With time to spare: on a busy machine the gate alone may be closed for long."""
    return {**place(proxy), "patience": 600}


def until(what: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, "it ended too soon"
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_source_broker_that_restarts_in_mid_export_costs_time_only(
    backups, breakable_stack, gate, gated, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(breakable_stack.source_bootstrap, f"{topic_prefix}long")
    fill(breakable_stack, topic, produce)
    manifest = backups.begin("b01")
    process = child(backups.order(manifest, place(gated), segment_bytes=2_000_000))
    until(lambda: gate.left < 0, process)

    breakable_stack.broker("source").kill9()
    gate.is_open = True
    with pytest.raises(IncompleteBackup):
        backups.catalogue.finish(manifest, DONE)
    assert backups.catalogue.complete() == {}
    assert process.poll() is None, "it needs the broker for the rest"
    breakable_stack.broker("source").restart()
    process.wait(240)

    done = backups.export(manifest)  # should it have given up meanwhile, as it may: the next try goes on
    assert done.totals.records == RECORDS
    assert backups.hashes(done.topics) == backups.live(done.topics)


def test_a_target_broker_that_restarts_in_mid_restore_neither_loses_nor_repeats(
    backups, breakable_stack, gate, gated, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(breakable_stack.source_bootstrap, f"{topic_prefix}back")
    fill(breakable_stack, topic, produce)
    backups.export(backups.begin("b01"), segment_bytes=2_000_000)
    restore_run, memory = backups.restore_run(), {}
    restore_run.provision(memory)
    ranges = restore_run.ranges()
    process = child(
        {
            "kind": "restore",
            "config": restore_run.config,
            "store": place(gated),
            "ranges": [one.to_json() for one in ranges],
        }
    )

    def there() -> int:
        return sum(restore_run.admin.offsets([(topic, 0)], "latest", "read_uncommitted").values())

    until(lambda: there() > 0 and gate.left < 0, process)
    breakable_stack.broker("target").kill9()
    gate.is_open = True
    assert process.poll() is None, "most is still to be written"
    breakable_stack.broker("target").restart()
    process.wait(240)

    again = backups.restore_run()  # should it have given up meanwhile, as it may: the next try goes on
    again.provision(memory)
    restore_shard(again.config, again.store, again.ranges())
    (line,) = compare_restored(again.config, again.store, again.ranges())
    assert (line.detail, line.expected, line.actual) == ("", RECORDS, RECORDS)
    again.release(memory)


def test_a_store_that_is_away_for_a_while_and_comes_back_leaves_a_whole_backup(
    backups, breakable_stack, gate, gated, topic_prefix, make_topics, produce
):
    (topic,) = make_topics(breakable_stack.source_bootstrap, f"{topic_prefix}away")
    fill(breakable_stack, topic, produce)
    manifest = backups.begin("b01")
    gate.answer = "cut"
    process = child(backups.order(manifest, place(gated), segment_bytes=2_000_000))
    until(lambda: gated.faults > 5, process)
    assert backups.catalogue.complete() == {}
    with pytest.raises(IncompleteBackup):
        backups.catalogue.finish(manifest, DONE)
    gate.is_open = True
    process.wait(240)
    assert process.returncode == 0
    assert backups.catalogue.ranges_left(manifest) == [], "it came through by itself"
    done = backups.catalogue.finish(manifest, DONE)
    assert done.totals.records == RECORDS
    assert backups.hashes(done.topics) == backups.live(done.topics)


@pytest.mark.parametrize("fault", ["ended", "frozen"])
def test_a_real_store_that_is_away_for_a_minute_in_mid_run_loses_and_mixes_nothing(
    fault, breakable_stack, connections, topic_prefix, make_topics, produce
):
    """The S3 server itself, ended or frozen with its connections open, under a backup and a restore at work."""
    leaving, coming = Backups(f"{topic_prefix}out-"), Backups(f"{topic_prefix}back-")
    topics = make_topics(breakable_stack.source_bootstrap, f"{topic_prefix}out-t", f"{topic_prefix}back-t")
    for topic in topics:
        fill(breakable_stack, topic, produce)
    coming.export(coming.begin("b01"), segment_bytes=2_000_000)
    restore_run, memory = coming.restore_run(), {}
    restore_run.provision(memory)
    manifest = leaving.begin("b01")
    url, store = breakable_stack.s3.url, breakable_stack.s3
    gates = Gate(), Gate()
    with S3Faults(url, gates[0]) as out, S3Faults(url, gates[1]) as back:
        backing_up = child(leaving.order(manifest, patient(out), segment_bytes=2_000_000))
        ranges = [one.to_json() for one in restore_run.ranges()]
        restoring = child({"kind": "restore", "config": restore_run.config, "store": patient(back), "ranges": ranges})
        until(lambda: out.faults > 0, backing_up)  # some segments are finished, and no other before the gate is open
        until(lambda: back.faults > 0, restoring)
        with pytest.raises(IncompleteBackup):
            leaving.catalogue.finish(manifest, DONE)
        store.kill9() if fault == "ended" else store.pause()
        for gate in gates:
            gate.is_open = True
        time.sleep(AWAY)
        assert (backing_up.poll(), restoring.poll()) == (None, None)
        store.restart() if fault == "ended" else store.resume()
        backing_up.wait(240)
        restoring.wait(240)
    assert (backing_up.returncode, restoring.returncode) == (0, 0), "they came through by themselves"
    assert leaving.catalogue.complete() == {}, "an export alone declares nothing"

    done = leaving.catalogue.finish(manifest, DONE)
    assert (done.totals.records, done.state) == (RECORDS, State.COMPLETE)
    assert leaving.hashes(done.topics) == leaving.live(done.topics)
    (line,) = compare_restored(restore_run.config, restore_run.store, restore_run.ranges())
    assert (line.detail, line.expected, line.actual) == ("", RECORDS, RECORDS)
    restore_run.release(memory)
