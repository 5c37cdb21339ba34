"""One run at a time for a name that runs share, in all DAGs; no lock that outlives its run."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from upath import UPath

from kafka_ferry.exceptions import BadParam, FerryError
from kafka_ferry.hooks.objects import store as object_store
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.hooks.objects.store import StoredObject
from kafka_ferry.jobs.common import claim_store, run_lock
from kafka_ferry.jobs.common.run_lock import SharedName, acquire_lock, other_holder, release_lock

M = SharedName("migration", "m", "alias/cluster-1/m")


@pytest.fixture
def alive() -> set[str]:
    """The runs that Airflow says are queued or running."""
    return set()


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: set[str]) -> Callable[..., Any]:
    """``context(run_id)`` of a task."""
    monkeypatch.setenv("FERRY_ARTIFACTS", str(tmp_path))

    def make(run_id: str, dag_id: str = "preflight") -> Any:
        ti = SimpleNamespace(get_dr_count=lambda dag_id, run_ids, states: len(alive & set(run_ids)))
        return {"dag_run": SimpleNamespace(dag_id=dag_id, run_id=run_id), "ti": ti}

    return make


def test_two_runs_of_one_migration(context: Any, alive: set[str]) -> None:
    first, second = context("first"), context("second")
    alive.update({"first", "second"})
    acquire_lock(first, M)
    acquire_lock(first, M)  # a retry, or a clear
    with pytest.raises(BadParam, match="run 'first' of this DAG is still working on migration 'm'") as caught:
        acquire_lock(second, M)
    assert caught.value.param == "migration"
    acquire_lock(second, SharedName("migration", "another", "alias/cluster-1/another"))
    assert (other_holder(first, M), other_holder(second, M)) == (None, "first")

    alive.discard("first")  # ended, killed or deleted: no lock is left behind
    acquire_lock(second, M)
    alive.add("first")  # cleared later, while the second works
    with pytest.raises(BadParam, match="run 'second'"):
        acquire_lock(first, M)
    assert other_holder(first, M) == "second", "its teardown leaves the second's connectors alone"


def test_a_run_that_goes_on_can_let_a_name_go(context: Any, alive: set[str]) -> None:
    first, second = context("first"), context("second")
    alive.update({"first", "second"})
    release_lock(first, M)  # nobody's: nothing to let go
    acquire_lock(first, M)
    release_lock(second, M)  # another's
    assert other_holder(second, M) == "first"
    release_lock(first, M)
    release_lock(first, M)
    assert (other_holder(first, M), other_holder(second, M)) == (None, None)
    acquire_lock(second, M)
    with pytest.raises(BadParam, match="run 'second'"):
        acquire_lock(first, M)


def test_the_run_of_another_dag_is_refused_by_name(context: Any, alive: set[str]) -> None:
    """Also when it gives the name by another param, as an alias."""
    alive.update({"first", "second"})
    acquire_lock(context("first"), M)
    other = context("second", "mirror_maker2_dedicated")
    same = SharedName("source_alias", "m", M.key, "both would share mm2-offset-syncs.m.internal on kafka_target")
    expected = (
        "param 'source_alias': run 'first' of DAG 'preflight' is still working on source_alias 'm': both would share"
    )
    with pytest.raises(BadParam, match=expected):
        acquire_lock(other, same)
    assert other_holder(other, same) == "first of DAG preflight"
    # A run of the same id in another DAG is another run.
    with pytest.raises(BadParam, match="of DAG 'preflight'"):
        acquire_lock(context("first", "mirror_maker2_dedicated"), M)


def test_names_that_look_alike_are_told_apart(context: Any, alive: set[str]) -> None:
    alive.update({"first", "second"})
    acquire_lock(context("first"), SharedName("backup", "b", "store/s3://a/b+c"))
    acquire_lock(context("second"), SharedName("backup", "b", "store/s3://a/b~c"))


def test_a_claim_that_cannot_be_read_is_nobodys(context: Any, tmp_path: Path, alive: set[str]) -> None:
    alive.update({"first", "second"})
    acquire_lock(context("first"), M)
    (file,) = tmp_path.rglob("*.json")
    file.write_text('{"dag_id": "pre')
    acquire_lock(context("second"), M)
    assert other_holder(context("first"), M) == "second"


def test_old_claims_are_tidied_away(context: Any, tmp_path: Path) -> None:
    for number in range(6):
        acquire_lock(context(f"run-{number}"), M)
    assert len(list(tmp_path.rglob("*.json"))) == 2
    assert [path for path in tmp_path.rglob(".*") if path.is_file()] == [], "nothing half-made is left"


def test_one_that_slept_while_others_came_and_went_gets_nothing(
    context: Any, alive: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw a dead holder; when it wakes two others have had the name, and what it saw is tidied away."""
    for number in range(3):
        acquire_lock(context(f"old-{number}"), M)
    create = FolderStore.create

    def sleepy(self: FolderStore, key: str, data: bytes) -> bool:
        monkeypatch.setattr(FolderStore, "create", create)
        for number in range(3):
            acquire_lock(context(f"meanwhile-{number}"), M)
        alive.add("meanwhile-2")
        return create(self, key, data)

    monkeypatch.setattr(FolderStore, "create", sleepy)
    alive.add("sleepy")
    with pytest.raises(BadParam, match="run 'meanwhile-2'"):
        acquire_lock(context("sleepy"), M)


class SlowDisk(FolderStore):
    """Whatever it is asked takes its time, another time for each process."""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        self.wait()
        found = list(super().list(prefix))
        self.wait()
        yield from found

    def create(self, key: str, data: object_store.Data) -> bool:
        self.wait()
        made = super().create(key, data)
        self.wait()
        return made

    def get(self, key: str) -> bytes:
        self.wait()
        return super().get(key)

    @staticmethod
    def wait() -> None:
        time.sleep(0.2 * (hash((time.time_ns(), multiprocessing.current_process().pid)) % 100) / 100)


def racer(root: str, number: int, start: Any, answers: Any) -> None:
    run_lock.claim_store = lambda: SlowDisk(Path(root))  # type: ignore[assignment]
    ti = SimpleNamespace(get_dr_count=lambda **asked: int(asked["run_ids"] != ["dead"]))
    context = {"dag_run": SimpleNamespace(dag_id=f"dag-{number % 3}", run_id=f"run-{number}"), "ti": ti}
    start.wait()
    try:
        acquire_lock(context, M)
        answers.put((number, "has it"))
    except FerryError as error:
        answers.put((number, str(error)))


@pytest.mark.parametrize("taken_over", [False, True], ids=["new", "from a dead run"])
def test_of_many_processes_that_claim_at_once_on_a_slow_disk_one_has_it(tmp_path: Path, taken_over: bool) -> None:
    if taken_over:
        line = json.dumps({"dag_id": "d", "run_id": "dead"}).encode()
        assert FolderStore(tmp_path).create(f"{M.folder}000000007.json", line)
    many, here = 12, multiprocessing.get_context("fork")
    start, answers = here.Barrier(many), here.Queue()
    racers = [here.Process(target=racer, args=(str(tmp_path), number, start, answers)) for number in range(many)]
    for one in racers:
        one.start()
    found = dict(answers.get(timeout=60) for _ in racers)
    for one in racers:
        one.join()
    (winner,) = [number for number, said in found.items() if said == "has it"]
    refused = [said for number, said in found.items() if number != winner]
    assert all(f"run 'run-{winner}'" in said for said in refused), refused


def test_where_claims_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("kafka_ferry.hooks.objects.s3_connection.store_of", lambda *how: asked.append(how))
    for root in (str(tmp_path), f"file://{tmp_path}/"):
        monkeypatch.setenv("FERRY_ARTIFACTS", root)
        assert claim_store.claim_store().location == f"file://{tmp_path}/_claims"
    for root in ("s3://bucket/a", "s3://minio@bucket/a/"):
        monkeypatch.setenv("FERRY_ARTIFACTS", root)
        claim_store.claim_store()
    assert [how[:2] for how in asked] == [("s3://bucket/a/_claims", "aws_default"), ("s3://bucket/a/_claims", "minio")]


def test_airflows_object_storage_creates_what_is_not_there(monkeypatch: pytest.MonkeyPatch, context: Any) -> None:
    monkeypatch.setenv("FERRY_ARTIFACTS", "memory://claims/x")
    monkeypatch.setattr("airflow.sdk.ObjectStoragePath", UPath)  # Airflow registers no file system in memory
    store = claim_store.claim_store()
    assert (store.create("a/1.json", b"1"), store.create("a/1.json", b"2")) == (True, False)
    assert ([one.key for one in store.list("a/")], store.get("a/1.json")) == (["a/1.json"], b"1")
    store.delete(["a/1.json"])
    assert list(store.list("a/")) == []
    acquire_lock(context("first"), M)
