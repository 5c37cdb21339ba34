"""A service role, asked from IAM: its trust policy, and what IAM's policy simulator says of its permissions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.client import MskClient
from kafka_ferry.hooks.msk_connect.rules.errors import MskConnectUnavailable, ResourceNotFound
from kafka_ferry.jobs.runtimes.service_role.rules.role_check import RoleCheck
from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import RoleNeeds
from kafka_ferry.jobs.runtimes.service_role.rules.role_permissions import Decision, decisions_of, permission_problems
from kafka_ferry.jobs.runtimes.service_role.rules.role_problem import RoleProblem
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Statement
from kafka_ferry.jobs.runtimes.service_role.rules.trust import trust_problems

with brought_by("aws"):
    from botocore.config import Config

_PAGE = 1000  # decisions in one answer, the most that IAM gives
_NAMES = {"get_role": "iam:GetRole", "simulate_principal_policy": "iam:SimulatePrincipalPolicy"}
_NO_LOGIN = "permissions on the cluster were not checked: it accepts these connectors without IAM"
_LINKED = RoleProblem(
    # Developer guide, "Understand service execution role".
    "it is a service-linked role, which MSK Connect does not accept",
    "a role of your own",
)
_THROTTLED = ("Throttling", "ThrottlingException", "RequestLimitExceeded")


class RoleHook(MskClient):
    """Interact with AWS Identity and Access Management (IAM), only to read one role.

    Arguments are those of ``AwsBaseHook``.

    :cvar tries, pause: for calls that IAM throttles; seconds before the second try, doubled with each.
    """

    next_page = "Marker"
    tries, pause = 4, 1.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "iam"
        super().__init__(*args, **kwargs)

    @property
    def config(self) -> Config:
        """The connection's; a network without a way to IAM costs seconds, not minutes."""
        merged: Config = super().config.merge(Config(connect_timeout=5, read_timeout=20))
        return merged

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """As ``MskClient.call``; what IAM throttles is tried again."""
        for attempt in range(self.tries - 1):
            try:
                return super().call(operation, **params)
            except MskConnectUnavailable as fault:
                if fault.code not in _THROTTLED:
                    raise
                time.sleep(self.pause * 2**attempt)
        return super().call(operation, **params)

    def check(self, needs: RoleNeeds, elsewhere: Callable[[], str] = lambda: "") -> RoleCheck:
        """What is wrong with the role. Never raises for what IAM does not let us see.

        :param elsewhere: asked only when a permission is missing: why something else may grant it, empty when nothing.
        """
        if needs.is_service_linked:
            return RoleCheck((_LINKED,), ("checked the ARN",))
        try:
            trust = self._trust(needs)
            return trust if trust.final else trust.and_also(self._permissions(needs, elsewhere))
        except ResourceNotFound:
            return RoleCheck((_gone(needs),), ("asked IAM for the role",), final=True)

    def _trust(self, needs: RoleNeeds) -> RoleCheck:
        try:
            role = self.call("get_role", RoleName=needs.role_name)["Role"]
        except ResourceNotFound:
            raise
        except FerryError as refusal:
            return RoleCheck(skipped=(f"trust policy: {_unread(refusal, 'get_role')}",))
        if role["Arn"] != needs.role_arn:
            return RoleCheck((_another(role["Arn"]),), ("asked IAM for the role",), final=True)
        found = role.get("AssumeRolePolicyDocument") or {}
        document = json.loads(found) if isinstance(found, str) else found
        problems = trust_problems(document, needs.account, needs.connector_arns, needs.trust())
        return RoleCheck(tuple(problems), ("trust policy read",))

    def _permissions(self, needs: RoleNeeds, elsewhere: Callable[[], str]) -> RoleCheck:
        generated, asked = needs.generated(), needs.asked()
        not_asked = [] if needs.iam else [_NO_LOGIN]
        if left := needs.left_out():
            not_asked.append(f"not asked: {left}")
        if not asked:
            return RoleCheck(not_asked=tuple(not_asked))
        try:
            decisions = self.decisions(needs.role_arn, asked)
        except ResourceNotFound:
            raise
        except FerryError as refusal:
            return RoleCheck(skipped=(f"permissions: {_unread(refusal, 'simulate_principal_policy')}",))
        problems = permission_problems(generated, asked, decisions)
        if problems:
            problems = permission_problems(generated, asked, decisions, elsewhere())
        count = sum(len(one.actions) * len(one.resources) for one in asked)
        return RoleCheck(tuple(problems), (f"{count:,} permissions simulated",), not_asked=tuple(not_asked))

    def decisions(self, role_arn: str, statements: Iterable[Statement]) -> list[Decision]:
        """What IAM's simulator decides of each action on each resource."""
        found: list[Decision] = []
        for statement in statements:
            results = self.pages(
                "simulate_principal_policy",
                "EvaluationResults",
                PolicySourceArn=role_arn,
                ActionNames=list(statement.actions),
                ResourceArns=list(statement.resources),
                MaxItems=_PAGE,
            )
            found += decisions_of(results)
        return found


def _gone(needs: RoleNeeds) -> RoleProblem:
    what = "no such role exists in the account of the AWS connection"
    fix = "the ARN of an existing role; MSK Connect accepts none from another account. To create it, use this "
    return RoleProblem(what, f"{fix}trust policy: {json.dumps(needs.trust())}")


def _another(arn: str) -> RoleProblem:
    what = f"the role of this name in the account of the AWS connection is {arn}"
    return RoleProblem(what, "that ARN: account and path are part of it, and another account's role cannot be used")


def _unread(refusal: FerryError, operation: str) -> str:
    words = str(refusal).removeprefix(f"{operation}: ")
    why = "IAM may not be read" if isinstance(refusal, NotAuthorized | BadConnection) else "IAM gave no answer"
    return f"{why} ({_NAMES[operation]}: {words})"
