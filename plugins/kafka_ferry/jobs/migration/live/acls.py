"""The ACLs of one migration, compared with the target."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kafka_ferry.core.acls import Acl, AclDiff, check_acls, compare_acls, stopping_findings
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.principals import Principals
from kafka_ferry.core.whole_acls import compare_whole, principals_findings, writers_findings
from kafka_ferry.exceptions import FerryError, NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.acls import KafkaAcls
from kafka_ferry.hooks.kafka.authorized_operations import principal_of
from kafka_ferry.hooks.kafka.config import is_iam
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.hooks.kafka.scram_users import KafkaScramUsers
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.around import Acls, AclScope
from kafka_ferry.jobs.migration.rules.iam_policies import FILE, IamPolicies, iam_policies

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 30.0


class NoAuthorizer(FerryError):
    """A cluster without authorizer has no ACLs, and takes none."""


def acl_diff(migration: Migration, topics: Mapping[str, str]) -> AclDiff:
    """Source against target: for these topics (source to target name) and the migration's groups, or every ACL.

    :raises NoAuthorizer: on one of the two. ``NotAuthorized``: ACLs may not be read there.
    """
    found = {}
    for cluster in (migration.source, migration.target):
        acls = cluster.admin.acls()
        if acls is None:
            raise NoAuthorizer(f"{cluster.conn_id}: SECURITY_DISABLED: no authorizer")
        found[cluster.conn_id] = acls
    spec = migration.spec
    return _compare(migration, found[spec.source_conn_id], found[spec.target_conn_id], topics)


def _compare(migration: Migration, source: Iterable[Acl], target: Iterable[Acl], topics: Mapping[str, str]) -> AclDiff:
    spec = migration.spec
    source = Principals(spec.principals).acls(source)
    if spec.acl_scope is AclScope.CLUSTER:
        return compare_whole(
            source, target, spec.target_topic, spec.target_prefix,
            ours=principal_of(migration.target.extra), delete_of=spec.delete_acls_of,
        )  # fmt: skip
    return compare_acls(source, target, topics, migration.groups.selection.names)


def acls_check(migration: Migration, topics: Mapping[str, str]) -> Check:
    """The check ``acls``; skipped, with the reason, where ACLs cannot be compared."""
    if migration.spec.acls is Acls.SKIP:
        return Check(name="acls", status=Status.SKIPPED, detail="param acls is skip")
    try:
        return _with_policies(check_acls(acl_diff(migration, topics)), migration, topics)
    except (NoAuthorizer, NotAuthorized) as error:
        return _with_policies(Check(name="acls", status=Status.SKIPPED, detail=str(error)), migration, topics)


def target_policies(migration: Migration, topics: Mapping[str, str]) -> IamPolicies | None:
    """Of a target whose clients log in by MSK IAM: policies that grant what the source's ACLs grant, in the params'
    scope. None: of another target, or one whose ARN nobody gave, or of a source whose ACLs nobody tells.
    """
    spec = migration.spec
    if spec.acls is Acls.SKIP or not spec.cluster_arn or not is_iam(migration.target.extra):
        return None
    try:
        found = migration.source.admin.acls()
    except NotAuthorized:
        return None
    if found is None:
        return None
    diff = _compare(migration, found, [], topics)
    if spec.acl_scope is AclScope.CLUSTER:
        made = iam_policies(diff.carried, spec.cluster_arn)
        return replace(made, left=[*made.left, *diff.left])
    # Policies come into force when somebody attaches them: also those of producers and groups, which wait for that.
    return iam_policies([*diff.carried, *(acl for acl, _ in diff.left)], spec.cluster_arn)


def policy_notes(migration: Migration, keep: Callable[[str, str], Any] | None) -> list[str]:
    """For the plan of a target whose clients log in by MSK IAM.

    :param keep: writes the documents beside the plan, name and text.
    """
    spec = migration.spec
    if spec.acls is not Acls.SKIP and not spec.cluster_arn and is_iam(migration.target.extra):
        return ["the target's clients log in by IAM: with cluster_arn the plan has policies that grant what ACLs grant"]
    policies = target_policies(migration, migration.topics.targets(spec))
    if policies and keep:
        keep(FILE, policies.to_json())
    return policies.notes() if policies else []


def _with_policies(check: Check, migration: Migration, topics: Mapping[str, str]) -> Check:
    policies = target_policies(migration, topics)
    if policies is None:
        return check
    return check.model_copy(update={"differences": [*check.differences, *policies.lines()]})


def copy_acls(migration: Migration, topics: Mapping[str, str]) -> AclDiff:
    """Make the missing ACLs on the target, delete what was asked, and wait until it shows so; safe to repeat. What it
    then shows.

    When all is copied and compared: a DENY of a source that is frozen for the cutover would stop the copy, and where
    ``allow.everyone.if.no.acl.found`` is on, a topic's first ACL of any kind shuts out who has none.
    """
    diff = acl_diff(migration, topics)
    migration.target.admin.create_acls(diff.missing)
    for acl in diff.missing:
        log.info("made %s", acl)
    if diff.to_delete:
        KafkaAcls.of(migration.target).delete_acls(diff.to_delete)
    for acl in diff.to_delete:
        log.info("deleted %s", acl)
    # What the controller took, a broker knows a moment later (measured).
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while (diff.missing or diff.to_delete) and time.monotonic() < deadline:
        time.sleep(0.2)
        diff = acl_diff(migration, topics)
    return diff


def copied_acls_check(migration: Migration, topics: Mapping[str, str], others: Iterable[Mapping[str, Any]]) -> Check:
    """With ``acls=copy`` make the missing ones, when no other check failed; then the check ``acls``.

    :param others: the run's other checks.
    """
    failed = sorted({check["name"] for check in others if check["status"] == Status.FAIL})
    if migration.spec.acls is not Acls.COPY:
        return acls_check(migration, topics)
    if failed:
        return Check(
            name="acls",
            status=Status.SKIPPED,
            detail=f"no ACL is created where another check failed ({', '.join(failed)}): a next run may have to copy",
        )
    try:
        return _with_policies(check_acls(copy_acls(migration, topics)), migration, topics)
    except (NoAuthorizer, NotAuthorized, NotSupported) as error:
        # The plan refused what cannot be; an ACL that was just made may deny us the rest.
        return Check(name="acls", status=Status.FAIL, detail=str(error))


def stopping_acls(migration: Migration) -> list[Finding]:
    """With ``keep_replicating``, ACLs of ``acls=copy`` that would stop the replication that goes on, or spoil it.

    :raises NoAuthorizer: as ``acl_diff``.
    """
    spec = migration.spec
    if spec.acls is not Acls.COPY or not spec.keep_replicating:
        return []
    topics = migration.topics.targets(spec)
    missing = acl_diff(migration, topics).missing
    principal = principal_of(migration.target.extra)
    return [*stopping_findings(missing, principal, topics.values()), *writers_findings(missing, topics.values())]


def unmatched_principals(migration: Migration) -> list[Finding]:
    """Expressions of the param ``principals`` that match nobody, as far as the source tells who there is."""
    table = Principals(migration.spec.principals)
    if not table.table:
        return []
    there, asked = set[str](), 0
    with suppress(NotAuthorized, NotSupported):
        there |= {name for acl in migration.source.admin.acls() or () for name in (acl.principal, acl.name)}
        asked += 1
    with suppress(NotAuthorized, NotSupported):
        users = (dict(quota.entity).get("user") for quota in KafkaQuotas.of(migration.source).quotas())
        there |= {f"User:{user}" for user in users if user is not None}
        asked += 1
    with suppress(NotAuthorized, NotSupported):
        there |= {f"User:{user.name}" for user in KafkaScramUsers.of(migration.source).users()}
        asked += 1
    return principals_findings(table.unmatched(there)) if asked else []
