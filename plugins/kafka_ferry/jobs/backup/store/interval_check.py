"""Whether a backup that claims to have begun after a data interval holds its records: checked by Kafka's offsets."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.backup.rules.manifest import Manifest

log = logging.getLogger(__name__)


def lacks_records_of(survey: KafkaSurvey, manifest: Manifest, tick: datetime, topics: Collection[str]) -> str | None:
    """A record older than a tick that is on the cluster and not in a backup, as text; None when there is none.

    A backup whose machine's clock was ahead claims to cover intervals that it does not hold. Records whose own
    timestamps are wrong cost a backup more, never one less.
    """
    known = {topic.name: topic for topic in manifest.topics}
    states = survey.topics(list(topics))
    # Of a topic recreated since, all of the interval's records are in the backup, or gone.
    places = [
        (name, number)
        for name, state in states.items()
        if name in known and state.topic_id == known[name].topic_id
        for number in range(state.partitions)
    ]
    ends = {(topic.name, one.partition): one.end for topic, one in manifest.partitions()}
    at = int(tick.timestamp() * 1000)
    begins = survey.offsets(places, "earliest", manifest.isolation_level)
    lasts = survey.offsets(places, "latest", manifest.isolation_level)
    places = [place for place in places if not states[place[0]].untimed]  # their records have no time
    firsts = survey.offsets_at(dict.fromkeys(places, at))
    for place in places:
        first = firsts[place]
        older = lasts[place] if first is None else min(first, lasts[place])
        if older > max(ends.get(place, 0), begins[place]):
            return f"{place[0]}-{place[1]}: offsets {max(ends.get(place, 0), begins[place])} to {older - 1}"
    return None
