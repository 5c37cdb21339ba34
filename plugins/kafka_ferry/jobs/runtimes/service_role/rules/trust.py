"""Whether a role's trust policy lets MSK Connect take it, for given connectors. Pure.

Sources: IAM user guide, "IAM JSON policy elements: Condition operators" and "AWS global condition context keys"; MSK
developer guide, "Cross-service confused deputy prevention": the request has ``aws:SourceAccount`` and
``aws:SourceArn``, the ARN of the connector. What a condition on another key says nobody knows here: it is a warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kafka_ferry.core.shortlist import shortlist
from kafka_ferry.jobs.runtimes.service_role.rules.role_problem import RoleProblem
from kafka_ferry.jobs.runtimes.service_role.rules.roles import SERVICE

_ACTION = "sts:AssumeRole"
_QUANTIFIER = re.compile(r"^For(Any|All)Values?:", re.IGNORECASE)


def trust_problems(
    document: Mapping[str, Any], account: str, connectors: Iterable[str], wanted: Mapping[str, Any]
) -> list[RoleProblem]:
    """Why MSK Connect may not, or perhaps not, take the role; empty when it may for all connectors.

    :param document: the role's trust policy. ``wanted``: the generated one, for the fix.
    :param account: that the connectors are made in. ``connectors``: their ARNs.
    """
    statements = [one for one in listed(document.get("Statement")) if _names(one)]
    fix = f"give the role this trust policy: {json.dumps(wanted)}"
    if not any(one.get("Effect") == "Allow" for one in statements):
        return [RoleProblem(f"its trust policy does not let {SERVICE} assume it ({_ACTION})", fix)]
    found: list[RoleProblem] = []
    for connector in connectors:
        problem = _problem(statements, {"aws:sourceaccount": account, "aws:sourcearn": connector}, fix)
        if problem and problem not in found:
            found.append(problem)
    return found[:1]  # what keeps one connector out keeps the others out; the fix is the same


def _problem(statements: list[Mapping[str, Any]], request: Mapping[str, str], fix: str) -> RoleProblem | None:
    who = f"as connector {request['aws:sourcearn']} of account {request['aws:sourceaccount']}"
    verdicts = [(one, _applies(one, request)) for one in statements]
    denies = {verdict: one for one, verdict in verdicts if one.get("Effect") == "Deny" and verdict is not False}
    allows = {verdict: one for one, verdict in verdicts if one.get("Effect") == "Allow"}
    if True in denies:
        return RoleProblem(f"a Deny of its trust policy keeps MSK Connect out {who}", fix)
    if True in allows and not denies:
        return None
    if True in allows or None in allows:
        unclear = denies[None] if True in allows else allows[None]
        conditions = _conditions(unclear) or "its principals"
        what = f"whether MSK Connect may assume it {who} depends on {conditions}, of which "
        return RoleProblem(f"{what}IAM alone can tell", fix, sure=False)
    return RoleProblem(f"its trust policy keeps MSK Connect out {who}: it asks for {_conditions(allows[False])}", fix)


def _names(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is about MSK Connect taking the role."""
    if "NotAction" in statement:
        acts = not any(matches_wildcards(_ACTION, one, any_case=True) for one in listed(statement["NotAction"]))
    else:
        acts = any(matches_wildcards(_ACTION, one, any_case=True) for one in listed(statement.get("Action")))
    return acts and _is_principal(statement) is not False


def _is_principal(statement: Mapping[str, Any]) -> bool | None:
    """None: everybody, which may or may not mean services, or everybody but some."""
    principal = statement.get("Principal")
    if "NotPrincipal" in statement or principal == "*":
        return None
    if not isinstance(principal, Mapping):
        return False
    if SERVICE in listed(principal.get("Service")):
        return True
    return None if "*" in [*listed(principal.get("Service")), *listed(principal.get("AWS"))] else False


def _applies(statement: Mapping[str, Any], request: Mapping[str, str]) -> bool | None:
    answers = [_is_principal(statement)]
    for operator, keys in (statement.get("Condition") or {}).items():
        answers += [_holds(operator, request.get(key.lower()), listed(values)) for key, values in keys.items()]
    return False if False in answers else None if None in answers else True


def _holds(operator: str, value: str | None, patterns: list[Any]) -> bool | None:
    """Whether one condition holds. None: not to be told without the request itself."""
    base = _QUANTIFIER.sub("", operator).lower().removesuffix("ifexists")
    if value is None or any("${" in str(pattern) for pattern in patterns):
        return None
    if base == "null":
        return [str(pattern).lower() for pattern in patterns] == ["false"]
    tests: dict[str, Callable[[str], bool]] = {
        "stringequals": lambda pattern: value == pattern,
        "stringequalsignorecase": lambda pattern: value.lower() == pattern.lower(),
        "stringlike": lambda pattern: matches_wildcards(value, pattern),
        "arnequals": lambda pattern: _arn_like(value, pattern),
        "arnlike": lambda pattern: _arn_like(value, pattern),
    }
    test = tests.get(base.replace("not", ""))
    if test is None:
        return None
    return any(test(str(pattern)) for pattern in patterns) != ("not" in base)


def _arn_like(arn: str, pattern: str) -> bool:
    """Part by part: ``*`` does not go beyond a colon, but in the last part."""
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(matches_wildcards, parts, patterns))


def _conditions(statement: Mapping[str, Any]) -> str:
    found = (statement.get("Condition") or {}).items()
    return shortlist(
        f"{operator} {key} {shortlist(map(str, listed(v)))}" for operator, keys in found for key, v in keys.items()
    )


def matches_wildcards(text: str, pattern: str, any_case: bool = False) -> bool:
    """IAM's wildcards: ``*`` is any text, ``?`` one character, all others themselves."""
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, text, re.DOTALL | (re.IGNORECASE if any_case else re.NOFLAG)) is not None


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one without brackets."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
