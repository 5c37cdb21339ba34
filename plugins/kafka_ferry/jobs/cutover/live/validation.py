"""The checks of a cutover, from what the window found and what the watch saw."""

from __future__ import annotations

from typing import Any

from kafka_ferry.core.checks import Check, GroupLine, Status
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.cutover.live.baseline import rights_check
from kafka_ferry.jobs.cutover.live.watch import LATE
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.live.window import RESULTS
from kafka_ferry.jobs.cutover.rules.spec import Fence
from kafka_ferry.jobs.cutover.rules.stopped import check_stopped
from kafka_ferry.jobs.cutover.rules.timeline import write_downtime
from kafka_ferry.jobs.migration.rules.groups import kinds_of
from kafka_ferry.jobs.migration.rules.judge import (
    check_applications,
    check_configs,
    check_content,
    check_counts,
    check_group_offsets,
    check_groups,
    check_groups_left_out,
    check_partitions,
    check_topics,
    topic_lines,
)
from kafka_ferry.records.job import PartitionResult, results_digest
from kafka_ferry.records.record_hash import HASH_VERSION
from kafka_ferry.report.artifacts import DamagedArtifact, RunArtifacts, read_results


def make_checks(wave: Wave, journal: Journal, artifacts: RunArtifacts, *, back: bool = False) -> dict[str, Any]:
    """The content of checks.json.

    :param back: of a way back.
    :raises DamagedArtifact: the window wrote no results.
    """
    found = artifacts.read_json(RESULTS)
    if found is None:
        raise DamagedArtifact(f"{artifacts.path(RESULTS)} is not there. Fix: point FERRY_ARTIFACTS at shared storage")
    results = [PartitionResult.from_json(one) for one in found["results"]]
    groups = [GroupLine.model_validate(one) for one in found["groups"]]
    migration = wave.migration
    desired = migration.desired_topics(migration.topics.topics.values())
    actual = migration.target_topics()
    topics = topic_lines(desired, results, counts_only=False)
    selected, carried = migration.topics.topics, migration.groups.committed
    checks = [
        check_topics(desired, actual),
        check_partitions(desired, actual),
        check_configs(desired, actual),
        check_counts(topics),
        check_content(results, topics, HASH_VERSION, wave.spec.headers_left_out),
        check_groups(groups, kinds_of(results)),
        check_group_offsets(groups),
        *check_groups_left_out(migration.groups),
        *check_applications(migration.applications, selected, carried, wave.spec.target_topic),
        check_stopped(journal),
        _handed_over(journal, by_webhook=bool(wave.spec.handover_webhook_conn_id)),
        _late(artifacts.read_json(LATE)),
        rights_check(wave, journal.fence_acls, back=back),
    ]
    return {
        "judged": results_digest(read_results(artifacts)),
        "checks": [check.model_dump(mode="json") for check in checks],
        "topics": [line.model_dump(mode="json") for line in topics],
        "groups": found["groups"],
    }


def _handed_over(journal: Journal, *, by_webhook: bool) -> Check:
    done = journal.state is State.HANDED_OVER
    downtime = write_downtime(journal)
    clock = "nobody could write for" if journal.fence == Fence.ACL.value else "the window took"
    return Check(
        name="handed_over",
        status=Status.PASS if done else Status.FAIL,
        expected="the applications were told",
        actual=f"at {journal.handed_over_at}" if done else journal.state.value,
        detail=f"by {'webhook and asset event' if by_webhook else 'the asset event only'}"
        + (f"; {clock} {downtime:.1f} s" if downtime is not None else ""),
    )


def _late(late: Any) -> Check:
    if not late:
        return Check(name="late_writers", status=Status.SKIPPED, detail="param watch_seconds is 0")
    # One that only reads loses nothing, and gets nothing new: whoever looks for it should be told.
    reading = [f"still has members on the source, where nothing new comes: {one}" for one in late.get("readers", ())]
    named = [*(f"written: {one}" for one in late["writers"]), *(f"committed: {one}" for one in late["committers"])]
    named += [f"{place}: {number_of(count, 'offset')} since the hand-over" for place, count in late["grown"].items()]
    return Check(
        name="late_writers",
        status=Status.FAIL if named else Status.EXPLAINED if reading else Status.PASS,
        expected="nobody writes or commits there",
        actual=f"{number_of(late['offsets'], 'offset')}, {number_of(len(late['committers']), 'commit')}",
        detail=f"watched for {late['seconds']:g} s"
        + f"; {number_of(len(reading), 'group')} did not follow: their clients have to be recreated" * bool(reading),
        differences=[*named, *reading],
    )
