"""The double's IAM, asked by boto3's own client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

import msk_lab
from stack.msk.iam import Role, allow
from stack.msk.server import MskConnectDouble
from stack.msk.wire import BrokenDouble


@pytest.fixture
def aws() -> Iterator[MskConnectDouble]:
    with msk_lab.double() as running:
        yield running


@pytest.fixture
def iam(aws: MskConnectDouble) -> Any:
    return msk_lab.client(aws, "iam")


def code(call: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        call()
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_roles_that_the_stack_and_the_tests_use_are_there(iam: Any) -> None:
    for name in ("ferry-connect", msk_lab.ROLE.rpartition("/")[2]):
        found = iam.get_role(RoleName=name)["Role"]
        assert found["Arn"].endswith(f"role/{name}")
        assert found["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"


def test_the_simulator_pages_and_decides_for_each_resource(aws: MskConnectDouble, iam: Any) -> None:
    aws.iam.roles["connect"] = Role("connect", policies=[allow("a:*", "x*"), allow("A:Two", "*", "Deny")])
    asked = {"PolicySourceArn": msk_lab.ROLE, "ResourceArns": ["x1", "y<&>"]}
    actions = [f"a:{number}" for number in ("One", "Two", "Three", "Four", "Five", "Six", "Seven")]
    pages = iam.get_paginator("simulate_principal_policy").paginate(ActionNames=actions, **asked)
    results = {one["EvalActionName"]: one for page in pages for one in page["EvaluationResults"]}
    assert list(results) == actions
    one = {
        item["EvalResourceName"]: item["EvalResourceDecision"] for item in results["a:One"]["ResourceSpecificResults"]
    }
    assert one == {"x1": "allowed", "y<&>": "implicitDeny"}
    assert results["a:Two"]["EvalDecision"] == "explicitDeny"


def test_errors_are_the_models_and_those_of_every_service(aws: MskConnectDouble, iam: Any) -> None:
    assert code(lambda: iam.get_role(RoleName="nobody")) == ("NoSuchEntity", 404)
    assert code(lambda: iam.list_roles()) == ("InvalidAction", 400)
    aws.faults.plan({"errors": [{"operation": "GetRole", "code": "AccessDenied"}]})
    assert code(lambda: iam.get_role(RoleName="connect")) == ("AccessDenied", 403)
    aws.faults.plan({"errors": [{"operation": "GetRole", "code": "ServiceFailure"}]})
    assert code(lambda: iam.get_role(RoleName="connect")) == ("ServiceFailure", 500)


def test_requests_and_answers_are_held_against_the_model(aws: MskConnectDouble, iam: Any) -> None:
    too_long = "x" * 65
    assert code(lambda: iam.get_role(RoleName=too_long)) == ("ValidationError", 400)
    wire = aws._queries["iam"][0]
    operation, params = wire.parse(b"Action=GetRole&Version=2010-05-08&RoleName=connect")
    assert params == {"RoleName": "connect"}
    with pytest.raises(BrokenDouble):
        wire.answer(operation, {"Role": {"RoleName": "connect"}})
