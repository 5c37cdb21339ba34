"""Which secrets connectors read by a ConfigProvider, with the service role. Pure.

Source: AWS's msk-config-providers, ``SecretsManagerConfigProvider``: ``${<alias>:<secret>:<key>}``, where the secret is
percent-encoded (an ARN has colons); the alias stands in the worker configuration's ``config.providers``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

_REFERENCE = re.compile(r"\$\{([^:}]+):([^:}]+)(?::[^}]*)?\}")
_CLASS = "SecretsManagerConfigProvider"
#: What Secrets Manager hangs on a secret's name in its ARN: a hyphen and six characters.
ANY_SUFFIX, SOME_SUFFIX = "-??????", "-AbCdEf"


def secrets_head(cluster_arn: str) -> str:
    """What ARNs of secrets beside a cluster begin with: of its partition, region and account."""
    partition, _, region, account = cluster_arn.split(":")[1:5]
    return f"arn:{partition}:secretsmanager:{region}:{account}"


def secrets_of(worker_properties: Mapping[str, str], references: Iterable[str], head: str) -> tuple[str, ...]:
    """Secrets in Secrets Manager, each as an ARN with :data:`ANY_SUFFIX`, or as the reference has it when it is an ARN.

    :param references: such as ``${secretsmanager:AmazonMSK_source:password}``.
    :param head: what ARNs begin with, such as ``arn:aws:secretsmanager:eu-west-1:123456789012``.
    """
    aliases = {alias.strip() for alias in worker_properties.get("config.providers", "").split(",")}
    ours = {alias for alias in aliases if _CLASS in worker_properties.get(f"config.providers.{alias}.class", "")}
    named = {unquote(name) for text in references for alias, name in _REFERENCE.findall(text) if alias in ours}
    return tuple(sorted(name if name.startswith("arn:") else f"{head}:secret:{name}{ANY_SUFFIX}" for name in named))
