"""The ACLs of one migration, compared with the target."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from kafka_ferry.core.acls import AclDiff, check_acls, compare_acls, stopping_findings
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding
from kafka_ferry.exceptions import FerryError, NotAuthorized
from kafka_ferry.hooks.kafka.authorized_operations import principal_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.spec import Acls

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 30.0


class NoAuthorizer(FerryError):
    """A cluster without authorizer has no ACLs, and takes none."""


def acl_diff(migration: Migration, topics: Mapping[str, str]) -> AclDiff:
    """Source against target, for these topics (source to target name) and the migration's groups.

    :raises NoAuthorizer: on one of the two. ``NotAuthorized``: ACLs may not be read there.
    """
    found = {}
    for cluster in (migration.source, migration.target):
        acls = cluster.admin.acls()
        if acls is None:
            raise NoAuthorizer(f"{cluster.conn_id}: SECURITY_DISABLED: no authorizer")
        found[cluster.conn_id] = acls
    spec = migration.spec
    return compare_acls(
        found[spec.source_conn_id], found[spec.target_conn_id], topics, migration.groups.selection.names
    )


def acls_check(migration: Migration, topics: Mapping[str, str]) -> Check:
    """The check ``acls``; skipped, with the reason, where ACLs cannot be compared."""
    if migration.spec.acls is Acls.SKIP:
        return Check(name="acls", status=Status.SKIPPED, detail="param acls is skip")
    try:
        return check_acls(acl_diff(migration, topics))
    except (NoAuthorizer, NotAuthorized) as error:
        return Check(name="acls", status=Status.SKIPPED, detail=str(error))


def copy_acls(migration: Migration, topics: Mapping[str, str]) -> AclDiff:
    """Make the missing ACLs on the target and wait until it shows them; safe to repeat. What it then shows.

    When all is copied and compared: a DENY of a source that is frozen for the cutover would stop the copy, and where
    ``allow.everyone.if.no.acl.found`` is on, a topic's first ACL of any kind shuts out who has none.
    """
    diff = acl_diff(migration, topics)
    migration.target.admin.create_acls(diff.missing)
    for acl in diff.missing:
        log.info("made %s", acl)
    # What the controller took, a broker knows a moment later (measured).
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while diff.missing and time.monotonic() < deadline:
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
    return check_acls(copy_acls(migration, topics))


def stopping_acls(migration: Migration) -> list[Finding]:
    """With ``keep_replicating``, ACLs of ``acls=copy`` that would stop the replication that goes on.

    :raises NoAuthorizer: as ``acl_diff``.
    """
    spec = migration.spec
    if spec.acls is not Acls.COPY or not spec.keep_replicating:
        return []
    missing = acl_diff(migration, migration.topics.targets(spec)).missing
    return stopping_findings(missing, principal_of(migration.target.extra))
