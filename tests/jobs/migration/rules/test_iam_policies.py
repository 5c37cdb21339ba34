"""IAM policies that grant on MSK what ACLs grant, held against AWS's own table of what clients need.

Judged by ``roles.missing``, which reads policies as IAM does: it was written for the roles of MSK Connect.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.jobs.migration.rules.iam_policies import MOST_CHARACTERS, iam_policies
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Statement, missing

CLUSTER = "arn:aws-cn:kafka:cn-north-1:123456789012:cluster/shop/1a2b-3"
HEAD = "arn:aws-cn:kafka:cn-north-1:123456789012"
READ = Acl("TOPIC", "orders", "LITERAL", "User:app", "READ")
WRITE = replace(READ, operation="WRITE")
GROUP = Acl("GROUP", "billing", "LITERAL", "User:app", "READ")
TX = Acl("TRANSACTIONAL_ID", "tx", "LITERAL", "User:app", "WRITE")


def policy(*acls: Acl) -> dict[str, Any]:
    made = iam_policies(acls, CLUSTER)
    assert made.left == []
    (document,) = made.documents.values()
    return document


def lacking(document: dict[str, Any], *needed: tuple[str, str]) -> list[str]:
    """Which of these actions, each on its resource, the policy does not give."""
    statements = [Statement((f"kafka-cluster:{action}",), (resource,)) for action, resource in needed]
    return missing(statements, [document])


def topic(name: str = "orders") -> str:
    return f"{HEAD}:topic/shop/1a2b-3/{name}"


def group(name: str = "billing") -> str:
    return f"{HEAD}:group/shop/1a2b-3/{name}"


def tx(name: str = "tx") -> str:
    return f"{HEAD}:transactional-id/shop/1a2b-3/{name}"


#: MSK's developer guide, "Common use cases for client authorization policy".
CONSUME = [
    ("Connect", CLUSTER), ("DescribeTopic", topic()), ("ReadData", topic()), ("DescribeGroup", group()),
    ("AlterGroup", group()),
]  # fmt: skip
PRODUCE = [
    ("Connect", CLUSTER), ("DescribeTopic", topic()), ("WriteData", topic()), ("WriteDataIdempotently", CLUSTER),
]  # fmt: skip
IN_TRANSACTIONS = [*PRODUCE, ("DescribeTransactionalId", tx()), ("AlterTransactionalId", tx())]


@pytest.mark.parametrize(
    ("acls", "needed"),
    [
        ([READ, GROUP], CONSUME),
        ([WRITE], PRODUCE),
        ([WRITE, TX], IN_TRANSACTIONS),
        ([replace(READ, operation="CREATE")], [("Connect", CLUSTER), ("CreateTopic", topic())]),
        ([Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "CREATE")], [("CreateTopic", topic("anything"))]),
        (
            [Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "ALTER_CONFIGS")],
            [(f"{verb}ClusterDynamicConfiguration", CLUSTER) for verb in ("Alter", "Describe")],
        ),
        (
            [replace(READ, operation="ALTER_CONFIGS")],
            [(f"{verb}TopicDynamicConfiguration", topic()) for verb in ("Alter", "Describe")],
        ),
        ([replace(GROUP, operation="DELETE")], [("DeleteGroup", group()), ("DescribeGroup", group())]),
    ],
)
def test_clients_get_what_aws_says_that_they_need(acls: list[Acl], needed: list[tuple[str, str]]) -> None:
    assert lacking(policy(*acls), *needed) == []


def test_nothing_else_is_granted() -> None:
    document = policy(READ, GROUP)

    for one in [
        ("WriteData", topic()),
        ("ReadData", topic("orders2")),
        ("DeleteGroup", group()),
        ("AlterCluster", CLUSTER),
    ]:
        assert lacking(document, one) != []
    assert document["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in document["Statement"]} == {"Allow"}


def test_prefixes_and_wildcards_are_patterns_and_other_stars_are_not() -> None:
    assert lacking(policy(replace(READ, name="ord", pattern="PREFIXED")), ("ReadData", topic())) == []
    assert lacking(policy(replace(READ, name="*")), ("ReadData", topic("x"))) == []
    odd = policy(replace(GROUP, name="a*b?$"), replace(GROUP, name="p*", pattern="PREFIXED"))
    resources = [resource for one in odd["Statement"] for resource in one["Resource"]]
    assert group("a${*}b${?}${$}") in resources
    assert group("p${*}*") in resources


def test_all_is_every_action_of_the_resource() -> None:
    (statement,) = [one for one in policy(replace(READ, operation="ALL"))["Statement"] if topic() in one["Resource"]]
    names = {action.removeprefix("kafka-cluster:") for action in statement["Action"]}
    assert names == {
        "ReadData", "WriteData", "CreateTopic", "DeleteTopic", "AlterTopic", "DescribeTopic",
        "AlterTopicDynamicConfiguration", "DescribeTopicDynamicConfiguration",
    }  # fmt: skip


def test_a_deny_takes_away_what_it_names_alone() -> None:
    document = policy(READ, replace(WRITE, permission="DENY"))

    assert lacking(document, ("ReadData", topic()), ("DescribeTopic", topic())) == []
    (deny,) = [one for one in document["Statement"] if one["Effect"] == "Deny"]
    assert (deny["Action"], deny["Resource"]) == (["kafka-cluster:WriteData"], [topic()])
    only = policy(replace(WRITE, permission="DENY"))
    assert {one["Effect"] for one in only["Statement"]} == {"Deny"}, "who is only denied may not connect by it"


def test_each_principal_has_a_document_and_equal_rights_share_a_statement() -> None:
    made = iam_policies([READ, replace(READ, name="prices"), replace(READ, principal="User:b")], CLUSTER)

    assert list(made.documents) == ["User:app", "User:b"]
    (reads,) = [one for one in made.documents["User:app"]["Statement"] if "kafka-cluster:ReadData" in one["Action"]]
    assert reads["Resource"] == [topic("orders"), topic("prices")]


@pytest.mark.parametrize(
    ("acl", "why"),
    [
        (replace(READ, host="10.0.0.1"), "it is for one host"),
        (Acl("DELEGATION_TOKEN", "x", "LITERAL", "User:app", "DESCRIBE"), "no such resource"),
        (Acl("USER", "User:b", "LITERAL", "User:app", "CREATE_TOKENS"), "no such resource"),
        (Acl("CLUSTER", "kafka-cluster", "LITERAL", "User:app", "CLUSTER_ACTION"), "no such action"),
        (replace(TX, operation="TWO_PHASE_COMMIT"), "no such action"),
    ],
)
def test_what_no_policy_says_is_named(acl: Acl, why: str) -> None:
    made = iam_policies([acl, READ], CLUSTER)

    assert list(made.documents) == ["User:app"]
    ((left, reason),) = made.left
    assert (left, why in reason) == (acl, True)
    assert str(acl) in made.notes()[1]
    assert [line for line in made.lines() if line.startswith(f"in no IAM policy: {acl}")]
    assert json.loads(made.to_json())["not_in_policies"][0]["acl"] == str(acl)


def test_a_document_that_is_too_long_is_told() -> None:
    many = iam_policies([replace(READ, name=f"{'t' * 100}{i}") for i in range(100)], CLUSTER)

    assert many.too_long == ["User:app"]
    assert str(MOST_CHARACTERS) in many.notes()[-1]
    assert iam_policies([READ], CLUSTER).too_long == []


def test_of_many_principals_the_first_are_shown_and_all_are_kept() -> None:
    made = iam_policies([replace(READ, principal=f"User:{i:02}") for i in range(30)], CLUSTER)

    assert len(made.lines()) == 21
    assert made.lines()[-1] == "IAM policies for 10 more principals: iam_policies.json"
    assert len(json.loads(made.to_json())["policies"]) == 30
    assert iam_policies([], CLUSTER).notes() == []
