"""Artifacts on a disk that is full, or read-only, from stage to stage: each says so, and none does half its work."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.exceptions import FerryError, TransientError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.kafka.admin import KafkaAdmin
from kafka_ferry.jobs.migration.tasks.converge import ConvergenceSensor
from kafka_ferry.jobs.migration.tasks.fingerprints import FingerprintOperator, ShardsOperator
from kafka_ferry.jobs.migration.tasks.groups import TranslateGroupsOperator
from kafka_ferry.jobs.migration.tasks.validate import ValidateOperator
from kafka_ferry.report.artifacts import GROUPS, PROGRESS, ArtifactsUnwritable
from run_by_hand import Run
from stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("connections")]


class Disk:
    """A file system of 2 MB in memory, where the artifacts are."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"

    def mount(self) -> bool:
        self.folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def full(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def heal(self) -> None:
        subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk(tmp_path / "artifacts")
    if not disk.mount():
        pytest.skip("mounting a file system needs root")
    monkeypatch.setenv("FERRY_ARTIFACTS", str(disk.folder))
    yield disk
    disk.unmount()


WORDS = {
    "full": r"cannot (be written|create .*|write .*): No space left on device\. Fix: make room there",
    "read_only": r"cannot (be written|create .*|write .*): Read-only file system\. "
    r"Fix: let the user of Airflow's processes write there",
}


@pytest.mark.parametrize("fault", ["full", "read_only"])
def test_each_stage_says_so_and_its_retry_works(
    disk: Disk, fault: str, stack: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic, group = f"{topic_prefix}orders", f"{topic_prefix}g"
    make_topics(stack.source_bootstrap, topic)
    produce(stack.source_bootstrap, topic, 1_000)
    source, target = (KafkaAdmin(stack.client_settings(side), side) for side in ("source", "target"))
    source.commit({group: {(topic, 0): 400}})
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[group], migration=f"{topic_prefix}m")
    connect = ConnectHook("kafka_connect")

    def fails(work: Callable[[], Any]) -> None:
        getattr(disk, fault)()
        try:
            with pytest.raises(FerryError, match=WORDS[fault]) as caught:
                work()
        finally:
            disk.heal()
        assert isinstance(caught.value, TransientError), "a retry may find room"

    def both(work: Callable[[], Any], nothing: Callable[[], bool] = lambda: True) -> Any:
        fails(work)
        assert nothing(), "it began"
        return work()

    def ours() -> list[str]:
        return [name for name in connect.connectors() if topic_prefix in name]

    both(run.plan, lambda: not disk.folder.joinpath("mirror_maker2_on_connect", run.run_id, "plan.json").exists())
    both(run.provision, lambda: target.topic_ids([topic]) == {})
    both(run.deploy, lambda: ours() == [])
    both(run.wait_until_running)
    both(lambda: run.do(ConvergenceSensor, "wait_until_converged"))
    (shard,) = both(lambda: run.do(ShardsOperator, "shards"))
    both(lambda: run.do(FingerprintOperator, "fingerprint", shard=shard))
    # MirrorMaker 2's own checkpoints commit too, so what the group has on the target says nothing of the task.
    both(
        lambda: run.do(TranslateGroupsOperator, "translate_groups"),
        lambda: run.artifacts.read_json(GROUPS) is None,
    )
    both(lambda: run.do(ValidateOperator, "validate"))
    assert ours() != []
    fails(run.remove)
    assert (ours(), run.leftovers()) == ([], []), "a teardown takes away what it can, and says that it was not noted"
    run.remove()
    fails(run.report)
    report = run.report()
    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
    assert report["failures"] == []
    assert target.committed([group])[group] == {(topic, 0): 400}


def test_a_disk_that_is_full_during_the_copy_alone_costs_lines_of_progress(
    disk: Disk, stack: Stack, topic_prefix: str, make_topics: Any, produce: Any
) -> None:
    topic = f"{topic_prefix}orders"
    make_topics(stack.source_bootstrap, topic)
    produce(stack.source_bootstrap, topic, 1_000)
    run = Run("mirror_maker2_on_connect", topics=[topic], groups=[], migration=f"{topic_prefix}m")
    connect, source = ConnectHook("kafka_connect"), f"mirror_maker2_on_connect.{topic_prefix}m.MirrorSourceConnector"
    run.plan()
    run.provision()
    try:
        run.deploy()
        run.wait_until_running()
        connect.pause(source)
        produce(stack.source_bootstrap, topic, 1_000)
        ended = threading.Event()

        def fill_and_go_on() -> None:
            while not run.artifacts.read_lines(PROGRESS) and not ended.wait(0.1):
                pass
            disk.full()
            time.sleep(3)
            connect.resume(source)

        thread = threading.Thread(target=fill_and_go_on)
        thread.start()
        try:
            with pytest.raises(ArtifactsUnwritable, match=WORDS["full"]):
                # Nothing but its end could not be noted: the copy is there, and the retry sees it at once.
                run.do(ConvergenceSensor, "wait_until_converged")
        finally:
            ended.set()
            thread.join()
            disk.heal()
        run.prove()
    finally:
        run.remove()
    report = run.report()
    assert report["verdict"] == "PASS", [one for one in report["checks"] if one["status"] == "fail"]
