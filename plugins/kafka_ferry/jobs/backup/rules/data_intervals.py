"""What a backup is called, and whether a data interval is covered already. Pure.

Kafka cannot show yesterday: a backup made for a past data interval reads what is there now. So an interval is covered
by the first backup that *began* after it: all records of the interval that still existed when it began are in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from kafka_ferry.jobs.backup.rules.manifest import Manifest
from kafka_ferry.jobs.backup.rules.order import begun, is_begun_after


def backup_id_of(tick: datetime) -> str:
    """The id of the backup of one tick of the schedule: sorts as time does, and a retry finds it again.

    :param tick: logical date of the run, or when it was asked for; aware.
    """
    at = tick.astimezone(UTC)
    return at.strftime("%Y%m%dT%H%M%S") + (f".{at.microsecond:06}" if at.microsecond else "") + "Z"


def covering(
    complete: Mapping[str, Manifest],
    tick: datetime,
    cluster_id: str,
    topics: Collection[str],
    isolation_level: str,
    now: datetime,
) -> Iterator[Manifest]:
    """Backups begun after a tick, as they say, that hold what a backup of that tick would; in order.

    Whether they hold the interval's records is decided by the cluster's offsets: a clock may have been ahead.

    :param complete: COMPLETE manifests, oldest first. ``topics``: that the backup would cover.
    :param now: aware; dates after it are not believed.
    """
    for manifest in complete.values():
        if (
            is_begun_after(manifest, tick, now)
            and manifest.cluster_id == cluster_id
            and manifest.isolation_level == isolation_level
            and {topic.name for topic in manifest.topics} >= set(topics)
        ):
            yield manifest


def as_of(complete: Mapping[str, Manifest], point_in_time: int, now: datetime) -> str | None:
    """The id of the first backup begun after a point in time, whose topics are those of then; else of the latest.

    :param point_in_time: ms since 1970.
    """
    since = begun(list(complete.values()), now)
    for backup_id in complete:
        if since[backup_id].timestamp() * 1000 >= point_in_time:
            return backup_id
    return next(reversed(list(complete)), None)
