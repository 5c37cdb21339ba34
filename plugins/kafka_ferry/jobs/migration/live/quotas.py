"""The client quotas of a migration's clusters, compared and set."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import partial

from kafka_ferry.core.changes import Change
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.principals import Principals
from kafka_ferry.core.quotas import (
    READING,
    WRITING,
    QuotaDiff,
    check_quotas,
    compare_quotas,
    slow_findings,
    stopping_quota_findings,
    unseen_finding,
)
from kafka_ferry.exceptions import NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.authorized_operations import principal_of
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.jobs.common.quotas import quotas_to_set, set_quotas
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.around import Quotas


def quota_diff(migration: Migration) -> QuotaDiff:
    """Source against target, whole clusters.

    :raises NotSupported: one of them tells no quotas. ``NotAuthorized``: they may not be read there.
    """
    source, target = (KafkaQuotas.of(cluster).quotas() for cluster in (migration.source, migration.target))
    return compare_quotas(source, target, Principals(migration.spec.principals))


def quotas_check(migration: Migration, failed: Collection[str], *, only_compare: bool) -> Check:
    """The check ``quotas``; with ``quotas=copy`` they are set before, when no other check failed.

    :param failed: names of the other checks that did. ``only_compare``: set nothing, whatever the param says.
    """
    asked = migration.spec.quotas
    if asked is Quotas.SKIP:
        return Check(name="quotas", status=Status.SKIPPED, detail="param quotas is skip")
    copy = asked is Quotas.COPY and not only_compare
    if copy and failed:
        why = f"no quota is set where another check failed ({', '.join(sorted(failed))}): a next run may have to copy"
        return Check(name="quotas", status=Status.SKIPPED, detail=why)
    try:
        look = partial(quota_diff, migration)
        diff, refused = set_quotas(migration.target, look) if copy else (look(), [])
        return check_quotas(diff, copied=copy, brokers=_brokers(migration), refused=refused)
    except (NotSupported, NotAuthorized) as error:
        # The plan refused a copy that cannot be; what changed since must not pass for done.
        return Check(name="quotas", status=Status.FAIL if copy else Status.SKIPPED, detail=str(error))


def quota_changes(migration: Migration) -> list[Change]:
    """What ``quotas=copy`` would set.

    :raises BadParam: it cannot be done there, or the target refuses one.
    """
    if migration.spec.quotas is not Quotas.COPY:
        return []
    return quotas_to_set(migration.target, partial(quota_diff, migration), "check, or skip").changes()


def quota_findings(migration: Migration) -> list[Finding]:
    """What slows the copy, and what would slow a replication that goes on."""
    spec, found = migration.spec, []
    sides = ((migration.source, "source_conn_id", READING), (migration.target, "target_conn_id", WRITING))
    for cluster, param, keys in sides:
        try:
            quotas = KafkaQuotas.of(cluster).quotas()
        except (NotSupported, NotAuthorized) as error:
            found.append(unseen_finding(cluster.conn_id, str(error)))
        else:
            found += slow_findings(cluster.conn_id, param, principal_of(cluster.extra), quotas, keys)
    if spec.quotas is Quotas.COPY and spec.keep_replicating:
        with suppress(NotSupported, NotAuthorized):  # quota_changes refuses it
            found += stopping_quota_findings(quota_diff(migration), principal_of(migration.target.extra))
    return found


def _brokers(migration: Migration) -> tuple[int, int]:
    return migration.source.admin.describe_cluster().brokers, migration.target.admin.describe_cluster().brokers
