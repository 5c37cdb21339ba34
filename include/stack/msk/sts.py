"""As much of STS as a connection with a role asks: ``AssumeRole``, also with a web identity. Whoever asks gets
credentials; no policy and no identity provider counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from stack.msk.wire import Refused


class Sts:
    """Gives out credentials, each time others.

    :ivar seconds: that they are good for; None: as long as was asked for, an hour when nothing was.
    :ivar denied: ARNs of roles that may not be assumed.
    """

    def __init__(self) -> None:
        self.assumed: list[dict[str, Any]] = []
        self.seconds: int | None = None
        self.denied: set[str] = set()

    def assume_role_with_web_identity(self, params: dict[str, Any]) -> dict[str, Any]:
        return self.assume_role(params)

    def assume_role(self, params: dict[str, Any]) -> dict[str, Any]:
        arn, session = params["RoleArn"], params["RoleSessionName"]
        if arn in self.denied:
            raise Refused("AccessDenied", f"User: double is not authorized to perform: sts:AssumeRole on {arn}")
        self.assumed.append(params)
        number = len(self.assumed)
        ends = datetime.now(UTC) + timedelta(seconds=self.seconds or params.get("DurationSeconds", 3600))
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        return {
            "Credentials": {
                "AccessKeyId": f"ASIADOUBLE{number:010}",
                "SecretAccessKey": f"secret-of-a-role-{number}",
                "SessionToken": f"session-token-{number}",
                "Expiration": ends,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": f"AROADOUBLE0000000000:{session}",
                "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            },
        }
