"""What the decisions of IAM's policy simulator say about a role. Pure.

Source: IAM API reference, ``SimulatePrincipalPolicy``: it follows identity policies, the permissions boundary and
service control policies; resource policies not at all for roles, resource control policies not at all. A key of a
condition that only the real request has is in ``MissingContextValues``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.jobs.runtimes.service_role.rules.role_problem import RoleProblem
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Statement, policy_of


@dataclass(frozen=True)
class Decision:
    """One action on one resource.

    :param said: ``allowed``, ``implicitDeny`` or ``explicitDeny``; empty: the simulator did not say.
    :param keys: of conditions, that the simulator did not know.
    :param boundary, organization: whether the permissions boundary, or a service control policy, stands against it.
    """

    action: str
    resource: str
    said: str = ""
    keys: tuple[str, ...] = ()
    boundary: bool = False
    organization: bool = False


def decisions_of(results: Iterable[Mapping[str, Any]]) -> list[Decision]:
    """From ``EvaluationResults``. Of a result for several resources each resource's own decision counts."""
    found = []
    for result in results:
        action, organizations = result["EvalActionName"], result.get("OrganizationsDecisionDetail", {})
        name, said = result.get("EvalResourceName", "*"), result["EvalDecision"]
        whole = {**result, "EvalResourceName": name, "EvalResourceDecision": said}
        for one in result.get("ResourceSpecificResults") or [whole]:
            boundary = one.get("PermissionsBoundaryDecisionDetail", result.get("PermissionsBoundaryDecisionDetail", {}))
            found.append(
                Decision(
                    action,
                    one["EvalResourceName"],
                    one["EvalResourceDecision"],
                    tuple(one.get("MissingContextValues", ())),
                    boundary=not boundary.get("AllowedByPermissionsBoundary", True),
                    organization=not organizations.get("AllowedByOrganizations", True),
                )
            )
    return found


def permission_problems(
    generated: Sequence[Statement],
    asked: Sequence[Statement],
    decisions: Iterable[Decision],
    elsewhere: str = "",
) -> list[RoleProblem]:
    """What the role lacks.

    :param generated: the document to use; ``asked``: the same, line by line, with the names that were asked about.
    :param elsewhere: why something that was not seen may allow what is missing; empty when nothing can.
    """
    told = {(one.action, one.resource): one for one in decisions}
    refused = [
        (number, told.get((action, resource), Decision(action, resource)))
        for number, statement in enumerate(asked)
        for resource in statement.resources
        for action in statement.actions
    ]
    refused = [(number, one) for number, one in refused if one.said != "allowed"]

    def take_out(test: Callable[[Decision], bool]) -> list[tuple[int, Decision]]:
        """Takes them out, so that each is told once."""
        nonlocal refused
        mine = [(number, one) for number, one in refused if test(one)]
        refused = [(number, one) for number, one in refused if not test(one)]
        return mine

    problems = []
    if silent := take_out(lambda one: not one.said):
        what = f"IAM's simulator did not say whether it may {_words(silent)}"
        problems.append(RoleProblem(what, _attach(generated, silent), sure=False))
    if unclear := take_out(lambda one: bool(one.keys)):
        keys = shortlist(key for _, one in unclear for key in one.keys)
        what = f"whether it may {_words(unclear)} depends on {keys}, which only the real request can show"
        problems.append(RoleProblem(what, "make sure that these conditions allow the connectors' subnets", sure=False))
    if denied := take_out(lambda one: one.said == "explicitDeny" and not one.organization):
        what = f"a Deny in one of its policies revokes {_words(denied)}"
        problems.append(RoleProblem(what, "remove that Deny, or exclude these resources from it"))
    if outside := take_out(lambda one: one.organization):
        what = f"a service control policy of the organization denies {_words(outside)}"
        problems.append(RoleProblem(what, "have the organization's policy allow it"))
    if bounded := take_out(lambda one: one.boundary):
        what = f"its permissions boundary does not allow {_words(bounded)}"
        fix = f"let the boundary, and a policy of the role, allow it: {_document(generated, bounded)}"
        problems.append(RoleProblem(what, fix))
    if secrets := take_out(lambda one: one.action.startswith("secretsmanager:")):
        what = f"it lacks {_words(secrets)} (the secret's own policy, which is not checked, may allow it)"
        problems.append(RoleProblem(what, _attach(generated, secrets), sure=False))
    if refused:
        hint = f" ({elsewhere})" if elsewhere else ""
        what = f"it lacks {_words(refused)}{hint}"
        problems.append(RoleProblem(what, _attach(generated, refused), sure=not elsewhere))
    return problems


def _words(found: Sequence[tuple[int, Decision]]) -> str:
    """``kafka-cluster:A, kafka-cluster:B on <resource> and 3 more; …``"""
    actions: dict[tuple[int, str], list[str]] = {}
    for number, one in found:
        actions.setdefault((number, one.action), []).append(one.resource)
    alike: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for (number, action), resources in actions.items():
        alike.setdefault((number, tuple(resources)), []).append(action)
    return "; ".join(f"{', '.join(names)} on {shortlist(resources)}" for (_, resources), names in alike.items())


def _attach(generated: Sequence[Statement], found: Sequence[tuple[int, Decision]]) -> str:
    return f"attach this policy to it: {_document(generated, found)}"


def _document(generated: Sequence[Statement], found: Sequence[tuple[int, Decision]]) -> str:
    lacking: dict[int, list[str]] = {}
    for number, one in found:
        actions = lacking.setdefault(number, [])
        if one.action not in actions:
            actions.append(one.action)
    statements = [Statement(tuple(actions), generated[number].resources) for number, actions in lacking.items()]
    return json.dumps(policy_of(statements))
