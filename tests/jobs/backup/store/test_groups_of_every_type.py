"""Backups keep the offsets of streams groups, name share groups, and tell of applications that are there by half."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.finding import Severity
from kafka_ferry.core.group_types import AllGroups, OtherGroup
from kafka_ferry.core.partition import Partition
from kafka_ferry.jobs.backup.rules.manifest import GroupOffset, TopicBackup
from kafka_ferry.jobs.backup.rules.spec import BackupSpec
from kafka_ferry.jobs.backup.store.freeze import _groups
from kafka_ferry.jobs.backup.store.restore_job import _applications

LINES, COUNTS, BY_WORD = "lines", "app-counts-changelog", "app-by-word-repartition"


class FakeAdmin:
    def __init__(self, kind: str = "streams") -> None:
        self.kind = kind

    def all_groups(self) -> AllGroups:
        others = {"s": OtherGroup("share", "Stable"), "c": OtherGroup("connect", "Stable")}
        if self.kind == "streams":
            return AllGroups({"g": "EMPTY"}, {**others, "app": OtherGroup("streams", "Empty")}, {"g": "classic"})
        return AllGroups({"g": "EMPTY", "app": "EMPTY"}, others, {"g": "classic", "app": self.kind})

    def can_name(self, group: str) -> bool:
        return True

    def commits(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        known = {"g": {(LINES, 0): Commit(1)}, "app": {(LINES, 0): Commit(7, "note"), (BY_WORD, 0): Commit(3)}}
        return {group: dict(known[group]) for group in groups}


def kept(topics: set[str], kind: str = "streams", **params: Any) -> Any:
    spec = BackupSpec.from_params({"backup": "b", "location": "s3://b/x", "topics": [".*"], **params})
    return _groups(cast("Any", FakeAdmin(kind)), spec, topics, [LINES, COUNTS, BY_WORD])


def test_a_streams_group_is_kept_and_a_share_group_is_named() -> None:
    groups, left_out, halves = kept({LINES, COUNTS, BY_WORD})
    assert groups == {
        "app": [
            GroupOffset(topic=BY_WORD, partition=0, offset=3),
            GroupOffset(topic=LINES, partition=0, offset=7, metadata="note"),
        ],
        "g": [GroupOffset(topic=LINES, partition=0, offset=1)],
    }  # fmt: skip
    assert left_out.keys() == {"s", "c"}
    assert "its start is not copied (a backup holds committed offsets only)" in left_out["s"]
    assert halves == []


def test_what_is_in_a_backup_by_half_is_a_note() -> None:
    for kind in ("streams", "classic", "consumer"):
        _, _, (note,) = kept({LINES}, kind)
        assert note.startswith(
            "Kafka Streams application app is in this backup by half: not selected of its changelogs"
        )
        _, _, (bare,) = kept({LINES, COUNTS, BY_WORD}, kind, exclude_groups=["app"])
        assert "its group app is not carried" in bare
    assert kept({COUNTS}, groups=[]) == ({}, {}, [])


def restored(names: dict[str, str], groups: list[str], **spec: Any) -> Any:
    topics = [
        TopicBackup(
            name=name, topic_id=name, replication_factor=1, partitions=[],
            configs={"cleanup.policy": "compact"} if name == COUNTS else {},
        )
        for name in (LINES, COUNTS, BY_WORD)
    ]  # fmt: skip
    offsets = {"app": [GroupOffset(topic=topic, partition=0, offset=1) for topic in (LINES, BY_WORD)]}
    run = SimpleNamespace(
        manifest=SimpleNamespace(topics=topics, groups=offsets, groups_left_out={}),
        chosen_groups=lambda: {group: offsets[group] for group in groups},
    )
    job = SimpleNamespace(restore_run=run, names=names, spec=SimpleNamespace(restore_groups=True, **spec))
    return _applications(cast("Any", job))


def test_a_restore_of_half_an_application_is_warned_of() -> None:
    whole = {name: name for name in (LINES, COUNTS, BY_WORD)}
    (advice,) = restored(whole, ["app"])
    assert advice.severity is Severity.ADVISE
    (half,) = restored({COUNTS: COUNTS}, [])
    assert half.severity is Severity.WARN
    assert "its group app is not carried" in half.what
    (renamed,) = restored({**whole, COUNTS: "new-counts-changelog", BY_WORD: "new-by-word-repartition"}, ["app"])
    assert "becomes new-by-word-repartition" in renamed.what
    assert restored({"other": "other"}, []) == []
