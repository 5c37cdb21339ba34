"""As whom an engine's Java clients log in where Airflow's tasks do by an aws connection."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.java_login import java_login_findings
from kafka_ferry.core.msk_iam import AWS_CONNECTION

ROLE = "arn:aws:iam::123456789012:role/r"
SECRET = "hunter2"


def extra(said: str = "", **more: Any) -> dict[str, Any]:
    held = {"conn_id": "aws_msk", "login": "AKIA", "password": SECRET, "extra": more}
    return {"sasl.oauthbearer.config": f"AWS_MSK_IAM aws_conn_id=aws_msk {said}", AWS_CONNECTION: held}


@pytest.mark.parametrize(
    ("given", "who", "fix"),
    [
        (extra(role_arn=ROLE, profile_name="p"), f"the role {ROLE}", f"awsRoleArn={ROLE} in"),
        (extra(profile_name="msk"), "the profile msk", "awsProfileName=msk in"),
        (extra("awsStsRegion=eu-west-1"), "its keys", "credentials of the same rights"),
    ],
)
def test_what_a_worker_takes_instead_is_told_with_the_option(given: dict[str, Any], who: str, fix: str) -> None:
    (found,) = java_login_findings("kafka_target", "target_conn_id", given)
    assert (found.severity, found.param, found.subject) == (Severity.WARN, "target_conn_id", "cluster kafka_target")
    assert f"log in by connection aws_msk ({who})" in found.what
    assert fix in found.fix
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sasl.oauthbearer.config": "AWS_MSK_IAM"},
        {**extra(), AWS_CONNECTION: {}},  # aws_default that is not there: both take the host's own
        extra(f"awsRoleArn={ROLE}", role_arn=ROLE),
        extra("awsProfileName=p"),
    ],
)
def test_nothing_to_tell(given: dict[str, Any]) -> None:
    assert java_login_findings("kafka_target", "target_conn_id", given) == []
