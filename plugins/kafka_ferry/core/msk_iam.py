"""Amazon MSK with IAM in two dialects: OAUTHBEARER for librdkafka, AWS_MSK_IAM for Java clients.

Sources: aws-msk-iam-auth README (Java properties, options of ``IAMLoginModule``); the Airflow Kafka provider, which
signs the token of an OAUTHBEARER connection whose bootstrap server is an MSK host and ignores
``sasl.oauthbearer.config``. We use that free string to carry what only the Java side needs, and whose credentials our
own clients sign with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kafka_ferry.core.jaas import JaasEntry
from kafka_ferry.exceptions import BadConnection

MECHANISM = "AWS_MSK_IAM"
MARK = MECHANISM
LOGIN_MODULE = "software.amazon.msk.auth.iam.IAMLoginModule"
CALLBACK_HANDLER = "software.amazon.msk.auth.iam.IAMClientCallbackHandler"

# docs.aws.amazon.com, MSK developer guide, "Get the bootstrap brokers": the region stands before amazonaws.com.
_HOST = re.compile(
    r"\.kafka(?P<serverless>-serverless)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?(:\d+)?$", re.IGNORECASE
)
_OF_JAVA = frozenset(
    {"awsRoleArn", "awsRoleSessionName", "awsRoleExternalId", "awsStsRegion", "awsProfileName", "awsMaxRetries"}
)
CONN_ID, REGION = "aws_conn_id", "region"
#: Key of an extra in memory: the ``aws`` connection that MSK IAM signs with, as a mapping; empty where there is none.
AWS_CONNECTION = "ferry.aws.connection"
_OURS = frozenset({CONN_ID, REGION})


@dataclass(frozen=True)
class MskLogin:
    """How our own clients log in to MSK by IAM.

    :param aws_conn_id: Airflow connection of type ``aws`` whose credentials sign; None: the process's own.
    :param region: of the cluster; None: that of the connection.
    """

    aws_conn_id: str | None = None
    region: str | None = None


def is_msk_iam(bootstrap_servers: str, oauthbearer_config: str = "") -> bool:
    """Whether an OAUTHBEARER connection means MSK IAM: every host is an MSK host, or the config says so by the mark."""
    if oauthbearer_config.split()[:1] == [MARK]:
        return True
    return all(_HOST.search(server.strip()) for server in bootstrap_servers.split(","))


def is_serverless(bootstrap_servers: str) -> bool:
    """Whether a host of these is one of MSK Serverless."""
    found = [_HOST.search(server.strip()) for server in bootstrap_servers.split(",")]
    return any(one and one["serverless"] for one in found)


def login_of(bootstrap_servers: str, oauthbearer_config: str = "") -> MskLogin:
    """How our own clients log in, of a connection that :func:`is_msk_iam` accepts.

    :raises BadConnection: an option that nobody knows.
    """
    options = _options(oauthbearer_config)
    regions = [found["region"] for server in bootstrap_servers.split(",") if (found := _HOST.search(server.strip()))]
    return MskLogin(options.get(CONN_ID), options.get(REGION) or next(iter(regions), None))


def java_settings(oauthbearer_config: str = "") -> dict[str, str]:
    """Java client settings for MSK IAM.

    :param oauthbearer_config: ``AWS_MSK_IAM [awsRoleArn=… awsStsRegion=…]``: options of ``IAMLoginModule`` for the
        worker; ours are left out. A text without the mark is the Python client's own and left out.
    :raises BadConnection: an option that ``IAMLoginModule`` does not have.
    """
    return {
        "sasl.mechanism": MECHANISM,
        "sasl.jaas.config": str(JaasEntry(LOGIN_MODULE, java_options(oauthbearer_config))),
        "sasl.client.callback.handler.class": CALLBACK_HANDLER,
    }


def java_options(oauthbearer_config: str) -> dict[str, str]:
    """Options of ``IAMLoginModule`` that a connection gives its Java clients.

    :raises BadConnection: an option that nobody knows.
    """
    return {key: value for key, value in _options(oauthbearer_config).items() if key in _OF_JAVA}


def _options(oauthbearer_config: str) -> dict[str, str]:
    options: dict[str, str] = {}
    words = oauthbearer_config.split()
    for word in words[1:] if words[:1] == [MARK] else []:
        key, _, value = word.partition("=")
        if key not in _OF_JAVA | _OURS or not value:
            raise BadConnection(
                f"sasl.oauthbearer.config: {key!r} is no option. Fix: <option>=<value>, where the option is one of "
                f"{', '.join(sorted(_OURS | _OF_JAVA, key=str.lower))}"
            )
        options[key] = value
    return options


def librdkafka_settings(bootstrap_servers: str, entry: JaasEntry) -> dict[str, str]:
    """The way back, from the JAAS entry of a Java client."""
    settings = {"sasl.mechanism": "OAUTHBEARER"}
    if entry.options or not is_msk_iam(bootstrap_servers):
        words = [MARK, *(f"{key}={value}" for key, value in entry.options.items())]
        settings["sasl.oauthbearer.config"] = " ".join(words)
    return settings
