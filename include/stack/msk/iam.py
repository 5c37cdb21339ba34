"""As much of IAM as a check of a service role asks: roles to look at, and the policy simulator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stack.msk import ACCOUNT
from stack.msk.wire import Refused

_SERVICE = "kafkaconnect.amazonaws.com"
Document = dict[str, Any]


def trust_of(service: str = _SERVICE, **condition: Any) -> Document:
    """A trust policy as the developer guide shows it."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}


def allow(
    action: str | list[str] = "*", resource: str | list[str] = "*", effect: str = "Allow", **more: Any
) -> Document:
    """A policy of one statement."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


@dataclass
class Role:
    """One role.

    :param boundary: its permissions boundary; None: none.
    """

    name: str
    path: str = "/"
    trust: Document = field(default_factory=trust_of)
    policies: list[Document] = field(default_factory=lambda: [allow("kafka-cluster:*")])
    boundary: Document | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role{self.path}{self.name}"


class Iam:
    """``GetRole`` and ``SimulatePrincipalPolicy``.

    Simulated are Allow and Deny with ``Action`` and ``Resource``, and the boundary. A statement with a condition does
    not count as an Allow, and its keys are told as missing: the caller gives no context.
    """

    def __init__(self) -> None:
        #: By name. Those that the stack and the examples use are there, and may do all on clusters.
        self.roles = {name: Role(name) for name in ("ferry-connect", "connect", "msk-connect")}

    def get_role(self, params: Document) -> Document:
        role = self._named(params["RoleName"])
        about = {"Path": role.path, "RoleName": role.name, "RoleId": "AROADOUBLE0000000000", "Arn": role.arn}
        return {
            "Role": {
                **about,
                "CreateDate": datetime(2026, 1, 1, tzinfo=UTC),
                "AssumeRolePolicyDocument": json.dumps(role.trust),
            }
        }

    def simulate_principal_policy(self, params: Document) -> Document:
        role = next((one for one in self.roles.values() if one.arn == params["PolicySourceArn"]), None)
        if role is None:
            raise Refused("NoSuchEntity", f"The role with ARN {params['PolicySourceArn']} cannot be found.")
        results = [_result(role, action, params.get("ResourceArns", ["*"])) for action in params["ActionNames"]]
        begin = int(params.get("Marker", "0"))
        # MaxItems counts results; IAM may give fewer at any time.
        end = begin + min(int(params.get("MaxItems", 100)), 5)
        more = {"IsTruncated": True, "Marker": str(end)} if end < len(results) else {"IsTruncated": False}
        return {"EvaluationResults": results[begin:end], **more}

    def _named(self, name: str) -> Role:
        if name not in self.roles:
            raise Refused("NoSuchEntity", f"The role with name {name} cannot be found.")
        return self.roles[name]


def _result(role: Role, action: str, resources: list[str]) -> Document:
    specific = [_decision(role, action, resource) for resource in resources]
    order = ["explicitDeny", "implicitDeny", "allowed"]
    whole = min((one["EvalResourceDecision"] for one in specific), key=order.index)
    result = {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": whole}
    return {**result, "ResourceSpecificResults": specific}


def _decision(role: Role, action: str, resource: str) -> Document:
    said, keys = _judged(role.policies, action, resource)
    found: Document = {"EvalResourceName": resource, "EvalResourceDecision": said}
    if role.boundary is not None:
        bounded, more = _judged([role.boundary], action, resource)
        keys |= more
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": bounded == "allowed"}
        if bounded != "allowed" and said == "allowed":
            found["EvalResourceDecision"] = bounded
    return {**found, "MissingContextValues": sorted(keys)} if keys else found


def _judged(policies: Iterable[Document], action: str, resource: str) -> tuple[str, set[str]]:
    said, keys = "implicitDeny", set[str]()
    for statement in (one for policy in policies for one in policy["Statement"]):
        if not _matches(statement, action, resource):
            continue
        if conditions := statement.get("Condition"):
            keys |= {key for operator in conditions.values() for key in operator}
        elif statement["Effect"] == "Deny":
            return "explicitDeny", keys
        else:
            said = "allowed"
    return said, keys


def _matches(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    def any_of(patterns: str | list[str], text: str, flags: int = 0) -> bool:
        every = [patterns] if isinstance(patterns, str) else patterns
        regexes = (re.escape(one).replace(r"\*", ".*").replace(r"\?", ".") for one in every)
        return any(re.fullmatch(regex, text, flags) for regex in regexes)

    return any_of(statement["Action"], action, re.IGNORECASE) and any_of(statement["Resource"], resource)
