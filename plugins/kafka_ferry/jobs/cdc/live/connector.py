"""A stream's connector: when it may begin, how far it has come, and what runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.hook import ConnectHook, Offsets
from kafka_ferry.hooks.connect.states import Readiness
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.msk_connect.rules.capacity import capacity_from
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.runtimes.connectors import ConnectorRuntime
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime

_JSON = "org.apache.kafka.connect.json.JsonConverter"


@dataclass(frozen=True)
class Progress:
    """How far a connector has come.

    :param position: the last that it committed; None: nothing yet.
    :param in_snapshot: it still reads the rows that were there.
    """

    position: Position | None = None
    in_snapshot: bool = False

    @classmethod
    def of(cls, offset: Mapping[str, Any]) -> Self:
        """From an offset of Debezium's, such as ``{"file": "binlog.000001", "pos": 4, "snapshot": "INITIAL"}``."""
        if "file" not in offset:
            return cls()
        busy = str(offset.get("snapshot", "")).lower() not in ("", "false", "none")
        return cls(Position.of(offset["file"], offset["pos"]), busy and not offset.get("snapshot_completed"))


class StreamConnector:
    """One connector, wherever it runs.

    :param name: as the runtime calls it.
    """

    def __init__(self, name: str, runtime: ConnectorRuntime) -> None:
        self.name, self.runtime = name, runtime

    def deploy(self, config: Mapping[str, str], has_history: bool) -> bool:
        """Make the connector, or change what differs; whether it resumes from a position that was kept.

        :param has_history: whether its schema history topic holds statements.
        :raises BadParam: a position without a history, or a history without a position: of an earlier life. Nothing
            is left of what was made.
        """
        kept = True

        def begin(offsets: Offsets) -> Offsets:
            nonlocal kept
            kept = bool(offsets)
            if kept != has_history:
                raise history_error(config.get("schema.history.internal.kafka.topic", ""), has_history)
            return []

        begins = self.runtime.make_way([self.name])
        self.runtime.deploy({self.name: config}, dict.fromkeys(begins, begin), restart_failed=True)
        return kept

    def readiness(self) -> Readiness:
        """Whether it runs."""
        return self.runtime.readiness([self.name])

    def progress(self) -> Progress:
        """How far it has come, by what it committed."""
        offsets = (entry["offset"] or {} for entry in self.runtime.offsets(self.name))
        return next((Progress.of(offset) for offset in offsets if "file" in offset), Progress())

    def remove(self, *, forget: bool) -> list[str]:
        """Take it away; what was there. ``forget``: its position too, but for what stands in topics."""
        return self.runtime.remove([self.name], forget=forget)

    def left(self) -> list[str]:
        """What :meth:`remove` should have taken away and is there still."""
        return self.runtime.left([self.name])

    def how_to_stop(self) -> str:
        """For the last task's log."""
        return (
            f"keep_streaming: connector {self.name} keeps running. To stop it, trigger this DAG again with the "
            f"same params and keep_streaming off; or stop it by hand:\n{self.runtime.how_to_stop([self.name])}"
        )


def connector_of(name: str, spec: StreamSpec, target: KafkaClusterHook) -> StreamConnector:
    """The stream's connector on the runtime that the spec asks for.

    :raises BadParam: its name is too long there.
    """
    if spec.runtime != "msk_connect":
        return StreamConnector(name, KafkaConnectRuntime(ConnectHook(spec.connect_conn_id)))
    # Only here: they need the extra aws.
    from kafka_ferry.jobs.cdc.live.msk_resources import StreamResources
    from kafka_ferry.jobs.runtimes.msk_connect import MskConnectRuntime, msk_name

    fit = msk_name(name, "stream")
    offsets_topic = f"{spec.prefix}.connect-offsets"
    properties = {
        # Progress is what was flushed; the default is a minute.
        "offset.flush.interval.ms": "1000",
        **spec.worker_properties,
        "key.converter": _JSON,
        "value.converter": _JSON,
        "offset.storage.topic": offsets_topic,
    }
    runtime = MskConnectRuntime(
        StreamResources(spec, fit),
        target,
        offsets_topic,
        properties=lambda: properties,
        capacity=lambda _: capacity_from(spec.capacity),
        references={"password": spec.password_reference} if spec.password_reference else {},
    )
    return StreamConnector(fit, runtime)


def history_error(topic: str, has_history: bool) -> BadParam:
    """A history and a position that do not go together."""
    if has_history:
        what = f"{topic} is stale: it holds statements, but the connector has no matching position"
        return BadParam("history_topic", what, "delete that topic, or name another one")
    what = f"{topic} is empty, but the connector has a position, from which it cannot resume without its history"
    return BadParam("history_topic", what, "another stream name, for a new snapshot")
