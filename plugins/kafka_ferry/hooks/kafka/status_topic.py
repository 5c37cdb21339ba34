"""The topic in which Connect workers note the states of connectors and tasks, for workers that do not show them.

Format (measured on Kafka 4.3.1): key ``status-task-<connector>-<number>`` or ``status-connector-<connector>``, value
``{"state":"RUNNING","trace":null,"worker_id":"…","generation":6}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kafka_ferry.core.redaction import redact_text
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.table_topic import TableTopic

_KEY = re.compile(r"status-(connector|task)-(.+?)(?:-(\d+))?")


class StatusTopic:
    """States that were noted since a time: before it another process may have noted them."""

    def __init__(self, cluster: KafkaClusterHook, topic: str) -> None:
        self._table = TableTopic(cluster, topic)

    def running_tasks(self, connector: str, since: float) -> int:
        """How many tasks of a connector are RUNNING.

        :param since: seconds since the epoch.
        """
        return sum(
            kind == "task" and name == connector and state == "RUNNING" for kind, name, state, _ in self._states(since)
        )

    def failed(self, since: float) -> str:
        """What is FAILED, with its stack trace; empty when nothing is."""
        return "\n".join(
            f"{kind} {name} is FAILED:\n{redact_text(trace) or 'no trace'}"
            for kind, name, state, trace in self._states(since)
            if state == "FAILED"
        )

    def _states(self, since: float) -> Iterator[tuple[str, str, str, str]]:
        for key, row in self._table.rows().items():
            found = _KEY.fullmatch(key.decode(errors="replace"))
            if found and row.timestamp_ms >= since * 1000:
                status = json.loads(row.value)
                yield found[1], found[2], str(status.get("state", "")), str(status.get("trace") or "")
