"""Rights that something needs on a cluster, and what is said about a missing one. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.rights import Resource, Rights

CODE = "permissions"


@dataclass(frozen=True)
class Need:
    """One right that a run needs.

    :param why: for people, after the operation: ``to copy into it``.
    :param severity: ``refuse`` where the run would fail without it, ``warn`` where it would leave a step out.
    """

    resource: Resource
    operation: str
    why: str
    severity: Severity = Severity.REFUSE


def permission_findings(rights: Rights, needs: Sequence[Need], param: str) -> list[Finding]:
    """One finding for each resource and severity that lacks rights, and one for all that could not be foreseen.

    :param param: that a refusal names: of the cluster's connection.
    """
    lacking: dict[tuple[Resource, Severity], list[Need]] = {}
    unknown: list[Need] = []
    for need in needs:
        allowed = rights.may(*_of(need))
        if allowed is False:
            lacking.setdefault((need.resource, need.severity), []).append(need)
        elif allowed is None:
            unknown.append(need)
    found = [_finding(rights, severity, mine, param) for (_, severity), mine in lacking.items()]
    return [*found, *([_not_seen(rights, unknown, param)] if unknown else [])]


def _finding(rights: Rights, severity: Severity, needs: Sequence[Need], param: str) -> Finding:
    reasons: dict[str, list[str]] = {}
    for need in needs:
        operations = reasons.setdefault(need.why, [])
        operations += [need.operation] if need.operation not in operations else []
    what = "; ".join(f"{' and '.join(operations)}, {why}" for why, operations in reasons.items())
    subject = f"{label(needs[0].resource)} on {rights.conn_id}"
    return Finding(severity, CODE, subject, f"{principal_name(rights)} lacks {what}", _cure(rights, needs), param)


def _cure(rights: Rights, needs: Sequence[Need]) -> str:
    resource = needs[0].resource
    operations = list(dict.fromkeys(need.operation for need in needs))
    denied = {acl: None for operation in operations for acl in rights.denials(resource, operation)}
    commands = [f"kafka-acls {acl.command().replace('--add', '--remove', 1)}" for acl in denied]
    missing = [operation for operation in operations if not rights.denials(resource, operation)]
    if missing:
        commands.append(grant_command(rights, resource, missing))
    return " && ".join(commands)


def grant_command(rights: Rights, resource: Resource, operations: Iterable[str]) -> str:
    """The command of Kafka's that gives these rights; ``--bootstrap-server`` is left to the reader."""
    kind, name = resource
    parts = ["--add", "--allow-principal", rights.principal or "User:<its principal>"]
    parts += [part for operation in operations for part in ("--operation", operation)]
    parts += ["--cluster"] if kind == "CLUSTER" else [f"--{kind.lower()}", name]
    return f"kafka-acls {shlex.join(parts)}"


def _not_seen(rights: Rights, needs: Sequence[Need], param: str) -> Finding:
    operations = ", ".join(sorted({need.operation for need in needs}))
    names = list(dict.fromkeys(label(need.resource) for need in needs))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Finding(
        Severity.ADVISE,
        CODE,
        f"rights on {rights.conn_id}",
        f"{operations} on {', '.join(names[:3])}{more} could not be checked: what does not exist yet has no rights to "
        f"ask for, and {rights.reason}",
        "the table in docs/security.md; a missing right stops the run at the step that needs it",
        param,
    )


def principal_name(rights: Rights) -> str:
    """The principal, or whose it is."""
    return rights.principal or f"the user of connection {rights.conn_id}"


def label(resource: Resource) -> str:
    """``topic orders``, ``group billing``, ``the cluster``."""
    return "the cluster" if resource[0] == "CLUSTER" else f"{resource[0].lower()} {resource[1]}"


def _of(need: Need) -> tuple[Resource, str]:
    return need.resource, need.operation
