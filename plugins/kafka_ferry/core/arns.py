"""What ARNs, ids and brokers in params look like: of both a param's check and the trigger form's. Pure."""

from __future__ import annotations

from typing import Final

CLUSTER_ARN: Final = r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[^/]+/[^/]+$"
ROLE_ARN: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$"
PLUGIN_ARN: Final = r"^arn:aws[a-z-]*:kafkaconnect:[a-z0-9-]+:\d{12}:custom-plugin/[^/]+/[^/]+$"
SECRET_ARN: Final = r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+$"  # noqa: S105 - names one
SUBNET: Final = r"^subnet-[0-9a-f]+$"
SECURITY_GROUP: Final = r"^sg-[0-9a-f]+$"
#: host:port, or [IPv6]:port.
_SERVER = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}"
SERVERS: Final = rf"^{_SERVER}(,{_SERVER})*$"
