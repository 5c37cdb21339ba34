"""What the ARNs in params look like: of both a param's check and the trigger form's. Pure."""

from __future__ import annotations

from typing import Final

CLUSTER_ARN: Final = r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[^/]+/[^/]+$"
ROLE_ARN: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$"
PLUGIN_ARN: Final = r"^arn:aws[a-z-]*:kafkaconnect:[a-z0-9-]+:\d{12}:custom-plugin/[^/]+/[^/]+$"
