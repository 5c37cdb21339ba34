"""A bucket that others write to, and runs beside each other: what is needed stays, what lies is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import true_manifests
from kafka_ferry.core.signature import Signer
from kafka_ferry.exceptions import TransientError
from kafka_ferry.hooks.objects.folder_store import FolderStore
from kafka_ferry.jobs.backup.rules.layout import journal_prefix, manifest_key, segment_key, sink_prefix
from kafka_ferry.jobs.backup.rules.manifest import DamagedManifest, Manifest, Segment, State
from kafka_ferry.jobs.backup.rules.ranges import IncompleteBackup
from kafka_ferry.jobs.backup.store.catalogue import Catalogue
from kafka_ferry.jobs.backup.store.journal import Journal
from kafka_ferry.jobs.backup.store.known import KnownCatalogue
from kafka_ferry.jobs.backup.store.transfer import transfer

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DONE = "2026-11-21T03:00:00+00:00"


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(FolderStore(tmp_path / "store"), "b")


def unfinished(backup_id: str, *segments: Segment, **about: Any) -> Manifest:
    """As ``freeze`` writes it: ranges, and no segments yet."""
    made = true_manifests.manifest(backup_id, *segments, state=State.IN_PROGRESS, **about)
    made.topics[0].partitions[0].segments = []
    return made


def begin(catalogue: Catalogue, manifest: Manifest, *segments: Segment) -> None:
    catalogue.write(manifest)
    journal = Journal(catalogue.store, "b", manifest.backup_id)
    for segment in segments:
        journal.note(("t", 0), segment)
    journal.flush()


def test_what_an_unfinished_backup_has_noted_is_not_pruned_with_another(catalogue: Catalogue):
    segment = true_manifests.stored(catalogue.store, 0, [b"v"] * 10)
    catalogue.write(true_manifests.manifest("1", segment))
    catalogue.write(true_manifests.manifest("2", true_manifests.stored(catalogue.store, 0, [b"w"] * 10),
                                            created="2026-11-23T02:00:00+00:00"))  # fmt: skip
    now_at_work = unfinished("3", segment, created="2026-11-27T02:00:00+00:00")
    begin(catalogue, now_at_work, segment)

    pruning = catalogue.pruning(1, None, NOW)
    assert (pruning.delete, pruning.keys) == (("1",), frozenset())
    catalogue.delete(pruning)
    assert catalogue.finish(now_at_work, DONE).totals.records == 10
    assert catalogue.store.size(str(segment.key)) == segment.size


@pytest.mark.parametrize("suffix", [".avro", ".jsonl.gz", ".parquet"])
def test_what_the_sink_connector_wrote_since_its_last_manifest_is_no_orphan(catalogue: Catalogue, suffix: str):
    place = "b", "t", true_manifests.TOPIC_ID, 0
    noted, forgotten = (segment_key(*place, begin, "", suffix) for begin in (10, 20))
    for key in (noted, forgotten):
        catalogue.store.put(key, b"x")
    note = noted.replace("b/data/", sink_prefix("b")).replace(suffix, ".json")
    catalogue.store.put(note, b"{}")
    catalogue.store.put(sink_prefix("b") + "README", b"not a note")
    assert catalogue.orphans() == {forgotten: 1}
    catalogue.delete_objects([noted, forgotten])
    assert (catalogue.store.size(noted), catalogue.store.size(forgotten)) == (1, None)


def test_one_that_notes_an_object_while_another_run_prunes_keeps_it(catalogue: Catalogue):
    segment = true_manifests.stored(catalogue.store, 0, [b"v"] * 10)
    catalogue.write(true_manifests.manifest("1", segment))
    later = true_manifests.stored(catalogue.store, 0, [b"w"] * 20)
    catalogue.write(true_manifests.manifest("2", later, created="2026-11-23T02:00:00+00:00"))
    pruning = catalogue.pruning(1, None, NOW)
    assert pruning.keys == {segment.key}
    begin(catalogue, unfinished("3", segment), segment)  # between the look and the deletion
    catalogue.delete(pruning)
    assert catalogue.store.size(str(segment.key)) == segment.size


@pytest.mark.parametrize("fault", ["gone", "cut"])
def test_complete_is_not_said_while_an_object_is_missing_and_the_retry_copies_it_again(
    catalogue: Catalogue, fault: str
):
    first, second = (true_manifests.stored(catalogue.store, at, [b"v"] * 10) for at in (0, 10))
    manifest = unfinished("1", first, second)
    begin(catalogue, manifest, first, second)
    assert catalogue.ranges_left(manifest) == []
    key = str(second.key)
    data = catalogue.store.get(key)
    catalogue.store.delete([key]) if fault == "gone" else catalogue.store.put(key, data[:-1])

    with pytest.raises(
        IncompleteBackup, match=f"exported up to offset 10.*no longer exist, or have another size.*{key}"
    ):
        catalogue.finish(manifest, DONE)
    assert catalogue.complete() == {}
    (left,) = catalogue.ranges_left(manifest)
    assert (left.begin, left.end) == (10, 20)

    catalogue.store.put(key, data)
    assert catalogue.finish(manifest, DONE).state is State.COMPLETE


def test_many_objects_are_asked_for_by_one_listing(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kafka_ferry.jobs.backup.store.presence._FEW", 1)
    segments = [true_manifests.stored(catalogue.store, at, [b"v"] * 10) for at in (0, 10)]
    manifest = unfinished("1", *segments)
    begin(catalogue, manifest, *segments)
    catalogue.store.delete([str(segments[0].key)])
    with pytest.raises(IncompleteBackup, match="exported up to offset 0"):
        catalogue.finish(manifest, DONE)


def test_a_backup_that_is_finished_while_pruning_looks_is_seen(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    """Its journal is gone by then, and the manifest that was read before knows no objects."""
    segment = true_manifests.stored(catalogue.store, 0, [b"v"] * 10)
    catalogue.write(true_manifests.manifest("1", segment))
    working = unfinished("3", segment, created="2026-11-27T02:00:00+00:00")
    begin(catalogue, working, segment)
    real = catalogue.manifests

    def seen_before() -> Any:
        found = real()
        if list(catalogue.store.list(journal_prefix("b", "3"))):
            Catalogue(catalogue.store, "b").finish(working, DONE)
        return found

    monkeypatch.setattr(catalogue, "manifests", seen_before)
    pruning = catalogue.pruning(1, None, NOW)
    assert (pruning.delete, pruning.keys) == (("1",), frozenset())


HOSTILE = [
    {"key": "../../dags/evil.py"},
    {"key": "other/data/t/x/000000/0-0.parquet"},
    {"records": 3},
    {"begin": -1},
    {"fingerprint": None},
    {"size": 2**60},
]


@pytest.mark.parametrize("claim", HOSTILE)
def test_a_journal_that_names_what_is_not_its_own_is_refused_by_name(catalogue: Catalogue, claim: dict[str, Any]):
    segment = true_manifests.stored(catalogue.store, 0, [b"v"] * 10)
    manifest = unfinished("1", segment)
    begin(catalogue, manifest, segment.model_copy(update=claim))
    for ask in (catalogue.ranges_left, lambda one: catalogue.finish(one, DONE), lambda _: catalogue.orphans(),
                lambda _: catalogue.pruning(1, None, NOW)):  # fmt: skip
        with pytest.raises(DamagedManifest, match=r"^b/journal/1/.*json: refused.*t-0 offsets"):
            ask(manifest)
    assert catalogue.complete() == {}


@pytest.mark.parametrize(
    "piece", [b"", b"{}", b"7", b"[7]", b"[" * 99_999, b'[{"topic": "u", "partition": 0, "segment": {}}]',
              b'[{"a": 1}]', b'[{"topic": "t", "partition": [], "segment": {"begin": 0, "end": 1}}]']
)  # fmt: skip
def test_a_piece_of_a_journal_that_is_none_is_named(catalogue: Catalogue, piece: bytes):
    manifest = unfinished("1", true_manifests.segment(0, 5))
    catalogue.write(manifest)
    catalogue.store.put(f"{journal_prefix('b', '1')}x.json", piece)
    with pytest.raises(DamagedManifest, match=r"^b/journal/1/x.json: "):
        catalogue.ranges_left(manifest)


def test_nothing_outside_is_deleted_or_copied_for_a_manifest_that_asks_for_it(catalogue: Catalogue, tmp_path: Path):
    victim = tmp_path / "victim.py"
    victim.write_text("mine")
    catalogue.store.put("other/data/t/x/000000/0-0.parquet", b"theirs")
    for number, key in enumerate(("../victim.py", str(victim), "other/data/t/x/000000/0-0.parquet"), start=1):
        segment = true_manifests.segment(0, 5, b"mine").model_copy(update={"key": key})
        catalogue.store.put(manifest_key("b", str(number)), true_manifests.manifest(str(number), segment).to_bytes())
    catalogue.write(true_manifests.manifest("9", true_manifests.stored(catalogue.store, 0, [b"v"] * 3)))

    manifests, refused = catalogue.manifests()
    assert list(manifests) == ["9"]
    assert [text.partition(": ")[0] for text in refused] == [f"b/manifests/{n}.json" for n in (1, 2, 3)]
    assert len(catalogue.oddities()) == 3
    with pytest.raises(DamagedManifest, match="nothing is pruned"):
        catalogue.pruning(1, None, NOW)
    with pytest.raises(IncompleteBackup, match=r"Not read: b/manifests/1.json: refused"):
        catalogue.chain("1")
    assert victim.read_text() == "mine"
    assert catalogue.store.get("other/data/t/x/000000/0-0.parquet") == b"theirs"


def test_names_among_the_manifests_that_are_none_are_named_and_stop_nobody(catalogue: Catalogue, tmp_path: Path):
    catalogue.write(true_manifests.manifest("1", true_manifests.segment(0, 5)))
    catalogue.store.put("b/manifests/deep/2.json", b"{}")
    (tmp_path / "store/b/manifests/back\\slash.json").write_text("{}")
    with (tmp_path / "store/b/manifests/large.json").open("wb") as file:
        file.truncate(2**33)
    for one in (catalogue, KnownCatalogue(catalogue.store, "b")):
        manifests, refused = one.manifests()
        assert list(manifests) == ["1"]
        assert sorted(text.split("'")[1].rpartition("/")[2] for text in refused) == [
            "2.json", "back\\\\slash.json", "large.json"
        ]  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"verdict": 1}', b"[" * 9999, b"\xff"])
def test_a_verdict_that_is_none_is_left_out(catalogue: Catalogue, data: bytes):
    catalogue.note_verdict("1", "content", "PASS", "now")
    catalogue.store.put("b/verdicts/2.json", data)
    assert catalogue.verdicts().keys() == {"1"}


def test_with_a_key_all_that_is_written_is_signed_and_what_is_not_is_refused(tmp_path: Path):
    mine = Catalogue(FolderStore(tmp_path, Signer("k" * 32)), "b")
    plain = Catalogue(FolderStore(tmp_path), "b")
    segment = true_manifests.stored(mine.store, 0, [b"v"] * 10)
    manifest = unfinished("1", segment)
    begin(mine, manifest, segment)
    assert mine.finish(manifest, DONE).state is State.COMPLETE
    assert list(mine.complete()) == list(plain.complete()) == ["1"], "who has no key reads it all the same"

    plain.write(true_manifests.manifest("2", segment))
    assert list(mine.complete()) == ["1"]
    with pytest.raises(DamagedManifest, match=r"b/manifests/2.json: refused, it is not signed"):
        mine.read("2")
    with pytest.raises(DamagedManifest, match=r"nothing is pruned.*2.json: refused, it is not signed"):
        mine.pruning(1, None, NOW)
    with pytest.raises(IncompleteBackup, match=r"Not read: b/manifests/2.json: refused, it is not signed"):
        mine.chain("2")
    mine.store.delete([manifest_key("b", "2")])

    begin(mine, unfinished("3", segment))
    begin(plain, unfinished("4", segment), segment)
    mine.write(unfinished("4", segment))
    with pytest.raises(DamagedManifest, match=r"b/journal/4/.*: refused, it is not signed"):
        mine.ranges_left(unfinished("4", segment))
    name = next(iter(plain.store.list(journal_prefix("b", "4")))).key
    piece = json.loads(plain.store.get(name))
    signed = {"signature": Signer("k" * 32).sign(journal_prefix("b", "3"), piece), "segments": piece}
    plain.store.put(name, json.dumps(signed).encode())
    with pytest.raises(DamagedManifest, match="refused, it was altered"):  # signed for another backup
        mine.ranges_left(unfinished("4", segment))


def test_a_copy_keeps_the_signature_and_is_not_declared_while_another_run_prunes_there(tmp_path: Path):
    mine = Catalogue(FolderStore(tmp_path / "near", Signer("k" * 32)), "b")
    segment = true_manifests.stored(mine.store, 0, [b"v"] * 10)
    mine.write(true_manifests.manifest("1", segment))

    class Pruned(FolderStore):
        """Where an object that was there goes as soon as it was looked at."""

        def size(self, key: str) -> int | None:
            found = super().size(key)
            self.delete([key])
            return found

    far = Pruned(tmp_path / "far")
    far.put(str(segment.key), mine.store.get(str(segment.key)))
    with pytest.raises(TransientError, match=f"another run is pruning there; missing: {segment.key}"):
        transfer(mine.store, far, mine.chain())
    assert [one.key for one in far.list("b/manifests/")] == []

    calm = FolderStore(tmp_path / "far", Signer("k" * 32))
    assert transfer(FolderStore(tmp_path / "near"), calm, mine.chain()).objects == 1
    assert list(Catalogue(calm, "b").complete()) == ["1"]


def test_a_name_that_is_not_there_is_told_with_its_param_the_place_and_what_is_like_it(catalogue: Catalogue):
    store = catalogue.store
    catalogue.write(true_manifests.manifest("1", true_manifests.stored(store, 0, [b"v"])))
    store.put("nightly/manifests/x.json", b"")

    with pytest.raises(IncompleteBackup) as raised:
        Catalogue(store, "nihgtly").chain()
    assert str(raised.value) == (
        f"param 'backup': there is no backup 'nihgtly' in {store.location}; did you mean nightly? "
        "Fix: correct backup or location; available: b, nightly"
    )
    with pytest.raises(IncompleteBackup, match=r"param 'export': there is no export 'nope' in file://.*\. Fix: "):
        Catalogue(store, "nope", "export").chain()
    with pytest.raises(IncompleteBackup, match="available: none"):
        Catalogue(FolderStore(Path("/nowhere/at/all")), "nope").chain()


def test_an_id_that_is_not_there_is_told_with_the_newest(catalogue: Catalogue):
    catalogue.write(unfinished("20261123T020000Z"))
    with pytest.raises(
        IncompleteBackup,
        match=r"param 'backup'.* has only backups that are not COMPLETE: "
        r"20261123T020000Z",
    ):
        catalogue.chain()
    catalogue.write(true_manifests.manifest("20261122T020000Z", true_manifests.stored(catalogue.store, 0, [b"v"])))
    with pytest.raises(
        IncompleteBackup, match=r"param 'backup_id': .* has no '20261122T020000'; did you mean 2026"
    ) as it:
        catalogue.chain("20261122T020000")
    assert "Fix: one of its ids; the newest: 20261122T020000Z" in str(it.value)
    with pytest.raises(IncompleteBackup, match="which was begun but is not COMPLETE"):
        catalogue.chain("20261123T020000Z")
