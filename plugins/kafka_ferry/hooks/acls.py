"""The ACLs of one migration, held against the target."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_ferry.exceptions import FerryError, NotAuthorized
from kafka_ferry.hooks.migration import Migration
from kafka_ferry.migration.acls import AclDiff, check_acls, compare_acls
from kafka_ferry.migration.spec import Acls
from kafka_ferry.report.model import Check, Status


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
    """Make the missing ACLs on the target; safe to repeat. Returns what was missing before."""
    diff = acl_diff(migration, topics)
    migration.target.admin.create_acls(diff.missing)
    return diff
