"""What will go wrong with a topic, told before anything changes. Pure: it is handed what the clusters said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.retention import SIZES, can_hold, limit, small_segments, to_hold
from kafka_ferry.core.topics import Selection, TopicState

_DAY_MS = 86_400_000
_SIZE = "max.message.bytes"
_BEFORE, _AFTER = "message.timestamp.before.max.ms", "message.timestamp.after.max.ms"


@dataclass(frozen=True)
class TopicFacts:
    """One topic on both sides. Numbers of records are upper bounds: differences of offsets.

    :param configs: in force on the target once it is provisioned, see ``retention.configs_after``.
    :param expiring: records older than the target's ``retention.ms``. ``soon``: older than it will be in a day.
    :param overdue: records of ``expiring`` that are older than the source's own ``retention.ms`` too.
    :param too_old, in_future: records that the target's timestamp limits reject.
    :param sampled, null_keys: records looked at for a key, and those without one.
    """

    source: TopicState
    desired: DesiredTopic
    existing: TopicState | None
    configs: Mapping[str, str]
    expiring: int = 0
    soon: int = 0
    overdue: int = 0
    too_old: int = 0
    in_future: int = 0
    sampled: int = 0
    null_keys: int = 0

    @property
    def deletes(self) -> bool:
        return "delete" in self.configs.get("cleanup.policy", "delete")

    @property
    def stamps(self) -> bool:
        """Whether the target gives each record the time of its arrival."""
        return self.configs.get("message.timestamp.type") == "LogAppendTime"

    def at_risk(self) -> set[str]:
        """Limits of the target that would act on records of this topic during the copy."""
        keys = {
            "retention.ms": self.soon,
            "retention.bytes": self.deletes and limit(self.configs, "retention.bytes") is not None,
            _BEFORE: self.too_old,
            _AFTER: self.in_future,
            # How large a batch becomes when it is recompressed is known when it is.
            _SIZE: True,
            "segment.bytes": small_segments(self.configs),
        }
        return {key for key, acts in keys.items() if acts}


@dataclass(frozen=True)
class Cutoffs:
    """For one topic the times, in ms since 1970, that its records must be compared with; None where nothing limits."""

    expiring: int | None
    soon: int | None
    overdue: int | None
    too_old: int | None
    in_future: int | None


def cutoffs(source: TopicState, configs: Mapping[str, str], now_ms: int) -> Cutoffs:
    """Which times to ask the source about.

    :param configs: in force on the target, see ``TopicFacts``.
    """
    # Records without a timestamp get the time of their arrival too; brokers answer no question about their times.
    stamps = configs.get("message.timestamp.type") == "LogAppendTime" or source.untimed
    deletes = "delete" in configs.get("cleanup.policy", "delete") and not stamps
    kept = limit(configs, "retention.ms") if deletes else None
    own = limit(source.effective, "retention.ms") if "delete" in source.effective.get("cleanup.policy", "") else None
    before = None if stamps else limit(configs, _BEFORE)
    after = None if stamps else limit(configs, _AFTER)
    return Cutoffs(
        expiring=None if kept is None else now_ms - kept,
        soon=None if kept is None else now_ms - kept + _DAY_MS,
        overdue=None if kept is None or own is None else now_ms - max(own, kept),
        too_old=None if before is None or before > now_ms else now_ms - before,
        in_future=None if after is None else now_ms + after,
    )


def topic_findings(topics: Iterable[TopicFacts], *, hold: bool) -> list[Finding]:
    """Everything that is wrong with topics.

    :param hold: limits by age are lifted during the copy (param ``hold_retention``, and no ``keep_replicating``).
    """
    return [
        found
        for facts in topics
        for check in (_retention, _too_old, _in_future, _timestamp_type, _size, _null_keys, _partitions)
        if (found := check(facts, hold)) is not None
    ]


def _retention(facts: TopicFacts, hold: bool) -> Finding | None:
    if not facts.expiring:
        return None
    ours, theirs = facts.configs["retention.ms"], facts.source.effective.get("retention.ms", "-1")
    lost = facts.expiring - facts.overdue
    if lost > 0:
        return _finding(
            Severity.REFUSE, "retention", facts,
            f"up to {lost:,} records are older than retention.ms={ours} on the target, where the source keeps them "
            f"(retention.ms={theirs}): the target would delete them",
            f"set retention.ms={theirs} on the source topic itself, which is then copied; or on the target topic, "
            "or as the target's default, beforehand",
        )  # fmt: skip
    what = f"up to {facts.expiring:,} records are older than retention.ms={ours}, which the source has not deleted yet"
    if hold and can_hold(facts.desired, facts.existing, "retention.ms"):
        return _finding(
            Severity.ADVISE, "retention", facts, what,
            "nothing to do: retention is lifted on the target during the copy and restored before the last checks",
        )  # fmt: skip
    return _finding(
        Severity.WARN, "retention", facts, f"{what}: the target may delete them before they are compared",
        "param hold_retention (without keep_replicating), or a longer retention.ms on the target topic",
    )  # fmt: skip


def _too_old(facts: TopicFacts, hold: bool) -> Finding | None:
    what = f"up to {facts.too_old:,} records are older than {_BEFORE}={facts.configs.get(_BEFORE)} allows"
    return _rejected(facts, hold, _BEFORE, what) if facts.too_old else None


def _in_future(facts: TopicFacts, hold: bool) -> Finding | None:
    what = (
        f"up to {facts.in_future:,} records, from the first that does, lie further in the future than "
        f"{_AFTER}={facts.configs.get(_AFTER)} allows"
    )
    return _rejected(facts, hold, _AFTER, what) if facts.in_future else None


def _rejected(facts: TopicFacts, hold: bool, key: str, what: str) -> Finding:
    if hold and can_hold(facts.desired, facts.existing, key):
        return _finding(
            Severity.ADVISE, "timestamp_limits", facts, what,
            "nothing to do: the limit is lifted on the target during the copy and restored before the last checks",
        )  # fmt: skip
    return _finding(
        Severity.REFUSE, "timestamp_limits", facts,
        f"{what}: the target rejects them and the copy stops there",
        f"param hold_retention (without keep_replicating), or {key}=9223372036854775807 on the target topic",
    )  # fmt: skip


def _timestamp_type(facts: TopicFacts, _hold: bool) -> Finding | None:
    if facts.source.untimed:
        return _finding(
            Severity.ADVISE, "timestamp_type", facts,
            f"message.format.version={facts.source.effective['message.format.version']} on the source: its records "
            "have no timestamp and get the time of the copy on the target; they are compared without",
            "nothing to do, unless someone looks records up by time",
        )  # fmt: skip
    if not facts.stamps:
        return None
    if facts.source.log_append_time:
        return _finding(
            Severity.ADVISE, "timestamp_type", facts,
            "message.timestamp.type=LogAppendTime on both sides: on the target records get the time of the copy",
            "nothing to do, unless someone looks records up by time",
        )  # fmt: skip
    return _finding(
        Severity.WARN, "timestamp_type", facts,
        "message.timestamp.type is LogAppendTime on the target and CreateTime on the source: all timestamps are "
        "replaced by the time of the copy, and cannot be compared",
        "set message.timestamp.type=CreateTime on the source topic itself, which is then copied; or on the target",
    )  # fmt: skip


def _size(facts: TopicFacts, hold: bool) -> Finding | None:
    theirs = int(facts.source.effective.get(_SIZE, 0))
    ours = int(facts.configs.get(_SIZE, theirs))
    if theirs <= ours:
        return None
    what = f"{_SIZE} is {ours:,} on the target and {theirs:,} on the source"
    if hold and can_hold(facts.desired, facts.existing, _SIZE):
        return _finding(
            Severity.ADVISE, "max_message_bytes", facts, f"{what}: the target would reject a record between the two",
            "nothing to do: the limit is lifted on the target during the copy and restored before the last checks; "
            "whoever writes there afterwards has the target's",
        )  # fmt: skip
    return _finding(
        Severity.WARN, "max_message_bytes", facts,
        f"{what}: a record between the two is rejected and the copy stops there",
        f"set {_SIZE}={theirs} on the source topic itself, which is then copied; or on the target",
    )  # fmt: skip


def size_findings(
    topics: Sequence[TopicFacts], target: Mapping[str, str], refused: Mapping[str, str], *, hold: bool
) -> list[Finding]:
    """What batches are too large for, where ``max.message.bytes`` of both sides alone does not tell.

    :param target: a broker's configuration. ``refused``: target topic to why its limits of size cannot be lifted.
    """
    most = int(target.get("socket.request.max.bytes", 2**31))
    found = [
        _finding(
            Severity.WARN, "request_size", facts,
            f"{_SIZE} is {theirs:,} on the source, and the target's brokers accept no request of more than {most:,} "
            "bytes (socket.request.max.bytes): a larger batch stops the copy there",
            f"socket.request.max.bytes of at least {theirs + 65536} on the target's brokers, and a restart of them",
        )
        for facts in topics
        if (theirs := int(facts.source.effective.get(_SIZE, 0))) > most
    ]  # fmt: skip
    by_reason: dict[str, list[TopicFacts]] = {}
    for facts in topics:
        if reason := why_not_lifted(facts, refused, hold):
            by_reason.setdefault(reason, []).append(facts)
    return found + [_stays(reason, own) for reason, own in by_reason.items()]


def _stays(reason: str, topics: Sequence[TopicFacts]) -> Finding:
    told = ", ".join(facts.desired.name for facts in topics[:3])
    more = f" and {len(topics) - 3} more" if len(topics) > 3 else ""
    least = min(int(facts.configs.get(_SIZE, 0)) for facts in topics)
    return Finding(
        Severity.WARN, "record_sizes", f"topic {told}{more}",
        f"{_SIZE} ({least:,} on the target{' at the least' if len(topics) > 1 else ''}) stays in effect during the "
        f"copy: {reason}. A batch that is larger when recompressed is rejected, and the copy stops there",
        f"raise {_SIZE} on the target topic for the copy, or param hold_retention without keep_replicating, where "
        "the target lets it be lifted",
    )  # fmt: skip


def why_not_lifted(facts: TopicFacts, refused: Mapping[str, str], hold: bool) -> str:
    """Why limits of size stay in force on a topic during the copy; empty when they are lifted."""
    if not hold:
        return "hold_retention is off, or keep_replicating on"
    if not can_hold(facts.desired, facts.existing, _SIZE):
        return "it is set on the target topic alone, and nobody could know later what to restore"
    return refused.get(facts.desired.name, "")


def to_lift(topics: Iterable[TopicFacts]) -> dict[str, dict[str, str]]:
    """Limits of size that will be lifted on target topics that are there already."""
    found = {}
    for facts in topics:
        held = to_hold(facts.desired, facts.existing, facts.at_risk() & set(SIZES))
        if facts.existing and held:
            found[facts.desired.name] = held
    return found


def _null_keys(facts: TopicFacts, _hold: bool) -> Finding | None:
    if not facts.null_keys:
        return None
    return _finding(
        Severity.REFUSE, "null_keys", facts,
        f"{facts.null_keys:,} of {facts.sampled:,} sampled records have no key, and the target topic is compacted "
        f"(cleanup.policy={facts.configs.get('cleanup.policy')}): it rejects them and the copy stops there",
        "set cleanup.policy=delete on the target topic (on the source topic too, if it is set there), or leave the "
        "topic out (exclude_topics)",
    )  # fmt: skip


def _partitions(facts: TopicFacts, _hold: bool) -> Finding | None:
    have = facts.existing.partitions if facts.existing else facts.source.partitions
    if have >= facts.source.partitions:
        return None
    return _finding(
        Severity.WARN, "partitions", facts,
        f"exists on the target with {have} partitions and will get {facts.source.partitions}: for producers that write "
        "there already, keys map to other partitions",
        "delete the target topic first if nobody uses it",
    )  # fmt: skip


def _finding(severity: Severity, code: str, facts: TopicFacts, what: str, fix: str) -> Finding:
    name, target = facts.source.name, facts.desired.name
    subject = f"topic {name}" if target == name else f"topic {name} (on the target {target})"
    return Finding(severity, code, subject, what, fix)


def group_findings(selection: Selection, with_commits: Iterable[str]) -> list[Finding]:
    """Sink connectors' groups that MirrorMaker 2's defaults leave out although they have commits on these topics.

    :param with_commits: groups, of those left out, that have them.
    """
    there = set(with_commits)
    return [
        Finding(
            Severity.ADVISE, "connect_groups", f"group {item.name}",
            "the offsets of a sink connector on these topics are not copied: moved to the target, the sink would "
            "start at its auto.offset.reset",
            "name it exactly in groups if the sink moves too",
            "groups",
        )
        for item in selection.skipped
        if item.name.startswith("connect-") and item.name in there and not item.excluded
    ]  # fmt: skip


def streams_group_findings(groups: Iterable[str]) -> list[Finding]:
    """Streams groups that would come to brokers on which their applications cannot take over what is set for them.

    :param groups: those that are no streams groups on the target yet.
    """
    return [
        Finding(
            Severity.WARN, "streams_groups", f"group {name!r}",
            "is a streams group (KIP-1071); on the target its offsets are set for a group without members, which only "
            "Kafka 4.2 and later turn into a streams group when the application starts",
            "start the application there with group.protocol=classic, or Kafka 4.2 there",
            "groups",
        )
        for name in sorted(groups)
    ]  # fmt: skip
