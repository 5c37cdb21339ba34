"""What ARNs, ids and brokers in params look like, for a param's check and for the trigger form; parts of ARNs. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.exceptions import BadParam

CLUSTER_ARN: Final = r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[^/]+/[^/]+$"
ROLE_ARN: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$"
PLUGIN_ARN: Final = r"^arn:aws[a-z-]*:kafkaconnect:[a-z0-9-]+:\d{12}:custom-plugin/[^/]+/[^/]+$"
SECRET_ARN: Final = r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+$"  # noqa: S105 - names one
SUBNET: Final = r"^subnet-[0-9a-f]+$"
SECURITY_GROUP: Final = r"^sg-[0-9a-f]+$"
#: host:port, or [IPv6]:port.
_SERVER = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}"
SERVERS: Final = rf"^{_SERVER}(,{_SERVER})*$"


def account_of(arn: str) -> str:
    """The account id in an ARN.

    :raises BadParam: it is not an ARN.
    """
    return _parts(arn)[4]


def region_of(arn: str) -> str:
    """The region in an ARN.

    :raises BadParam: it is not an ARN.
    """
    return _parts(arn)[3]


def _parts(arn: str) -> list[str]:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or "/" not in parts[5]:
        raise BadParam("arn", f"{arn!r} is not an ARN", "arn:aws:<service>:<region>:<account>:<kind>/<name>/<id>")
    return parts
