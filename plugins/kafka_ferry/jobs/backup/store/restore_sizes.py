"""Which records of a backup its target does not take for their size, by the limits that will be in force. No change."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.core.finding import Finding, Severity, worst_first
from kafka_ferry.core.largest_record import Batch, Limit, Record, lifted_finding, request_limits, size_finding
from kafka_ferry.core.plan import RecordPlace
from kafka_ferry.core.retention import is_held, size_limit, topic_defaults
from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import NotAuthorized
from kafka_ferry.jobs.backup.rules.largest import Largest, largest_of
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic
from kafka_ferry.jobs.backup.store.restore_run import RestoreRun
from kafka_ferry.jobs.backup.store.senders import QUEUE_BYTES

_OUR_MEMORY = Limit(
    "the memory of a restore's producer", QUEUE_BYTES, "leave its topic out (topics, partitions)", before=True
)


def restore_findings(restore_run: RestoreRun) -> tuple[list[Finding], dict[str, Largest]]:
    """What of a restore or an import cannot be held and which records are too large, the worst first; and by target
    topic the largest of what is left to restore."""
    existing = restore_run.admin.topics([topic.name for topic in restore_run.topics])
    holding, broker = restore_run.holding(existing), _broker(restore_run)
    unsent = restore_run.unsent(existing)
    found = [
        Finding(
            Severity.REFUSE, "hold", f"topic {name}",
            f"{'its configs cannot be held while records arrive' if name in existing else 'cannot be made'}: {why}",
            "that right or config, or another name for the topic (rename)", "target_conn_id",
        )
        for name, why in holding.refused.items()
    ]  # fmt: skip
    largest = {}
    for topic in restore_run.topics:
        mine = {number: segments for (name, number), segments in unsent.items() if name == topic.name}
        largest[topic.name] = largest_of(mine, restore_run.point_in_time)
        found += _of_topic(restore_run, topic, existing.get(topic.name), largest[topic.name], broker,
                           {**holding.refused, **holding.sizes_stay}.get(topic.name, ""))  # fmt: skip
    return worst_first([*found, *_not_known(largest)]), largest


def largest_line(largest: Largest) -> dict[str, RecordPlace | None]:
    """For a topic's line of plan.json."""
    return {"largest_record": _place(largest.record), "largest_batch": _place(largest.batch)}


def _place(found: Record | Batch | None) -> RecordPlace | None:
    return RecordPlace(partition=found.partition, offset=found.offset, bytes=found.bytes) if found else None


def _broker(restore_run: RestoreRun) -> Mapping[str, str]:
    try:
        return restore_run.admin.brokers()[0]
    except NotAuthorized:  # a restore needs that right for nothing else
        return {}


def _of_topic(
    restore_run: RestoreRun,
    topic: RestoreTopic,
    state: TopicState | None,
    largest: Largest,
    broker: Mapping[str, str],
    stays: str,
) -> list[Finding]:
    subject = f"topic {topic.name}"
    records = [one for one in dict.fromkeys((largest.packed, largest.record)) if one]
    own = {**topic_defaults(broker), **(state.effective if state else restore_run.configs(topic))}
    kept = {key: value for key, value in own.items() if not is_held(key, value)}  # by an earlier try
    limits = [_OUR_MEMORY, *request_limits(broker)]
    limit, own_limit = size_limit(kept, lifted=not stays), size_limit(kept)
    if limit:
        limits.append(Limit(
            f"{limit[0]} of the target topic", limit[1],
            f"set {limit[0]}={{bytes}} or more on it, or leave the topic out", why=stays,
        ))  # fmt: skip
    found = size_finding(subject, records, largest.batch, limits, certain=largest.certain)
    if found is None and own_limit and not stays:
        found = lifted_finding(subject, largest.record, *own_limit)
    return [found] if found else []


def _not_known(largest: Mapping[str, Largest]) -> list[Finding]:
    topics = [name for name, one in largest.items() if one.unknown]
    if not topics:
        return []
    unknown = sum(largest[name].unknown for name in topics)
    named = shortlist(topics)
    return [
        Finding(
            Severity.ADVISE, "largest_record", f"topic {named}",
            f"the largest record is not known: {number_of(unknown, 'segment')} of {number_of(len(topics), 'topic')} "
            "were written by a version that did not record it",
            "nothing to do where size limits are lifted while records arrive; otherwise take a new full backup, "
            "which records it",
        )
    ]  # fmt: skip
