"""When OAUTHBEARER means MSK IAM."""

from __future__ import annotations

import pytest

from kafka_ferry.core.msk_iam import MskLogin, is_msk_iam, is_serverless, java_settings, login_of


@pytest.mark.parametrize(
    ("servers", "config", "expected"),
    [
        ("b-1.demo.abcde1.c2.kafka.us-east-1.amazonaws.com:9098", "", True),
        ("b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098, b-2.x.c2.kafka.eu-west-1.amazonaws.com:9098", "", True),
        ("boot-abcde1.c2.kafka-serverless.us-east-1.amazonaws.com:9098", "", True),
        ("b-1.demo.c2.kafka.cn-north-1.amazonaws.com.cn:9098", "", True),
        ("b-1.demo.c2.kafka.us-east-1.amazonaws.com:9098,other:9092", "", False),
        ("b-1.demo.c2.kafka.us-east-1.amazonaws.com.evil.org:9098", "", False),
        ("kafka.internal:9098", "", False),
        ("kafka.internal:9098", "principal=x", False),
        ("kafka.internal:9098", "AWS_MSK_IAM", True),
    ],
)
def test_msk(servers: str, config: str, expected: bool) -> None:
    assert is_msk_iam(servers, config) is expected


MSK = "b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098"
SERVERLESS = "boot-abcde1.c2.kafka-serverless.us-east-1.amazonaws.com:9098"


@pytest.mark.parametrize(
    ("servers", "config", "conn_id", "region"),
    [
        (MSK, "", None, "eu-west-1"),
        (f"kafka.corp:9098,{MSK}", "", None, "eu-west-1"),
        (SERVERLESS, "AWS_MSK_IAM aws_conn_id=aws_msk", "aws_msk", "us-east-1"),
        (MSK, "AWS_MSK_IAM region=us-west-2 awsRoleArn=arn:aws:iam::1:role/r", None, "us-west-2"),
        ("kafka.corp:9098", "AWS_MSK_IAM", None, None),
        ("kafka.corp:9098", "principal=x aws_conn_id=other", None, None),  # without the mark it is the client's own
    ],
)
def test_whose_credentials_sign_and_for_which_region(
    servers: str, config: str, conn_id: str | None, region: str | None
) -> None:
    assert login_of(servers, config) == MskLogin(conn_id, region)


def test_what_is_for_our_own_clients_does_not_reach_java() -> None:
    said = "AWS_MSK_IAM aws_conn_id=aws_msk region=eu-west-1 awsRoleArn=arn:aws:iam::1:role/r awsProfileName=p"
    jaas = java_settings(said)["sasl.jaas.config"]
    assert 'awsRoleArn="arn:aws:iam::1:role/r"' in jaas
    assert 'awsProfileName="p"' in jaas
    assert "aws_msk" not in jaas
    assert "region" not in jaas


@pytest.mark.parametrize(
    ("servers", "expected"), [(MSK, False), (SERVERLESS, True), (f"kafka.corp:1,{SERVERLESS}", True)]
)
def test_serverless(servers: str, expected: bool) -> None:
    assert is_serverless(servers) is expected
