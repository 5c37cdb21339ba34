"""Which backup came after which: clocks are evidence, not the order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import true_manifests
from kafka_ferry.jobs.backup.rules.data_intervals import as_of, backup_id_of
from kafka_ferry.jobs.backup.rules.manifest import Manifest, PartitionBackup, State, TopicBackup
from kafka_ferry.jobs.backup.rules.order import begun, from_future, ordered
from kafka_ferry.jobs.backup.rules.retention import prune

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FIRST = datetime(2026, 11, 20, 2, tzinfo=UTC)


def night(number: int, end: int | dict[str, int], created: datetime | str | None = None, **about: Any) -> Manifest:
    """The backup of a night; ``end``: how far it came in the only topic, or by topic."""
    tick = FIRST + timedelta(days=number)
    ends = end if isinstance(end, dict) else {"t": end}
    topics = [
        TopicBackup(name=name, topic_id=f"id{name}", replication_factor=1,
                    partitions=[PartitionBackup(partition=0, begin=0, end=own)])
        for name, own in ends.items()
    ]  # fmt: skip
    when = tick + timedelta(minutes=1) if created is None else created
    claims = {"created": when if isinstance(when, str) else when.isoformat(), "topics": topics}
    return true_manifests.manifest(about.pop("backup_id", backup_id_of(tick)), **{**claims, **about})


def ids(manifests: list[Manifest]) -> list[str]:
    return [one.backup_id for one in manifests]


YEARS = timedelta(days=3650)


@pytest.mark.parametrize("wrong", [NOW + YEARS, NOW - YEARS, NOW - timedelta(minutes=1), "1970-01-01", "2036-01-01"])
@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("equal", [False, True])
def test_one_wrong_clock_changes_nothing(wrong: datetime | str, which: int, equal: bool):
    nights = [night(n, 10 if equal else 10 * n, wrong if n == which else None) for n in range(4)]
    right = ids(nights)
    for seed in range(5):
        random.Random(seed).shuffle(nights)
        assert ids(ordered(nights, NOW)) == right
        assert prune(nights, 1, None, NOW).delete == tuple(right[2::-1])


def test_a_wrong_logical_date_is_overtaken_by_offsets():
    """Somebody triggered a run for 2036: by its offsets it is of now."""
    odd = night(3650, 25)
    nights = [night(0, 10), night(1, 20), odd, night(2, 30)]
    assert ids(ordered(reversed(nights), NOW)) == ids(nights)
    assert "from the future: created 2036" in str(from_future(odd, NOW))
    assert "logical date 2036" in str(from_future(odd, NOW))


def test_a_backfill_of_an_old_night_holds_what_is_there_now():
    late = night(-30, 40, created=FIRST + timedelta(days=3, hours=1))
    nights = [night(0, 10), night(1, 20), night(2, 30), late]
    assert ids(ordered(reversed(nights), NOW)) == ids(nights)
    assert prune(nights, 1, None, NOW).kept == {late.backup_id: "the newest"}


def test_two_of_equal_times_are_told_apart_by_what_they_hold():
    at = FIRST.isoformat()
    few, many = night(0, 10, at, backup_id="z"), night(0, 20, at, backup_id="a")
    assert ids(ordered([many, few], NOW)) == ["z", "a"]
    same = [night(0, 10, at, backup_id=name) for name in "cab"]
    assert ids(ordered(same, NOW)) == ["a", "b", "c"], "whatever the order they are listed in"


def test_one_that_says_what_it_follows_is_behind_it_though_a_log_was_cut():
    """After an unclean leader election a log ends before its last backup; a full one is made then."""
    nights = [night(0, 10), night(1, 20), night(2, 5, follows=backup_id_of(FIRST + timedelta(days=1)))]
    child = night(3, 8, parent=nights[2].backup_id, mode="incremental", follows=nights[2].backup_id)
    assert ids(ordered([child, *reversed(nights)], NOW)) == ids([*nights, child])
    before_the_field = [night(0, 10), night(1, 20), night(2, 5)]
    assert ids(ordered(reversed(before_the_field), NOW)) == ids(before_the_field)


def test_clocks_that_are_all_wrong_leave_the_offsets():
    ahead = [night(n, 10 * n, NOW + YEARS - timedelta(days=n), backup_id=f"manual-{9 - n}") for n in range(3)]
    assert ids(ordered(ahead, NOW)) == ["manual-9", "manual-8", "manual-7"]
    assert len([one for one in ahead if from_future(one, NOW)]) == 3
    behind = NOW - YEARS  # ours is behind: all are from the future
    nights = [night(n, 10 * n) for n in range(3)]
    assert ids(ordered(reversed(nights), behind)) == ids(nights)
    assert prune(nights, None, 1, behind).delete == (), "by a clock that is behind, all are young"


def test_topics_of_different_backups_say_nothing_of_each_other():
    nights = [night(0, {"t": 10, "u": 5}), night(1, {"u": 6}), night(2, {"t": 9, "v": 1}), night(3, {"v": 2, "u": 7})]
    assert ids(ordered(reversed(nights), NOW))[-1] == nights[3].backup_id


def test_what_contradicts_itself_is_still_put_in_an_order():
    one = night(0, 10, parent=night(1, 0).backup_id, mode="incremental")
    other = night(1, 20, parent=one.backup_id, mode="incremental")
    alone = night(2, 30, parent="itself", mode="incremental", backup_id="itself")
    assert sorted(ids(ordered([alone, other, one], NOW))) == sorted(ids([one, other, alone]))
    assert set(prune([one, other, alone], 1, None, NOW).kept) == {"itself"}


def test_a_backup_of_which_a_clock_was_behind_is_not_too_old_and_one_at_work_not_abandoned():
    newest, young = night(8, 30, NOW - timedelta(hours=1)), night(7, 20, created="2019-01-01T00:00:00Z")
    working = night(8, 30, created="2019-01-01T00:00:00", state=State.IN_PROGRESS, backup_id="20261128T110000Z")
    found = prune([newest, young, working, night(0, 1)], None, 5, NOW)
    assert found.delete == (night(0, 1).backup_id,)


def test_one_from_the_future_ages_like_those_around_it():
    old = [night(-300, 1), night(-299, 2, NOW + YEARS, backup_id="odd"), night(-298, 3)]
    since = begun(ordered([*old, night(7, 9)], NOW), NOW)
    assert since["odd"] == since[old[0].backup_id]
    assert set(prune([*old, night(7, 9)], None, 30, NOW).delete) == set(ids(old))


def test_as_of_a_time_is_not_misled():
    nights = ordered([night(0, 10, NOW + YEARS), night(1, 20), night(2, 30, "1999-01-01")], NOW)
    complete = {one.backup_id: one for one in nights}
    at = int((FIRST + timedelta(hours=30)).timestamp() * 1000)
    assert as_of(complete, at, NOW) == nights[2].backup_id


@pytest.mark.parametrize(
    ("created", "future"),
    [("2026-11-28T12:10:00Z", False), ("2026-11-28T12:20:00Z", True), ("2026-11-28T15:10:00+03:00", False),
     ("2026-11-28T12:20:00", True), ("2026-11-28T12:20:00-05:00", True), ("2026-10-25T02:30:00+01:00", False)],
)  # fmt: skip
def test_zones_and_summer_time_are_followed_and_a_quarter_of_an_hour_is_no_future(created: str, future: bool):
    assert (from_future(night(0, 1, created), NOW) is not None) is future


def test_many_are_ordered_quickly():
    nights = [night(0, {f"t{n}": at for n in range(20)}, FIRST + timedelta(hours=at), backup_id=f"r{at}")
              for at in range(400)]  # fmt: skip
    nights[100] = nights[100].model_copy(update={"created": (NOW + YEARS).isoformat()})
    assert ids(ordered(nights, NOW + timedelta(days=100))) == [f"r{at}" for at in range(400)]
