"""Amazon MSK with IAM in two dialects: OAUTHBEARER for librdkafka, AWS_MSK_IAM for Java clients.

Sources: aws-msk-iam-auth README (Java properties, options of ``IAMLoginModule``); the Airflow Kafka provider, which
signs the token of an OAUTHBEARER connection whose bootstrap server is an MSK host and ignores
``sasl.oauthbearer.config``. We use that free string to carry what only the Java side needs.
"""

from __future__ import annotations

import re

from kafka_ferry.core.jaas import JaasEntry
from kafka_ferry.exceptions import BadConnection

MECHANISM = "AWS_MSK_IAM"
MARK = MECHANISM
LOGIN_MODULE = "software.amazon.msk.auth.iam.IAMLoginModule"
CALLBACK_HANDLER = "software.amazon.msk.auth.iam.IAMClientCallbackHandler"

_HOST = re.compile(r"\.kafka(-serverless)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?(:\d+)?$", re.IGNORECASE)
_OPTIONS = frozenset(
    {"awsRoleArn", "awsRoleSessionName", "awsRoleExternalId", "awsStsRegion", "awsProfileName", "awsMaxRetries"}
)


def is_msk_iam(bootstrap_servers: str, oauthbearer_config: str = "") -> bool:
    """Whether an OAUTHBEARER connection means MSK IAM: every host is an MSK host, or the config says so by the mark."""
    if oauthbearer_config.split()[:1] == [MARK]:
        return True
    return all(_HOST.search(server.strip()) for server in bootstrap_servers.split(","))


def java_settings(oauthbearer_config: str = "") -> dict[str, str]:
    """Java client settings for MSK IAM.

    :param oauthbearer_config: ``AWS_MSK_IAM [awsRoleArn=… awsStsRegion=…]``: options of ``IAMLoginModule`` for the
        worker. A text without the mark is the Python client's own and left out.
    :raises BadConnection: an option that ``IAMLoginModule`` does not have.
    """
    options: dict[str, str] = {}
    words = oauthbearer_config.split()
    for word in words[1:] if words[:1] == [MARK] else []:
        key, _, value = word.partition("=")
        if key not in _OPTIONS or not value:
            raise BadConnection(
                f"sasl.oauthbearer.config: {key!r} is no option. Fix: <option>=<value>, where the option is one of "
                f"{', '.join(sorted(_OPTIONS))}"
            )
        options[key] = value
    return {
        "sasl.mechanism": MECHANISM,
        "sasl.jaas.config": str(JaasEntry(LOGIN_MODULE, options)),
        "sasl.client.callback.handler.class": CALLBACK_HANDLER,
    }


def librdkafka_settings(bootstrap_servers: str, entry: JaasEntry) -> dict[str, str]:
    """The way back, from the JAAS entry of a Java client."""
    settings = {"sasl.mechanism": "OAUTHBEARER"}
    if entry.options or not is_msk_iam(bootstrap_servers):
        words = [MARK, *(f"{key}={value}" for key, value in entry.options.items())]
        settings["sasl.oauthbearer.config"] = " ".join(words)
    return settings
