"""The schemas of a backup: in an object that backups share, never without it, read again by a verification."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import true_manifests
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.schemas import Reference, Schema, SubjectVersion
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.jobs.backup.rules import schemas as rules
from kafka_ferry.jobs.backup.rules.manifest import Manifest, SchemasPart, State
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.rules.schemas import pack
from kafka_ferry.jobs.backup.rules.spec import BackupSpec, VerifySpec
from kafka_ferry.jobs.backup.store import freeze
from kafka_ferry.jobs.backup.store.around import Around
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.schemas import check_schemas, keep_schemas
from kafka_ferry.jobs.backup.store.transfer import transfer
from kafka_ferry.jobs.backup.store.verify_job import VerifyJob, judge
from kafka_ferry.jobs.registry.rules.state import RegistryState
from kafka_ferry.records.damage import DamagedSegment

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def catalogue(store: FolderStore) -> Catalogue:
    return Catalogue(store, "b")


def state(*versions: SubjectVersion) -> RegistryState:
    return RegistryState({one.place: one for one in versions}, frozenset(one.subject for one in versions))


def version(subject: str, number: int = 1, refers_to: tuple[str, int] | None = None) -> SubjectVersion:
    refs = (Reference("r", *refers_to),) if refers_to else ()
    return SubjectVersion(subject, number, number, Schema(f'"{subject}"', "AVRO", refs))


ONE = state(version("a"), version("c", refers_to=("a", 1)))


def backup(catalogue: Catalogue, number: int, content: RegistryState | None = ONE, **more: Any) -> Manifest:
    """Written, with its objects."""
    part = None
    if content is not None:
        part, data = pack("b", content)
        keep_schemas(catalogue.store, part, data)
    segment = true_manifests.stored(catalogue.store, number * 10, [b"v"] * 10)
    about = {"created": f"2026-11-{20 + number}T02:00:00+00:00", "schemas": part, **more}
    made = true_manifests.manifest(str(number), segment, **about)
    catalogue.write(made)
    return made


def part_of(manifest: Manifest) -> SchemasPart:
    assert manifest.schemas
    return manifest.schemas


# --- in the store -----------------------------------------------------------------------------------------------------


def test_backups_share_the_object_for_as_long_as_nothing_changes(catalogue: Catalogue) -> None:
    first, second = backup(catalogue, 1), backup(catalogue, 2)
    third = backup(catalogue, 3, state(version("a")))

    assert part_of(first) == part_of(second) != part_of(third)
    pruning = catalogue.pruning(2, None, NOW)
    assert pruning.delete == ("1",)
    catalogue.delete(pruning)
    assert catalogue.store.size(part_of(first).key), "the second backup needs it"
    catalogue.delete(catalogue.pruning(1, None, NOW))
    assert catalogue.store.size(part_of(first).key) is None
    assert catalogue.store.size(part_of(third).key)


def test_a_manifest_without_schemas_has_the_bytes_it_had(catalogue: Catalogue) -> None:
    assert b"schemas" not in backup(catalogue, 1, None).to_bytes()
    read = catalogue.read("1")
    assert read
    assert read.schemas is None
    assert backup(catalogue, 2) == catalogue.read("2")


def test_an_object_of_no_manifest_is_an_orphan(catalogue: Catalogue) -> None:
    backup(catalogue, 1)
    part, data = pack("b", state(version("left")))
    keep_schemas(catalogue.store, part, data)

    assert catalogue.orphans() == {part.key: part.size}


def test_what_is_there_is_not_written_again_unless_it_is_damaged(store: FolderStore) -> None:
    part, data = pack("b", ONE)
    keep_schemas(store, part, data)
    before = store.puts
    keep_schemas(store, part, data)
    assert store.puts == before
    store.put(part.key, bytes(len(data)))
    keep_schemas(store, part, data)
    assert store.get(part.key) == data


def test_a_backup_is_not_complete_without_them(catalogue: Catalogue) -> None:
    made = backup(catalogue, 1)
    catalogue.store.delete([part_of(made).key])

    with pytest.raises(IncompleteBackup, match=r"with the registry's schemas, is not there any more. Fix"):
        catalogue.finish(made, "2026-11-21T03:00:00+00:00")


def test_a_copy_has_them_too_and_brings_nothing_that_is_damaged(catalogue: Catalogue, tmp_path: Path) -> None:
    made, far = backup(catalogue, 1), FolderStore(tmp_path / "far")

    assert transfer(catalogue.store, far, [made]).objects == 2
    assert check_schemas(far, [made], why_none="")[0].status is Status.PASS

    other = backup(catalogue, 2, state(version("other")))
    catalogue.store.put(part_of(other).key, b"x")
    with pytest.raises(DamagedSegment, match="SHA-256"):
        transfer(catalogue.store, far, [other])


# --- verified ---------------------------------------------------------------------------------------------------------


def checked(catalogue: Catalogue) -> Check:
    return check_schemas(catalogue.store, catalogue.complete().values(), why_none="none asked for")[0]


def test_none_asked_for_is_said(catalogue: Catalogue) -> None:
    backup(catalogue, 1, None)
    assert (checked(catalogue).status, checked(catalogue).detail) == (Status.SKIPPED, "none asked for")


def test_every_reference_has_to_resolve_within_the_backup(catalogue: Catalogue) -> None:
    backup(catalogue, 1)
    assert (checked(catalogue).status, checked(catalogue).expected) == (Status.PASS, "2 versions of 2 subjects")
    backup(catalogue, 2, state(version("c", refers_to=("a", 1))))

    check = checked(catalogue)

    assert check.status is Status.EXPLAINED
    assert check.differences == ["c version 1 refers to a version 1, which the registry did not have either"]


def tampered(catalogue: Catalogue, change: Any) -> Manifest:
    """A backup whose object was replaced together with its manifest, as one does who may write to the bucket."""
    part, data = pack("b", ONE)
    data = change(data)
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"b/schemas/{sha256}.json.gz"
    catalogue.store.put(key, data)
    return backup(catalogue, 1, None, schemas=part.model_copy(update={"key": key, "sha256": sha256, "size": len(data)}))


def without_what_is_referred_to(data: bytes) -> bytes:
    content = json.loads(gzip.decompress(data))
    content["versions"] = [one for one in content["versions"] if one["subject"] != "a"]
    return gzip.compress(json.dumps(content).encode())


def with_a_lost_reference(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data).replace(b'"version": 1\n    }', b'"version": 9\n    }'))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_what_is_referred_to, "1 versions of 1 subjects, and by the manifest 2 of 2"),
        (with_a_lost_reference, "refers to a version 9, which is not in the backup"),
        (lambda data: data[:-1], "ends too early"),
        (lambda data: data + b"x", "too late"),
        (lambda _: b"text", "cannot be read as schemas"),
        (lambda _: gzip.compress(b"[1]"), "cannot be read as schemas"),
    ],
)
def test_what_is_not_what_was_written_is_a_fail(catalogue: Catalogue, change: Any, said: str) -> None:
    made = tampered(catalogue, change)

    job = VerifyJob(VerifySpec(backup="b", location=f"file://{catalogue.store.location.removeprefix('file://')}"))
    job.catalogue, job.store = catalogue, catalogue.store
    told = judge(job, [{"objects": 1, "records": 10, "bytes": 10, "damage": []}])

    check = next(one for one in told["checks"] if one["name"] == "registry")
    assert (check["status"], len(check["differences"])) == ("fail", 1)
    assert said in check["differences"][0]
    assert catalogue.verdicts()[made.backup_id]["verdict"] == "FAIL"


def test_an_object_that_unpacks_without_end_is_refused(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "DECODED_BYTES", 1000)
    monkeypatch.setattr("kafka_ferry.jobs.backup.rules.decoding.DECODED_BYTES", 1000)
    tampered(catalogue, lambda _: gzip.compress(b" " * 100_000))
    assert "would unpack to" in checked(catalogue).differences[0]


@pytest.mark.parametrize(
    "harm", [lambda data: b"x", lambda data: bytes(len(data)), lambda data: data + b"longer", None]
)
def test_damage_in_the_bucket_is_named(catalogue: Catalogue, harm: Any) -> None:
    part = part_of(backup(catalogue, 1))
    if harm is None:
        catalogue.store.delete([part.key])
    else:
        catalogue.store.put(part.key, harm(catalogue.store.get(part.key)))

    check, damaged = check_schemas(catalogue.store, catalogue.complete().values(), why_none="")
    assert (check.status, damaged) == (Status.FAIL, {part.key})
    assert part.key in check.differences[0]


def test_a_registry_is_read_after_the_ends_are_frozen_and_kept_before_the_manifest(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else records of the last moment would have ids that the backup does not know."""
    done: list[str] = []
    made = true_manifests.manifest("5", state=State.IN_PROGRESS)
    part, data = pack("b", ONE)

    def plan(*_: Any) -> Manifest:
        done.append("ends")
        return made

    def look() -> Around:
        done.append("registry")
        return Around(schemas=part, packed=data, notes=["told"])

    monkeypatch.setattr(freeze, "plan_backup", plan)

    def write(one: Manifest) -> None:
        done.append(f"manifest, with its object: {catalogue.store.size(part_of(one).key) == part.size}")

    monkeypatch.setattr(catalogue, "write", write)
    found = freeze.begin_backup(SimpleNamespace(), catalogue, BackupSpec(backup="b"), "5", "now", look)  # type: ignore[arg-type]

    assert done == ["ends", "registry", "manifest, with its object: True"]
    assert (found.schemas, found.notes) == (part, ["told"])
