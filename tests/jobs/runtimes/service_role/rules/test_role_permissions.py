"""What the simulator's decisions say about a role."""

from __future__ import annotations

import json
from typing import Any

from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import MOST_NAMES, RoleNeeds
from kafka_ferry.jobs.runtimes.service_role.rules.role_permissions import Decision, decisions_of, permission_problems
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind

CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/demo/0000-1"
TOPIC = "arn:aws:kafka:eu-west-1:123456789012:topic/demo/0000-1/"
ROLE = "arn:aws:iam::123456789012:role/team/connect"


def needs(**changes: Any) -> RoleNeeds:
    given: dict[str, Any] = {
        "role_arn": ROLE,
        "cluster_arn": CLUSTER,
        "kind": Kind.DEBEZIUM,
        "base": "shop",
        "connectors": ("shop",),
        "topics": ("shop.orders", "shop.items"),
        "own": ("shop.schema-history",),
    }
    return RoleNeeds(**{**given, **changes})


def answered(of: RoleNeeds, **others: Decision) -> list[Decision]:
    """All allowed, but for decisions by action and the end of the resource's name."""
    found = [
        Decision(action, resource, "allowed")
        for one in of.asked()
        for action in one.actions
        for resource in one.resources
    ]
    changed = {(one.action, one.resource): one for one in others.values()}
    assert changed.keys() <= {(one.action, one.resource) for one in found}
    return [changed.get((one.action, one.resource), one) for one in found]


def problems(of: RoleNeeds, decisions: list[Decision], elsewhere: str = "") -> list[Any]:
    return permission_problems(of.generated(), of.asked(), decisions, elsewhere)


def test_all_allowed_is_no_problem() -> None:
    assert problems(needs(), answered(needs())) == []


def test_what_is_missing_is_named_with_a_document_of_just_that() -> None:
    lacking = Decision("kafka-cluster:WriteData", f"{TOPIC}shop.items", "implicitDeny")
    (problem,) = problems(needs(), answered(needs(), x=lacking))
    assert problem.sure
    assert problem.what == f"it lacks kafka-cluster:WriteData on {TOPIC}shop.items"
    document = json.loads(problem.fix.removeprefix("attach this policy to it: "))
    (statement,) = document["Statement"]
    assert statement["Action"] == ["kafka-cluster:WriteData"]
    assert f"{TOPIC}shop.items" in statement["Resource"]


def test_what_the_cluster_itself_may_grant_is_a_warning() -> None:
    lacking = Decision("kafka-cluster:Connect", CLUSTER, "implicitDeny")
    (problem,) = problems(needs(), answered(needs(), x=lacking), "the cluster's own policy may allow it")
    assert not problem.sure
    assert "the cluster's own policy may allow it" in problem.what


def test_each_reason_is_told_once_and_has_its_own_cure() -> None:
    action, ends = "kafka-cluster:WriteData", ("shop.orders", "shop.items")
    denied = Decision("kafka-cluster:Connect", CLUSTER, "explicitDeny")
    bounded = Decision(action, f"{TOPIC}{ends[0]}", "implicitDeny", boundary=True)
    unclear = Decision(action, f"{TOPIC}{ends[1]}", "implicitDeny", keys=("aws:SourceVpc",))
    outside = Decision("kafka-cluster:DescribeCluster", CLUSTER, "implicitDeny", organization=True)
    found = problems(needs(), answered(needs(), a=denied, b=bounded, c=unclear, d=outside))
    assert {(one.sure, one.what.split(" kafka-cluster:")[0]) for one in found} == {
        (True, "a Deny in one of its policies revokes"),
        (True, "its permissions boundary does not allow"),
        (False, "whether it may"),
        (True, "a service control policy of the organization denies"),
    }
    assert "aws:SourceVpc" in str(found)


def test_silence_is_not_taken_for_consent() -> None:
    (problem,) = problems(needs(), answered(needs())[1:])
    assert not problem.sure
    assert "did not say" in problem.what


def test_decisions_per_resource_count_and_a_result_without_them_counts_itself() -> None:
    """Both forms of IAM's answer: a result an action, and, of before, a result an action and resource."""
    both = {
        "EvalActionName": "a:B",
        "EvalResourceName": "arn:${Partition}:a",
        "EvalDecision": "implicitDeny",
        "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
        "ResourceSpecificResults": [
            {"EvalResourceName": "x", "EvalResourceDecision": "allowed"},
            {
                "EvalResourceName": "y",
                "EvalResourceDecision": "implicitDeny",
                "MissingContextValues": ["k"],
                "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False},
            },
        ],
    }
    single = {"EvalActionName": "a:C", "EvalResourceName": "x", "EvalDecision": "explicitDeny"}
    assert decisions_of([both, single]) == [
        Decision("a:B", "x", "allowed", organization=True),
        Decision("a:B", "y", "implicitDeny", ("k",), boundary=True, organization=True),
        Decision("a:C", "x", "explicitDeny"),
    ]


def test_what_is_asked_are_names_where_the_document_has_patterns() -> None:
    of = needs()
    asked, generated = of.asked(), of.generated()
    assert [one.actions for one in asked] == [one.actions for one in generated]
    assert not [resource for one in asked for resource in one.resources if "*" in resource]
    groups = {resource.rpartition("/")[2] for resource in asked[-1].resources}
    assert groups == {"__amazon_msk_connect_cluster_shop_00000000-0000-0000-0000-000000000000-1"}
    reads = {resource for one in asked if "kafka-cluster:ReadData" in one.actions for resource in one.resources}
    assert f"{TOPIC}shop.orders" not in reads
    assert f"{TOPIC}shop.schema-history" in reads


def test_of_many_topics_some_are_asked_and_the_rest_is_told() -> None:
    of = needs(kind=Kind.MIRROR_MAKER2, topics=tuple(f"t{n}" for n in range(MOST_NAMES + 7)), groups=("g",))
    assert len(of.asked()[2].resources) == MOST_NAMES
    assert of.generated()[2].resources == (f"{TOPIC}*",)
    assert of.left_out() == "7 more topics"
    assert of.asked()[-1].resources[-1].endswith("/g")


def test_a_cluster_without_iam_asks_for_no_permission() -> None:
    of = needs(iam=False)
    assert (of.asked(), of.generated(), of.policy()) == ([], [], None)


def test_a_roles_path_is_no_part_of_its_name_and_its_account_is_the_connectors() -> None:
    of = needs(role_arn="arn:aws-cn:iam::999999999999:role/a/b/connect")
    assert of.role_name == "connect"
    assert of.connector_arns == [
        "arn:aws-cn:kafkaconnect:eu-west-1:999999999999:connector/shop/00000000-0000-0000-0000-000000000000-1"
    ]
