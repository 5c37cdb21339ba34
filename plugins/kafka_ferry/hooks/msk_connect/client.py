"""The boto3 client of MSK Connect."""

from __future__ import annotations

from typing import Any

from kafka_ferry.hooks.msk.client import MskClient


class MskConnectClient(MskClient):
    """Calls and waiters of ``kafkaconnect``; arguments are those of ``AwsBaseHook``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "kafkaconnect"
        super().__init__(*args, **kwargs)
