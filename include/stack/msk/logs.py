"""As much of CloudWatch Logs as shows the end of a worker's log."""

from __future__ import annotations

import json
from typing import Any

from botocore.validate import ParamValidator

from stack.msk.account import Account
from stack.msk.wire import Answer, BrokenDouble, service_model

_TARGET = "Logs_20140328."


class Logs:
    """``FilterLogEvents``, ``GetLogEvents`` and ``DescribeLogStreams``, from the workers' own output.

    A connector's stream is ``<connector name>-<id>``, where the log delivery of the connector says so.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._model = service_model("logs")

    def answer(self, target: str, params: dict[str, Any]) -> Answer:
        """One request of the JSON 1.1 protocol."""
        operation = target.removeprefix(_TARGET)
        actions = {
            "FilterLogEvents": self._filter,
            "GetLogEvents": self._get,
            "DescribeLogStreams": self._describe,
        }
        streams = self._streams(params.get("logGroupName", ""))
        if operation not in actions or streams is None:
            missing = {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
            return 400, json.dumps(missing).encode(), {}
        found = actions[operation](streams, params)
        report = ParamValidator().validate(found, self._model.operation_model(operation).output_shape)
        if report.has_errors():
            raise BrokenDouble(report.generate_report())
        return 200, json.dumps(found).encode(), {}

    def _streams(self, group: str) -> dict[str, list[dict[str, Any]]] | None:
        """Stream → events; None when no connector writes to this group."""
        found: dict[str, list[dict[str, Any]]] = {}
        for connector in self._account.connectors.values():
            delivery = connector.request.get("logDelivery", {}).get("workerLogDelivery", {}).get("cloudWatchLogs", {})
            if delivery.get("enabled") and delivery.get("logGroup") == group:
                lines = self._account.runtime.log(connector.arn)
                stream = f"{connector.name}-{connector.arn.rpartition('/')[2]}"
                found[stream] = [{"timestamp": line.milliseconds, "message": line.message} for line in lines]
        return found or None

    @staticmethod
    def _filter(streams: dict[str, list[dict[str, Any]]], params: dict[str, Any]) -> dict[str, Any]:
        prefix, since = params.get("logStreamNamePrefix", ""), params.get("startTime", 0)
        events = [
            {**event, "logStreamName": stream}
            for stream, found in streams.items()
            if stream.startswith(prefix)
            for event in found
            if event["timestamp"] >= since
        ]
        return {"events": events[: params.get("limit", 10_000)]}

    @staticmethod
    def _get(streams: dict[str, list[dict[str, Any]]], params: dict[str, Any]) -> dict[str, Any]:
        events = streams.get(params["logStreamName"], [])
        most = params.get("limit", 10_000)
        return {"events": events[:most] if params.get("startFromHead") else events[-most:]}

    @staticmethod
    def _describe(streams: dict[str, list[dict[str, Any]]], params: dict[str, Any]) -> dict[str, Any]:
        prefix = params.get("logStreamNamePrefix", "")
        return {"logStreams": [{"logStreamName": name} for name in streams if name.startswith(prefix)]}
