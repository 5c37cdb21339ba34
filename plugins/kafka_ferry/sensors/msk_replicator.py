"""Wait for a replicator's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka_ferry.exceptions import BadParam
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.sensors.msk_connect import MskSensor

with brought_by("aws"):
    from airflow.providers.amazon.aws.utils.mixins import aws_template_fields


class MskReplicatorStateSensor(MskSensor[MskReplicatorHook]):
    """Wait until a replicator is RUNNING, or deleted.

    A FAILED replicator ends the wait at once, without retries, with its StateInfo.

    Known limitation: RUNNING says nothing about records moving.

    :param replicator_arn: its ARN. (templated)
    :param target_state: RUNNING or DELETED.
    """

    aws_hook_class = MskReplicatorHook
    template_fields: Sequence[str] = aws_template_fields("replicator_arn", "target_state")

    def __init__(self, *, replicator_arn: str, target_state: str = "RUNNING", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.replicator_arn = replicator_arn
        self.target_state = target_state

    def waiter(self) -> tuple[str, dict[str, str]]:
        if self.target_state not in ("RUNNING", "DELETED"):
            raise BadParam("target_state", f"{self.target_state!r} is not a state to wait for", "RUNNING or DELETED")
        return f"replicator_{self.target_state.lower()}", {"ReplicatorArn": self.replicator_arn}
