"""When OAUTHBEARER means MSK IAM."""

from __future__ import annotations

import pytest

from kafka_ferry.core.msk_iam import is_msk_iam


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
