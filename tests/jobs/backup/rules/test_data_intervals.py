"""What a backup is called, and which backup covers a data interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kafka_ferry.jobs.backup.rules.data_intervals import as_of, backup_id_of, covering
from kafka_ferry.jobs.backup.rules.manifest import Manifest, State, TopicBackup

NIGHT = datetime(2026, 11, 20, 2, tzinfo=UTC)
NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)


def made(backup_id: str, created: datetime, *topics: str, level: str = "read_committed") -> Manifest:
    return Manifest(
        backup="b", backup_id=backup_id, state=State.COMPLETE, mode="full", created=created.isoformat(),
        cluster_id="c", isolation_level=level,
        topics=[TopicBackup(name=name, topic_id="i", replication_factor=1) for name in topics],
    )  # fmt: skip


def test_ids_sort_as_time_does_and_know_no_time_zone():
    assert backup_id_of(NIGHT) == "20261120T020000Z"
    assert backup_id_of(NIGHT.astimezone(timezone(timedelta(hours=3)))) == backup_id_of(NIGHT)
    later = backup_id_of(NIGHT + timedelta(microseconds=5))
    assert later == "20261120T020000.000005Z"
    assert sorted([backup_id_of(NIGHT + timedelta(days=1)), backup_id_of(NIGHT)])[0] == backup_id_of(NIGHT)


def test_a_night_is_covered_by_the_first_backup_begun_after_it():
    found = {
        "before": made("before", NIGHT - timedelta(seconds=1), "t"),
        "after": made("after", NIGHT, "t", "u"),
        "later": made("later", NIGHT + timedelta(days=1), "t", "u"),
    }
    covered = list(covering(found, NIGHT, "c", ["t"], "read_committed", NOW))
    assert covered == [found["after"], found["later"]]
    assert list(covering(found, NIGHT + timedelta(days=2), "c", ["t"], "read_committed", NOW)) == []


@pytest.mark.parametrize(
    ("cluster", "topics", "level"),
    [("other", ["t"], "read_committed"), ("c", ["t", "new"], "read_committed"), ("c", ["t"], "read_uncommitted")],
)
def test_a_backup_of_something_else_covers_nothing(cluster: str, topics: list[str], level: str):
    found = {"after": made("after", NIGHT, "t")}
    assert list(covering(found, NIGHT, cluster, topics, level, NOW)) == []
    assert list(covering(found, NIGHT, "c", ["t"], "read_committed", NOW)) != []


def test_a_clock_that_was_ahead_covers_no_night():
    wrong = made("20261119T020000Z", NIGHT + timedelta(days=3650), "t")
    assert list(covering({"wrong": wrong}, NIGHT, "c", ["t"], "read_committed", NOW)) == []
    assert list(covering({"wrong": wrong}, NIGHT - timedelta(days=1), "c", ["t"], "read_committed", NOW)) == [wrong], (
        "its logical date says it was not begun before that"
    )


def test_times_without_a_zone_are_utc_and_zones_are_followed():
    plain, east = made("plain", NIGHT, "t"), made("east", NIGHT, "t")
    plain = plain.model_copy(update={"created": "2026-11-20T02:00:00"})
    east = east.model_copy(update={"created": "2026-11-20T04:59:59+03:00"})  # a second before the interval's end
    assert list(covering({"1": plain, "2": east}, NIGHT, "c", ["t"], "read_committed", NOW)) == [plain]


def test_as_of_a_point_in_time_is_the_first_backup_after_it_else_the_latest():
    found = {str(day): made(str(day), NIGHT + timedelta(days=day), "t") for day in range(3)}
    ms = int(NIGHT.timestamp() * 1000)
    assert as_of(found, ms - 1, NOW) == "0"
    assert as_of(found, ms + 1, NOW) == "1"
    assert as_of(found, ms + 10**9, NOW) == "2"
    assert as_of({}, ms, NOW) is None
