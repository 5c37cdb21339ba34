"""The SCRAM users of a migration's clusters, compared and made."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.changes import Change
from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.principals import Principals
from kafka_ferry.core.scram_users import ScramDiff, check_scram_users, compare_scram_users, needless_findings
from kafka_ferry.exceptions import BadConnection, BadParam, NotAuthorized, NotSupported
from kafka_ferry.hooks.kafka.scram_users import KafkaScramUsers
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.around import ScramUsers

log = logging.getLogger(__name__)

_VISIBLE_SECONDS = 30.0


def passwords_of(conn_id: str) -> dict[str, str]:
    """Users and their new passwords, as a connection's password has them. All are masked in the log from here on.

    :raises BadConnection: no such connection, or its password is no such object; nothing of it is in the error.
    """
    fix = 'Fix: set its password to a JSON object such as {"app": "a new password"}'
    try:
        text = BaseHook.get_connection(conn_id).password or ""
    except AirflowNotFoundException as error:
        raise BadConnection(f"scram_conn_id: connection {conn_id!r} does not exist. {fix}") from error
    if text:
        mask_secret(text)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found or not all(isinstance(one, str) and one for one in found.values()):
        # Without a cause: json's own error holds the text.
        raise BadConnection(
            f"scram_conn_id: the password of connection {conn_id!r} is no object of texts. {fix}"
        ) from None
    for secret in found.values():
        mask_secret(secret)
    return found


def scram_diff(migration: Migration) -> ScramDiff:
    """Source against target, whole clusters.

    :raises NotSupported: one of them tells no users. ``NotAuthorized``: they may not be listed there.
    """
    source, target = (KafkaScramUsers.of(cluster).users() for cluster in (migration.source, migration.target))
    return compare_scram_users(source, target, Principals(migration.spec.principals))


def scram_users_check(migration: Migration, failed: Collection[str], *, only_compare: bool) -> Check:
    """The check ``scram_users``; with ``scram_users=create`` they are made before, when no other check failed.

    :param failed: names of the other checks that did. ``only_compare``: make none, whatever the param says.
    """
    asked = migration.spec.scram_users
    if asked is ScramUsers.SKIP:
        return Check(name="scram_users", status=Status.SKIPPED, detail="param scram_users is skip")
    create = asked is ScramUsers.CREATE and not only_compare
    if create and failed:
        why = f"no user is made where another check failed ({', '.join(sorted(failed))}): a next run may have to copy"
        return Check(name="scram_users", status=Status.SKIPPED, detail=why)
    try:
        if not create:
            return check_scram_users(scram_diff(migration))
        passwords = passwords_of(migration.spec.scram_conn_id or "")
        return check_scram_users(_make_users(migration, passwords), passwords)
    except (NotSupported, NotAuthorized) as error:
        # The plan refused what cannot be; what changed since must not pass for done.
        return Check(name="scram_users", status=Status.FAIL if create else Status.SKIPPED, detail=str(error))


def scram_changes(migration: Migration) -> tuple[list[Change], list[Finding]]:
    """What ``scram_users=create`` would do, and passwords that would be of no use.

    :raises BadParam: it cannot be done there. ``BadConnection``: as ``passwords_of``.
    """
    if migration.spec.scram_users is not ScramUsers.CREATE:
        return [], []
    passwords = passwords_of(migration.spec.scram_conn_id or "")
    try:
        diff = scram_diff(migration)
    except (NotSupported, NotAuthorized) as error:
        raise BadParam("scram_users", f"is create, but {error}", "scram_users: check, or skip") from error
    return diff.changes(passwords), needless_findings(passwords, diff)


def _make_users(migration: Migration, passwords: dict[str, str]) -> ScramDiff:
    """Make those that are missing and have a password, and wait until the target shows them; safe to repeat."""
    diff = scram_diff(migration)
    wanted = {user: passwords[user.name] for user in diff.to_create(passwords)}
    KafkaScramUsers.of(migration.target).make(wanted)
    for user in wanted:
        log.info("made the SCRAM user %s", user)
    # What the controller took, a broker knows a moment later.
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while diff.to_create(passwords) and time.monotonic() < deadline:
        time.sleep(0.2)
        diff = scram_diff(migration)
    return diff
