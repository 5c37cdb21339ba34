"""Compare the target with the source, check by check: what was read, and what the live clusters say now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import DataLossError
from kafka_ferry.jobs.migration.engines.registry import no_groups
from kafka_ferry.jobs.migration.live.acls import acls_check, copied_acls_check
from kafka_ferry.jobs.migration.live.artifacts import read_frozen
from kafka_ferry.jobs.migration.live.group_positions import GroupPositions
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.quotas import quotas_check
from kafka_ferry.jobs.migration.live.registry import carrier_of
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.live.schema_ids import schemas_check
from kafka_ferry.jobs.migration.live.scram_users import scram_users_check
from kafka_ferry.jobs.migration.rules.groups import judge_groups, kinds_of
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
from kafka_ferry.jobs.migration.rules.replicators import other_replicators_check
from kafka_ferry.jobs.migration.rules.spec import Verification
from kafka_ferry.jobs.registry.live.stage import registry_carried
from kafka_ferry.records.job import results_digest
from kafka_ferry.records.record_hash import HASH_VERSION
from kafka_ferry.report.artifacts import CANARY, GROUPS, RunArtifacts, read_results


def make_checks(migration: Migration, artifacts: RunArtifacts, only_compare: bool) -> dict[str, Any]:
    """The content of checks.json: checks, topic lines, group lines, and the digest of the results they judge.

    :param only_compare: ask nobody but the two clusters, and the registries that the params name.
    :raises DataLossError: a topic that was copied is not on the source any more.
    """
    results = read_results(artifacts)
    desired = _promised(migration, artifacts)
    actual = migration.target.admin.topics([topic.name for topic in desired])
    counts_only = migration.spec.verification is Verification.COUNTS
    topics = topic_lines(desired, results, counts_only)
    names = {line.group for result in results for line in result.groups}
    kinds = kinds_of(results)
    # Before the source's, which may move on meanwhile.
    on_target = GroupPositions(migration.target.admin, kinds).commits(names)
    refused = (artifacts.read_json(GROUPS) or {}).get("refused", {})
    groups = judge_groups(results, on_target, refused, GroupPositions(migration.source.admin, kinds).commits(names))
    group_checks = [check_groups(groups, kinds), check_group_offsets(groups), *check_groups_left_out(migration.groups)]
    if reason := no_groups(migration):
        group_checks = [Check(name=name, status=Status.SKIPPED, detail=reason) for name in ("groups", "group_offsets")]
    if not only_compare:
        selected = migration.topics.topics
        carried = migration.groups.committed
        group_checks += check_applications(migration.applications, selected, carried, migration.spec.target_topic)
    content = Check(name="content", status=Status.SKIPPED, detail="param verification is counts")
    checks = [
        check_topics(desired, actual),
        check_partitions(desired, actual),
        _configs_check(migration, desired, actual),
        check_counts(topics, _hanging(migration, artifacts)),
        content if counts_only else check_content(results, topics, HASH_VERSION, migration.spec.headers_left_out),
        schemas_check(migration.spec, results),
        *group_checks,
    ]
    if not only_compare:
        carrier = carrier_of(migration.spec)
        checks += [registry_carried(carrier, artifacts)] if carrier else []
        checks.append(other_replicators_check(OtherReplicators(migration).findings()))
    made = [check.model_dump(mode="json") for check in checks]
    others = [*made, *(artifacts.read_json(CANARY) or [])]
    failed = {check["name"] for check in others if check["status"] == Status.FAIL}
    # Quotas after all that reads much, as they hold us too.
    for check in (scram_users_check, quotas_check):
        found = check(migration, failed, only_compare=only_compare).model_dump(mode="json")
        made, others = [*made, found], [*others, found]
    # Last of all: from here on rights may be missing that every look before needed.
    names_of = {topic.source: topic.name for topic in desired}
    acls = acls_check(migration, names_of) if only_compare else copied_acls_check(migration, names_of, others)
    return {
        "judged": results_digest(results),
        "checks": [*made, acls.model_dump(mode="json")],
        "topics": [line.model_dump(mode="json") for line in topics],
        "groups": [line.model_dump(mode="json") for line in groups],
    }


def _configs_check(migration: Migration, desired: list[DesiredTopic], actual: Mapping[str, TopicState]) -> Check:
    check = check_configs(desired, actual)
    return migration.refused_configs.explain(check) if migration.spec.refused_configs == "skip" else check


def _hanging(migration: Migration, artifacts: RunArtifacts) -> list[str]:
    """What an open transaction hides. A producer at work moves on between freeze and now; a hanging one does not."""
    frozen = read_frozen(artifacts)
    return frozen.hanging(migration.source.admin.offsets(frozen.held_back, "latest", "read_committed"))


def _promised(migration: Migration, artifacts: RunArtifacts) -> list[DesiredTopic]:
    """The topics whose arrival was waited for, as the source has them now."""
    frozen = read_frozen(artifacts)
    names = {topic for topic, _ in frozen.ends}
    states = migration.source.admin.topics(sorted(names))
    gone = sorted(names - states.keys())
    if gone:  # left out, they would be missing from every check, and the verdict would not know
        raise DataLossError(
            f"deleted on the source since they were copied: {', '.join(gone[:20])}. What arrived can no longer "
            "be compared. Fix: start a new run with these topics left out (exclude_topics)"
        )
    return migration.desired_topics(states.values())
