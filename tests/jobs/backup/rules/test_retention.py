"""Pruning never takes what a kept backup needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, Segment, State, TopicBackup
from kafka_ferry.jobs.backup.rules.retention import prune

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def backup(age: int, parent: int | None = None, state: State = State.COMPLETE, keys: tuple[str, ...] = ()) -> Manifest:
    """One that is ``age`` days old, which is its id too."""
    segments = [Segment(begin=n, end=n + 1, key=key) for n, key in enumerate((f"own-{age}", *keys))]
    part = PartitionBackup(partition=0, begin=0, end=len(segments), segments=segments)
    return Manifest(
        backup="b", backup_id=str(age), mode="full" if parent is None else "incremental",
        parent=None if parent is None else str(parent), state=state, cluster_id="c",
        created=(NOW - timedelta(days=age)).isoformat(),
        topics=[TopicBackup(name="t", topic_id="i", replication_factor=1, partitions=[part])],
    )  # fmt: skip


def test_without_a_limit_everything_stays():
    found = prune([backup(100), backup(1), backup(50, state=State.IN_PROGRESS)], None, None, NOW)
    assert (found.delete, found.keys) == ((), frozenset())


def test_the_last_ones_stay_with_all_they_go_on_from():
    chain = [backup(9), backup(8, 9), backup(5), backup(4, 5), backup(3, 4), backup(2, 3)]
    found = prune(chain, 2, None, NOW)
    assert found.delete == ("8", "9"), "children before their parents"
    assert found.keys == {"own-8", "own-9"}
    assert found.kept["5"].endswith("builds on it")
    assert found.kept["2"] == "the newest"


def test_days_count_from_now_and_the_newest_always_stays():
    assert prune([backup(9), backup(3)], None, 5, NOW).delete == ("9",)
    assert prune([backup(9), backup(8)], None, 5, NOW).delete == ("9",)


def test_either_limit_keeps():
    assert prune([backup(9), backup(8), backup(3), backup(2)], 3, 5, NOW).delete == ("9",)


def test_an_object_that_a_kept_backup_points_to_stays():
    assert prune([backup(9, keys=("shared",)), backup(1, keys=("shared",))], 1, None, NOW).keys == {"own-9"}


def test_what_the_store_has_locked_stays_with_all_it_goes_on_from():
    chain = [backup(9), backup(8, 9), backup(7), backup(6, 7), backup(1)]
    found = prune(chain, 1, None, NOW, locked={"8": "a legal hold", "1": "never asked", "99": "not there"})
    assert (found.delete, found.keys) == (("6", "7"), {"own-6", "own-7"})
    assert (found.kept["8"], found.kept["9"]) == ("locked: a legal hold", "8 builds on it")
    assert found.locked == {"8": "a legal hold"}, "the newest would have stayed anyway"


def test_a_dead_try_goes_and_one_at_work_stays_with_its_parents():
    dead, at_work = backup(6, state=State.IN_PROGRESS), backup(0, 7, state=State.IN_PROGRESS)
    found = prune([backup(8), backup(7), dead, backup(1), at_work], 1, None, NOW)
    assert found.delete == ("6", "8")
