"""From what was read to the lines of the checklist. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from kafka_ferry.core.checks import Check, GroupLine, Status, TopicLine, worst
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.group_types import SHARE, by_type
from kafka_ferry.core.retention import is_held
from kafka_ferry.core.streams_application import StreamsApplication, halves
from kafka_ferry.core.topics import TopicState
from kafka_ferry.core.unnamed_groups import NO_COMMIT
from kafka_ferry.core.words import number_of, shown
from kafka_ferry.jobs.migration.rules.copies import copies_by_topic
from kafka_ferry.jobs.migration.rules.resolve import ResolvedGroups
from kafka_ferry.records.job import PartitionResult

#: How topics are compared whose records the engine may put into other partitions.
WHOLE_TOPIC = "compared as a multiset over all partitions, and per key in order, as records may change their partition"

_NO_START = "no start on these topics: its consumers start at share.auto.offset.reset (latest by default)"
_BY_KEY = "compacted: keys are counted, last values compared"
_NOTHING = "there was no topic to compare"
_NAMED = 200  # differences named in one check; the counts beside them are exact
_NAMED_PER_PARTITION = 5


def check_topics(desired: Sequence[DesiredTopic], actual: Mapping[str, TopicState]) -> Check:
    """Every topic by name, not by number."""
    missing = [topic.name for topic in desired if topic.name not in actual]
    return _check(
        "topics",
        number_of(len(desired), "topic"),
        f"{len(desired) - len(missing)} there",
        [f"{n} is missing" for n in missing],
    )


def check_partitions(desired: Sequence[DesiredTopic], actual: Mapping[str, TopicState]) -> Check:
    """Equal partition counts."""
    pairs = [(topic, actual[topic.name]) for topic in desired if topic.name in actual]
    wrong = [
        f"{topic.name}: missing, source {topic.source} has {topic.partitions}"
        for topic in desired
        if topic.name not in actual
    ]
    wrong += [
        f"{topic.name}: {state.partitions} partitions, source {topic.source} has {topic.partitions}"
        for topic, state in pairs
        if topic.partitions != state.partitions
    ]
    have = sum(state.partitions for _, state in pairs)
    return _check("partitions", f"{sum(topic.partitions for topic in desired)}", f"{have}", wrong)


def check_configs(desired: Sequence[DesiredTopic], actual: Mapping[str, TopicState]) -> Check:
    """Every config set on a source topic is in force on the target's."""
    wrong, total = [], 0
    for topic in desired:
        if topic.name not in actual:
            continue
        for key, value in sorted(topic.configs.items()):
            total += 1
            found = actual[topic.name].effective.get(key)
            if found != value:
                held = ", on hold while a migration copies into it" if is_held(key, found) else ""
                wrong.append(f"{topic.name}: {key} is {found}{held}, source {topic.source} has {value}")
    return _check("configs", number_of(total, "setting"), f"{total - len(wrong)} equal", wrong)


def topic_lines(
    desired: Sequence[DesiredTopic], results: Sequence[PartitionResult], counts_only: bool
) -> list[TopicLine]:
    """One line per topic.

    :param counts_only: param ``verification=counts``: contents are read but not judged.
    """
    by_topic: dict[str, list[PartitionResult]] = {}
    for result in results:
        by_topic.setdefault(result.source_topic, []).append(result)
    copies = copies_by_topic(results)
    return [
        _topic_line(topic, by_topic.get(topic.source, []), counts_only, copies.get(topic.source)) for topic in desired
    ]


def _topic_line(
    topic: DesiredTopic, results: Sequence[PartitionResult], counts_only: bool, copies: str | None
) -> TopicLine:
    found = [result.comparison for result in results]
    statuses = [Status(_count_status(result) if counts_only else result.comparison.status) for result in results]
    details = [
        result.comparison.detail if result.whole_topic else f"partition {result.partition}: {result.comparison.detail}"
        for result in results
        if result.comparison.detail
    ]
    compacted = "compact" in topic.configs.get("cleanup.policy", "")
    if compacted:
        details.append(_BY_KEY)
    whole = any(result.whole_topic for result in results)
    if whole:
        details.append("compared over all partitions" if compacted else WHOLE_TOPIC)
    if copies:
        details.insert(0, copies)
    missing = 0 if whole else topic.partitions - len(results)
    if missing > 0:
        statuses.append(Status.FAIL)
        details.insert(0, f"{missing} of {topic.partitions} partitions could not be compared")
    return TopicLine(
        source=topic.source,
        target=topic.name,
        partitions=topic.partitions,
        source_records=sum(item.source_records for item in found),
        target_records=sum(item.target_records for item in found),
        lost=sum(item.lost + item.altered + item.stale for item in found),
        duplicated=sum(item.duplicated for item in found),
        reordered=sum(item.reordered for item in found),
        status=worst(statuses),
        detail="; ".join(details[:5]),
    )


def _count_status(result: PartitionResult) -> str:
    return "pass" if result.comparison.source_records == result.comparison.target_records else "fail"


def check_counts(lines: Sequence[TopicLine], hanging: Sequence[str] = ()) -> Check:
    """Records read on both sides, per topic. For compacted topics these are keys.

    :param hanging: what open transactions keep from being read at all: equal numbers prove nothing then.
    """
    if not lines:
        return Check(name="counts", status=Status.SKIPPED, detail=_NOTHING)
    wrong = [
        f"{line.source}: {line.source_records:,} on the source, {line.target_records:,} on the target ({line.detail})"
        for line in lines
        if line.source_records != line.target_records
    ]
    explained = [
        line for line in lines if line.source_records != line.target_records and line.status is not Status.FAIL
    ]
    check = _check(
        "counts",
        number_of(sum(line.source_records or 0 for line in lines), "record"),
        f"{sum(line.target_records or 0 for line in lines):,}",
        wrong,
    )
    if wrong and len(explained) == len(wrong):
        check.status = Status.EXPLAINED
    if compacted := sum(_BY_KEY in line.detail for line in lines):
        check.detail = "; ".join(
            [*[check.detail] * bool(check.detail), f"{number_of(compacted, 'compacted topic')} counted by keys"]
        )
    if hanging:
        check.status, check.differences = Status.FAIL, [*hanging, *check.differences]
        check.detail = f"held back by an open transaction: {number_of(len(hanging), 'partition')}"
    return check


def check_content(
    results: Sequence[PartitionResult], lines: Sequence[TopicLine], version: str, headers_left_out: Sequence[str] = ()
) -> Check:
    """Every record by its hash: lost, duplicated, reordered, altered are named with their offsets."""
    if not lines:
        return Check(name="content", status=Status.SKIPPED, detail=_NOTHING)
    named = [text for result in results for text in _named(result)]
    copies = [f"{topic}: {text}" for topic, text in copies_by_topic(results).items()]
    uncompared = [f"{line.source}: {line.detail}" for line in lines if "could not be compared" in line.detail]
    equal = sum(result.comparison.status == "pass" for result in results)
    status = worst([line.status for line in lines])
    whole = any(result.whole_topic for result in results)
    parts = (len(lines), "topic") if whole else (sum(line.partitions for line in lines), "partition")
    left_out = f", without headers {', '.join(headers_left_out)}" if headers_left_out else ""
    return Check(
        name="content",
        status=status,
        expected=f"{number_of(*parts)} equal",
        actual=f"{equal} equal",
        detail=f"record hash {version}{left_out}" + (f"; {WHOLE_TOPIC}" if whole else ""),
        differences=[*copies, *uncompared, *named][:_NAMED],
    )


def _named(result: PartitionResult) -> list[str]:
    """The first differences of one partition: a bad one must not push the others out of the report."""
    place, found = result.place, result.comparison
    named = [f"{place}: {difference}" for difference in found.differences[:_NAMED_PER_PARTITION]]
    if len(found.differences) > _NAMED_PER_PARTITION:
        named.append(f"{place}: and more; in all {found.detail}")
    return named


def check_groups(lines: Sequence[GroupLine], kinds: Mapping[str, str] | None = None) -> Check:
    """Every group with a commit on a migrated topic has one on the target.

    :param kinds: groups that are no consumer groups, to their type.
    """
    expected = {line.group for line in lines}
    there = {line.group for line in lines if line.target_offset is not None}
    harmless = {line.group for line in lines if line.status is not Status.FAIL}
    missing = [f"{shown(group)} has no commit on the target" for group in sorted(expected - there - harmless)]
    told = number_of(len(expected), "group")
    if mine := [kinds[group] for group in expected if kinds and group in kinds]:
        told += f", of these {by_type(mine)}"
    return _check("groups", told, f"{len(expected & (there | harmless))} there", missing)


def check_groups_left_out(groups: ResolvedGroups) -> list[Check]:
    """Groups that the params mean and that were not carried, by name with the reason; no check where there are none."""
    bare, standing = groups.bare, sorted(name for name, group in groups.others.items() if group.has_position)
    rest = sorted(groups.skipped.keys() - set(standing))
    named = [f"{shown(name)}: {groups.skipped[name]}" for name in [*standing, *rest]]
    named += [f"{shown(name)}: {_NO_START if groups.kinds.get(name) == SHARE else NO_COMMIT}" for name in bare]
    if not named:
        return []
    parts = [
        (len(standing), f"{number_of(len(standing), 'group')} of other types not copied"),
        (len(rest), f"{len(rest):,} left out by exclude_groups, by default, or without a position"),
        (len(bare), f"{len(bare):,} without a commit on these topics"),
    ]
    return [
        Check(
            name="groups_left_out",
            status=Status.EXPLAINED if standing else Status.PASS,
            expected="no group is left out silently",
            actual=f"{number_of(len(named), 'group')} named",
            detail="; ".join(text for number, text in parts if number),
            differences=named[:_NAMED],
        )
    ]


def check_applications(
    found: Sequence[StreamsApplication],
    selected: Collection[str],
    carried: Collection[str],
    target_topic: Callable[[str], str],
) -> list[Check]:
    """Kafka Streams applications that the run moved in whole or by half; no check where there are none.

    :param found: all of the source. ``selected``: topics that were copied. ``carried``: groups whose offsets were.
    """
    meant = [one for one in found if one.id in carried or any(name in selected for name in one.own)]
    if not meant:
        return []
    wrong = {one.id: halves(one, selected, carried, target_topic) for one in meant}
    named = [f"{shown(name)}: {text}" for name, texts in wrong.items() for text in texts]
    named += [
        f"{shown(one.id)}: at work on the source: its offsets and its changelogs are of different moments"
        for one in meant
        if one.is_at_work
    ]
    return [
        Check(
            name="streams_applications",
            status=Status.EXPLAINED if named else Status.PASS,
            expected=f"{number_of(len(meant), 'Kafka Streams application')} as a whole",
            actual=f"{sum(not texts for texts in wrong.values()):,} as a whole",
            detail="before they start on the target: delete the state directory (state.dir) of their instances",
            differences=named[:_NAMED],
        )
    ]


def check_group_offsets(lines: Sequence[GroupLine]) -> Check:
    """No group would skip a record; what would be delivered again is counted."""
    named = [
        f"{shown(line.group)} on {line.topic}-{line.partition}: {line.detail}"
        for line in lines
        if line.status is not Status.PASS
    ]
    exact = sum(line.status is Status.PASS for line in lines)
    again = sum(line.redelivered or 0 for line in lines)
    return Check(
        name="group_offsets",
        status=worst([line.status for line in lines]),
        expected=f"{len(lines)} exact",
        actual=f"{exact} exact",
        detail=f"{number_of(again, 'record')} would be delivered again" if again else "",
        differences=named[:_NAMED],
    )


def _check(name: str, expected: str, actual: str, wrong: Sequence[str]) -> Check:
    more = number_of(len(wrong), "difference") if wrong else ""
    return Check(
        name=name,
        status=Status.FAIL if wrong else Status.PASS,
        expected=expected,
        actual=actual,
        detail=more,
        differences=list(wrong[:_NAMED]),
    )
