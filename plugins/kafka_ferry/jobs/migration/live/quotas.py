"""The client quotas of a migration's clusters, compared and set."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from contextlib import suppress

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
from kafka_ferry.exceptions import BadParam, NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.authorized_operations import principal_of
from kafka_ferry.hooks.kafka.quotas import KafkaQuotas
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.around import Quotas

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 30.0


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
        diff, refused = _set_quotas(migration) if copy else (quota_diff(migration), [])
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
    try:
        diff = quota_diff(migration)
        refused = KafkaQuotas.of(migration.target).set_quotas(diff.to_set, validate_only=True)
    except (NotSupported, NotAuthorized) as error:
        raise BadParam("quotas", f"is copy, but {error}", "quotas: check, or skip") from error
    if refused:
        raise BadParam("quotas", f"is copy, but the target refuses {'; '.join(refused[:3])}", "quotas: check, or skip")
    return diff.changes()


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


def _set_quotas(migration: Migration) -> tuple[QuotaDiff, list[str]]:
    """Set what is missing or different and wait until the target shows it; safe to repeat."""
    diff = quota_diff(migration)
    refused = KafkaQuotas.of(migration.target).set_quotas(diff.to_set)
    for quota in diff.to_set:
        log.info("set %s", quota)
    # What the controller took, a broker knows a moment later.
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while diff.to_set and not refused and time.monotonic() < deadline:
        time.sleep(0.2)
        diff = quota_diff(migration)
    return diff, refused


def _brokers(migration: Migration) -> tuple[int, int]:
    return migration.source.admin.describe_cluster().brokers, migration.target.admin.describe_cluster().brokers
