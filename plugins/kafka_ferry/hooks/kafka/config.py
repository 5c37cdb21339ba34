"""From a `kafka` connection's extra to a librdkafka configuration; free of Airflow: worker processes start fast."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kafka_ferry.extras import brought_by

# docs.aws.amazon.com, MSK developer guide, "Get the bootstrap brokers": the region stands before amazonaws.com.
_MSK_HOST = re.compile(
    r"\.kafka(?:-serverless)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(?::\d+)?(?=$|[,\s])", re.IGNORECASE
)

# Settings of one kind of client only: librdkafka warns (or refuses) when another kind is given them.
_NOT_FOR_US = ("group.id", "group.instance.id", "auto.offset.reset", "enable.auto.commit", "enable.auto.offset.store")


def client_config(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a librdkafka configuration for our own clients.

    Consumer-group settings of the connection are left out: a verification must never join a user's group.
    With ``sasl.mechanism=OAUTHBEARER`` and an MSK host an ``oauth_cb`` that signs MSK IAM tokens is added, as the
    apache-kafka provider does.

    :param extra: the connection's extra: librdkafka keys, values as JSON gives them.
    """
    config = {key: value for key, value in extra.items() if key not in _NOT_FOR_US}
    config.setdefault("client.id", "kafka-ferry")
    if _is_oauth(config) and "oauth_cb" not in config:
        found = _MSK_HOST.search(str(config.get("bootstrap.servers", "")))
        if found:
            config["oauth_cb"] = _msk_token(found["region"])
    return config


def _is_oauth(config: Mapping[str, Any]) -> bool:
    mechanism = config.get("sasl.mechanism") or config.get("sasl.mechanisms") or ""
    return str(mechanism).upper() == "OAUTHBEARER" and config.get("sasl.oauthbearer.method") != "oidc"


def _msk_token(region: str) -> Callable[[str], tuple[str, float]]:
    with brought_by("aws"):
        import aws_msk_iam_sasl_signer  # noqa: F401 - said here: librdkafka would swallow it in the callback
    return partial(_sign, region)


def _sign(region: str, _config: str) -> tuple[str, float]:
    with brought_by("aws"):
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    token, expiry_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expiry_ms / 1000
