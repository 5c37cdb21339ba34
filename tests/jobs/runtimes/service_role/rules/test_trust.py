"""Trust policies, and whom they let in."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.jobs.runtimes.service_role.rules.roles import SERVICE, trust_policy
from kafka_ferry.jobs.runtimes.service_role.rules.trust import matches_wildcards, trust_problems

ACCOUNT = "123456789012"
ARN = f"arn:aws:kafkaconnect:eu-west-1:{ACCOUNT}:connector/orders-source/0000-1"
WANTED = trust_policy(ACCOUNT, "orders*", "eu-west-1")


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole", **changes}


def problems(*statements: dict[str, Any]) -> list[Any]:
    return trust_problems({"Statement": list(statements)}, ACCOUNT, [ARN], WANTED)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Action": ["sts:TagSession", "STS:Assume*"]},
        {"Principal": {"Service": ["ec2.amazonaws.com", SERVICE], "AWS": "arn:aws:iam::1:root"}},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": [ACCOUNT, "1"]}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:kafkaconnect:*:{ACCOUNT}:connector/orders*"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": ARN}, "Null": {"aws:SourceArn": "false"}}},
        {"Condition": {"StringLikeIfExists": {"aws:SourceArn": "arn:*orders*"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Action": None, "NotAction": "sts:TagSession"},
    ],
)
def test_let_in(changes: dict[str, Any]) -> None:
    assert problems({key: value for key, value in statement(**changes).items() if value}) == []


def test_the_generated_policy_lets_its_own_connectors_in_and_no_others() -> None:
    assert trust_problems(WANTED, ACCOUNT, [ARN], WANTED) == []
    for other in (ARN.replace("orders", "payments"), ARN.replace("eu-west-1", "us-east-1")):
        (problem,) = trust_problems(WANTED, ACCOUNT, [ARN, other], WANTED)
        assert problem.sure
        assert other in problem.what
        assert "ArnLike aws:SourceArn" in problem.what


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, f"does not let {SERVICE} assume it"),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, f"does not let {SERVICE} assume it"),
        ({"Action": "sts:TagSession"}, f"does not let {SERVICE} assume it"),
        ({"Effect": "Deny"}, f"does not let {SERVICE} assume it"),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}, "aws:SourceAccount 999999999999"),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"{ARN[:-6]}1111-1"}}}, "aws:SourceArn"),
        # A star does not go beyond a colon here.
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:kafkaconnect:*:connector/orders*"}}}, "aws:SourceArn"),
        ({"Condition": {"Null": {"aws:SourceArn": "true"}}}, "Null aws:SourceArn"),
    ],
)
def test_kept_out_with_the_document_that_would_do(changes: dict[str, Any], words: str) -> None:
    (problem,) = problems(statement(**changes))
    assert problem.sure
    assert words in problem.what
    assert '"aws:SourceAccount": "123456789012"' in problem.fix


@pytest.mark.parametrize(
    "changes",
    [
        {"Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}},
        {"Condition": {"DateGreaterThan": {"aws:SourceAccount": "1"}}},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
    ],
)
def test_what_only_iam_can_tell_is_a_warning(changes: dict[str, Any]) -> None:
    (problem,) = problems(statement(**changes))
    assert not problem.sure
    assert "IAM alone can tell" in problem.what
    assert problems(statement(**changes), statement()) == []


def test_a_deny_counts_more_than_an_allow() -> None:
    (problem,) = problems(statement(), statement(Effect="Deny"))
    assert problem.sure
    assert "a Deny" in problem.what
    (problem,) = problems(statement(), statement(Effect="Deny", Principal="*"))
    assert not problem.sure
    elsewhere = {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}
    assert problems(statement(), statement(Effect="Deny", Principal="*", Condition=elsewhere)) == []


def test_wildcards_are_iams_and_nothing_else_is() -> None:
    assert matches_wildcards("a.b[c]", "a.b[c]")
    assert matches_wildcards("axb", "a?b")
    assert not matches_wildcards("axb", "a.b")
    assert not matches_wildcards("b", "[b]")
    assert not matches_wildcards("A", "a")
    assert matches_wildcards("A", "a", any_case=True)
