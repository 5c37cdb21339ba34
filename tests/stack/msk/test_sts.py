"""The double's STS, asked by boto3's own client."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

import msk_lab

ROLE = "arn:aws:iam::123456789012:role/kafka-reader"


def test_credentials_are_others_each_time_and_end_when_they_were_asked_to() -> None:
    with msk_lab.double() as aws:
        sts: Any = msk_lab.client(aws, "sts")
        first, second = (
            sts.assume_role(RoleArn=ROLE, RoleSessionName="ours", DurationSeconds=900)["Credentials"] for _ in range(2)
        )
        assert first["AccessKeyId"] != second["AccessKeyId"]
        assert 890 < first["Expiration"].timestamp() - time.time() <= 900
        aws.sts.seconds = 60
        short = sts.assume_role(RoleArn=ROLE, RoleSessionName="ours")
        assert short["Credentials"]["Expiration"].timestamp() - time.time() <= 60
        assert short["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/kafka-reader/ours"


def test_refusals_are_the_services() -> None:
    with msk_lab.double() as aws:
        sts: Any = msk_lab.client(aws, "sts")
        aws.sts.denied.add(ROLE)
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=ROLE, RoleSessionName="ours")
        with pytest.raises(ClientError, match="GetCallerIdentity is not emulated"):
            sts.get_caller_identity()
