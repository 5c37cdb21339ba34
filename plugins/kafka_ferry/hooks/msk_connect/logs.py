"""The end of a connector's log in CloudWatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka_ferry.core.redaction import redact_text, secret_values
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.rules.connector import Connector

with brought_by("aws"):
    from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from kafka_ferry.hooks.msk_connect.client import MskConnectClient

_STREAMS = 5  # the youngest: one a worker


def log_tail(hook: MskConnectClient, connector: Connector, lines: int) -> list[str]:
    """The last lines, oldest first, without the secrets of the connector's config.

    Never raises for what CloudWatch says: the log explains a failure, and must not hide it.
    """
    if connector.log_group is None:
        return ["(the connector has no log delivery to CloudWatch)"]
    try:
        events = _events(hook.sibling("logs"), connector.log_group, connector.name, lines)
    except (BotoCoreError, ClientError) as error:
        return [f"(log group {connector.log_group} cannot be read: {error})"]
    secrets = secret_values(connector.config)
    last = sorted(events, key=lambda event: int(event["timestamp"]))[-lines:]
    return [redact_text(str(event["message"]).rstrip(), secrets) for event in last]


def _events(logs: Any, group: str, name: str, lines: int) -> list[dict[str, Any]]:
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"]
    if not found:
        return [{"timestamp": 0, "message": f"(no log stream of {group} is named after {name})"}]
    streams = sorted(found, key=lambda stream: int(stream.get("lastEventTimestamp", 0)))[-_STREAMS:]
    events: list[dict[str, Any]] = []
    for stream in streams:
        answer = logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], limit=lines, startFromHead=False
        )
        events += answer["events"]
    return events
