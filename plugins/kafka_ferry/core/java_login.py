"""As whom an engine's Java clients log in to MSK, where our own do by an ``aws`` connection of Airflow's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.msk_iam import AWS_CONNECTION, java_options


def java_login_findings(conn_id: str, param: str, extra: Mapping[str, Any]) -> list[Finding]:
    """A worker cannot read the connection: what it takes instead is told, and the option that says the same.

    :param extra: of the ``kafka`` connection, with the ``aws`` one in it where it names one.
    """
    aws, said = extra.get(AWS_CONNECTION), str(extra.get("sasl.oauthbearer.config", ""))
    options = java_options(said)
    if not aws or "awsRoleArn" in options or "awsProfileName" in options:
        return []
    more = aws.get("extra") or {}
    if role := more.get("role_arn"):
        who = f"the role {role}"
        fix = f"awsRoleArn={role} in sasl.oauthbearer.config, if the worker's own credentials may assume it"
    elif profile := more.get("profile_name"):
        who = f"the profile {profile}"
        fix = f"awsProfileName={profile} in sasl.oauthbearer.config, if the worker's host has that profile"
    else:
        who = "its keys"
        fix = "give the worker credentials of the same rights, or a role: awsRoleArn=… in sasl.oauthbearer.config"
    what = (
        f"Airflow's tasks log in by connection {aws.get('conn_id')} ({who}), which the engine's Java clients cannot "
        "read: they take their worker's own credentials"
    )
    return [Finding(Severity.WARN, "msk_iam", f"cluster {conn_id}", what, fix, param)]
