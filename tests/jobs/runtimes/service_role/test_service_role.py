"""A service role, asked from the double's IAM through boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.jobs.runtimes.service_role.role_hook import RoleHook
from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import RoleNeeds
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole
from msk_lab import ROLE
from stack.msk import ACCOUNT, CLUSTER
from stack.msk.iam import Role, allow, trust_of
from stack.msk.server import MskConnectDouble

DENIED = f"User: arn:aws:iam::{ACCOUNT}:user/airflow is not authorized to perform: iam:X"


@pytest.fixture
def role(hook: MskConnectHook, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``role(**needs)``: a Debezium connector's on a cluster with IAM."""
    monkeypatch.setattr(RoleHook, "pause", 0.0)

    def make(**changes: Any) -> ServiceRole:
        given: dict[str, Any] = {
            "role_arn": ROLE,
            "cluster_arn": CLUSTER,
            "kind": Kind.DEBEZIUM,
            "base": "shop",
            "connectors": ("shop",),
            "topics": ("shop.orders",),
            "own": ("shop.history",),
        }
        return ServiceRole(hook, RoleNeeds(**{**given, **changes}))

    return make


def line(role: ServiceRole) -> dict[str, Any]:
    found: dict[str, Any] = role.about().to_json()["check"]
    return found


def use(aws: MskConnectDouble, *policies: Any, **changes: Any) -> None:
    aws.iam.roles["connect"] = Role("connect", policies=list(policies) or [allow("kafka-cluster:*")], **changes)


def test_a_role_made_of_our_own_documents_passes(role: Any, aws: MskConnectDouble) -> None:
    about = role().about()
    use(aws, about.permission_policy, trust=about.trust_policy)
    checked = role()
    assert checked.findings() == []
    checked.refuse()
    found = line(checked)
    assert found["status"] == "pass"
    assert "trust policy read; " in found["detail"]
    assert "resource policies and resource control policies are not checked" in found["detail"]


def test_a_right_taken_from_our_documents_is_missed_and_refused(role: Any, aws: MskConnectDouble) -> None:
    policy = role().about().permission_policy
    policy["Statement"][1]["Action"].remove("kafka-cluster:ReadData")
    use(aws, policy)
    with pytest.raises(BadParam, match=r"it lacks kafka-cluster:ReadData on .*shop\.history") as refusal:
        role().refuse()
    assert refusal.value.param == "service_execution_role_arn"
    assert ROLE in refusal.value.problem
    assert '"Action": ["kafka-cluster:ReadData"]' in refusal.value.fix
    assert line(role())["status"] == "fail"


def test_a_trust_policy_for_another_service_or_account_is_refused(role: Any, aws: MskConnectDouble) -> None:
    use(aws, trust=trust_of("ec2.amazonaws.com"))
    with pytest.raises(BadParam, match=r"does not let kafkaconnect\.amazonaws\.com assume it"):
        role().refuse()
    use(aws, trust=trust_of(StringEquals={"aws:SourceAccount": "999999999999"}))
    with pytest.raises(BadParam, match="aws:SourceAccount 999999999999"):
        role().refuse()


def test_a_deny_and_a_boundary_are_refused_with_their_own_words(role: Any, aws: MskConnectDouble) -> None:
    use(aws, allow("kafka-cluster:*"), allow("kafka-cluster:CreateTopic", effect="Deny"))
    with pytest.raises(BadParam, match="a Deny in one of its policies revokes kafka-cluster:CreateTopic"):
        role().refuse()
    use(aws, boundary=allow(["kafka-cluster:Connect", "kafka-cluster:D*", "kafka-cluster:ReadData"]))
    with pytest.raises(BadParam, match="its permissions boundary does not allow"):
        role().refuse()


def test_a_condition_of_the_permissions_is_a_warning(role: Any, aws: MskConnectDouble) -> None:
    use(aws, allow("kafka-cluster:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}))
    checked = role()
    checked.refuse()
    (finding,) = checked.findings()
    assert finding.severity == "warn"
    assert "aws:SourceVpc" in finding.what
    assert line(checked)["status"] == "explained"


def test_a_clusters_own_policy_may_grant_what_is_missing(role: Any, aws: MskConnectDouble) -> None:
    use(aws, allow("s3:*"))
    with pytest.raises(BadParam, match="it lacks"):
        role().refuse()
    aws.clusters.policies[CLUSTER] = json.dumps(allow())
    checked = role()
    checked.refuse()
    assert "the cluster's own policy may allow it" in checked.findings()[0].what
    aws.faults.plan({"errors": [{"operation": "GetClusterPolicy", "code": "ForbiddenException"}]})
    (finding,) = role().findings()
    assert "not readable, ForbiddenException" in finding.what


@pytest.mark.parametrize(
    ("operation", "name"), [("GetRole", "iam:GetRole"), ("SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy")]
)
def test_where_iam_may_not_be_read_it_is_skipped_and_said(
    role: Any, aws: MskConnectDouble, operation: str, name: str
) -> None:
    aws.faults.plan({"errors": [{"operation": operation, "code": "AccessDenied", "message": DENIED, "times": 9}]})
    checked = role()
    checked.refuse()
    (finding,) = checked.findings()
    assert finding.severity == "advise"
    assert f"IAM may not be read ({name}: AccessDenied: {DENIED})" in finding.what
    assert finding.what.startswith("skipped: ")


def test_where_nothing_may_be_read_the_report_says_skipped(role: Any, aws: MskConnectDouble) -> None:
    errors = [{"operation": one, "code": "AccessDenied", "times": 9} for one in ("GetRole", "SimulatePrincipalPolicy")]
    aws.faults.plan({"errors": errors})
    checked = role()
    assert line(checked)["status"] == "skipped"
    assert [one.severity for one in checked.findings()] == ["advise", "advise"]


def test_what_iam_throttles_is_asked_again_and_given_up_in_the_end(role: Any, aws: MskConnectDouble) -> None:
    aws.faults.plan({"errors": [{"operation": "GetRole", "code": "Throttling", "times": 3}]})
    assert role().findings() == []
    assert aws.requests.count("GetRole") == 4
    aws.faults.plan({"errors": [{"operation": "GetRole", "code": "Throttling", "times": 4}]})
    (finding,) = role().findings()
    assert "IAM gave no answer (iam:GetRole: Throttling" in finding.what
    aws.requests.clear()
    aws.faults.plan({"errors": [{"operation": "GetRole", "code": "ServiceFailure"}]})
    assert "ServiceFailure" in role().findings()[0].what
    assert aws.requests.count("GetRole") == 1


def test_a_role_that_is_gone_or_another_accounts_is_refused(role: Any) -> None:
    with pytest.raises(BadParam, match="no such role exists") as refusal:
        role(role_arn=f"{ROLE}-of-last-year").refuse()
    assert "sts:AssumeRole" in refusal.value.fix
    foreign = ROLE.replace(ACCOUNT, "999999999999")
    with pytest.raises(BadParam, match=f"the role of this name .* is {ROLE}"):
        role(role_arn=foreign).refuse()


def test_a_role_that_is_gone_is_seen_by_the_simulator_too(role: Any, aws: MskConnectDouble) -> None:
    aws.faults.plan({"errors": [{"operation": "GetRole", "code": "AccessDenied"}]})
    with pytest.raises(BadParam, match="no such role exists"):
        role(role_arn=f"{ROLE}-of-last-year").refuse()


def test_a_service_linked_role_is_refused_without_asking(role: Any, aws: MskConnectDouble) -> None:
    linked = ROLE.replace("role/", "role/aws-service-role/kafkaconnect.amazonaws.com/")
    with pytest.raises(BadParam, match="it is a service-linked role"):
        role(role_arn=linked).refuse()
    assert aws.requests == []


def test_a_path_is_part_of_the_arn_and_not_of_the_name(role: Any, aws: MskConnectDouble) -> None:
    use(aws, path="/team/kafka/")
    assert role(role_arn=ROLE.replace("role/", "role/team/kafka/")).findings() == []
    with pytest.raises(BadParam, match="role/team/kafka/connect"):
        role().refuse()


def test_a_cluster_without_iam_asks_only_for_trust(role: Any, aws: MskConnectDouble) -> None:
    use(aws, allow("s3:*"))
    checked = role(iam=False)
    assert checked.findings() == []
    assert "permissions on the cluster were not checked" in line(checked)["detail"]
    assert "SimulatePrincipalPolicy" not in aws.requests


@pytest.mark.parametrize("iam", [True, False])
def test_a_secret_that_may_not_be_read_is_a_warning(role: Any, aws: MskConnectDouble, iam: bool) -> None:
    head = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:"
    use(aws, allow("kafka-cluster:*"), allow("secretsmanager:GetSecretValue", f"{head}other-*"))
    checked = role(iam=iam, secrets=(f"{head}shop-??????",))
    (finding,) = checked.findings()
    assert finding.severity == "warn"
    assert f"secretsmanager:GetSecretValue on {head}shop-AbCdEf" in finding.what
    assert f"{head}shop-??????" in finding.fix
    use(aws, checked.about().permission_policy)
    assert role(iam=iam, secrets=(f"{head}shop-??????",)).findings() == []


def test_many_permissions_come_in_pages(role: Any, aws: MskConnectDouble) -> None:
    mirror = role(kind=Kind.MIRROR_MAKER2, topics=tuple(f"t{n}" for n in range(200)), groups=("a", "b"))
    assert mirror.findings() == []
    assert "not asked: 140 more topics" in line(mirror)["detail"]
    asked = len(mirror.needs.asked())
    assert aws.requests.count("SimulatePrincipalPolicy") > asked
