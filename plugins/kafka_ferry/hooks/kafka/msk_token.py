"""Tokens of MSK IAM, signed with the credentials of an Airflow connection of type ``aws`` by the provider's own hook.

A token is a signed URL: nobody is asked for it. A role's credentials come from STS, and again before they expire. A
token is good no longer than what signed it, so it is never said to be: librdkafka renews it in time
(aws-msk-iam-sasl-signer-js 21, aws-msk-iam-sasl-signer-net 16).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from kafka_ferry.core.msk_iam import CONN_ID, MARK, REGION, MskLogin
from kafka_ferry.exceptions import BadConnection, NotAuthorized, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.kafka.reading.wire_settings import OwnToken

with brought_by("aws"):
    import botocore.session
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    from botocore.credentials import CredentialProvider
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

_THROTTLED = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalFailure", "ServiceUnavailable")


class _Moment(CredentialProvider):  # type: ignore[misc]
    """Key, secret and session token of one moment, as the signer wants them: a refresh may come between two of them."""

    METHOD = "kafka-ferry"

    def __init__(self, credentials: Any) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Any:
        """As botocore calls it."""
        return self._credentials.get_frozen_credentials()


class MskToken(OwnToken):
    """librdkafka's ``oauth_cb``; what it raises there nobody sees, so :func:`msk_token` has tried it before.

    :param credentials: gives botocore's, fresh ones each time. Several clients may ask at once.
    """

    def __init__(self, region: str, credentials: Callable[[], Any]) -> None:
        self.region, self._credentials = region, credentials

    def __call__(self, _config: str = "") -> tuple[str, float]:
        """A token, and until when it is good, in seconds since 1970."""
        now = self._credentials()
        token, expiry_ms = MSKAuthTokenProvider.generate_auth_token_from_credentials_provider(self.region, _Moment(now))
        ends = getattr(now, "_expiry_time", None)  # of credentials that expire; botocore has no other word
        return token, min([expiry_ms / 1000, *([ends.timestamp()] if ends else [])])


def msk_token(login: MskLogin, held: Mapping[str, Any] | None = None) -> MskToken:
    """Signs for one cluster; tried once.

    :param held: the connection, as a process with Airflow read it; empty: it does not exist, and the process's own
        credentials do; None: ask Airflow for it.
    :raises BadConnection: no credentials, or no region. ``NotAuthorized``: STS says no. ``TransientError``: it is away.
    """
    named = f"{CONN_ID}={login.aws_conn_id}" if login.aws_conn_id else "the process's own credentials"
    try:
        token = _of_connection(login, None if held is None else json.dumps(held)) if login.aws_conn_id else _own(login)
        token()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        kind = TransientError if code in _THROTTLED else NotAuthorized
        raise kind(f"MSK IAM by {named}: {error}. Fix: let its user assume the role (sts:AssumeRole)") from None
    except (ConnectionError, HTTPClientError) as error:
        raise TransientError(f"MSK IAM by {named}: no credentials: {error}") from None
    except BotoCoreError as error:
        fix = "correct that connection" if login.aws_conn_id else "credentials for Airflow's processes, or aws_conn_id"
        raise BadConnection(f"MSK IAM by {named}: no credentials: {error}. Fix: {fix}") from None
    return token


def _own(login: MskLogin) -> MskToken:
    """As the signer's ``generate_auth_token`` has them, looked up each time."""
    return _made(login.region, lambda: botocore.session.Session().get_credentials(), "the process's own credentials")


@lru_cache(maxsize=16)
def _of_connection(login: MskLogin, held: str | None) -> MskToken:
    """One session for all clients: a role is assumed once, and its session name stays (Kafka lets no client change its
    principal when it logs in again, aws-msk-iam-auth 143)."""
    from kafka_ferry.hooks.kafka.msk_session import session_of  # Airflow, which a process of ours is spared otherwise

    session = session_of(login, None if held is None else json.loads(held))
    credentials = session.get_credentials()
    return _made(login.region or session.region_name, lambda: credentials, f"{CONN_ID}={login.aws_conn_id}")


def _made(region: str | None, credentials: Callable[[], Any], named: str) -> MskToken:
    if not region:
        raise BadConnection(
            f"MSK IAM by {named}: the host name has no region. Fix: sasl.oauthbearer.config={MARK} {REGION}=<region>, "
            "or region_name in the aws connection"
        )
    if credentials() is None:
        raise BadConnection(
            f"MSK IAM by {named}: no credentials. Fix: sasl.oauthbearer.config={MARK} {CONN_ID}=<a connection of type "
            "aws with keys, a profile or a role>, or a role for Airflow's processes"
        )
    return MskToken(region, credentials)
