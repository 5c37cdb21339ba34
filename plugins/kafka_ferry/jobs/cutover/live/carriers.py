"""The connectors that bring a wave's records, as far as they can be seen: whether one has failed. Changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property

from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.connect.states import Verdict, worst
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import MirrorMaker2OnConnect
from kafka_ferry.jobs.migration.engines.registry import engine_kind
from kafka_ferry.jobs.migration.live.flows import known_as, noted
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.rules.flow import Name

log = logging.getLogger(__name__)


class Carriers:
    """Those that our migrations noted of themselves, and those on the wave's own Kafka Connect."""

    def __init__(self, wave: Wave) -> None:
        self._wave = wave

    def failed(self) -> str:
        """Connectors and tasks that have failed, with their traces; empty: none is known to have. What cannot be asked
        is told in the log: records tell whether they come."""
        try:
            found = worst([connect.readiness(name, 0) for name, connect in self._connectors.items()])
        except FerryError as error:
            log.warning("could not ask how the replication's connectors are: %s", error)
            return ""
        return found.reason if found.verdict is Verdict.FAILED else ""

    @cached_property
    def _connectors(self) -> dict[str, ConnectHook]:
        found = dict(self._noted())
        spec, migration = self._wave.spec, self._wave.migration
        if spec.connect_conn_id:
            connect, source = ConnectHook(spec.connect_conn_id), known_as(self._wave.source)
            found |= dict.fromkeys(spec.end_connectors, connect)
            for other in OtherReplicators(migration).connectors():
                if other.copies and other.source_addresses & source and self._brings(other.copied_as):
                    found[other.name] = connect
        return found

    def _noted(self) -> Iterator[tuple[str, ConnectHook]]:
        source, target = known_as(self._wave.source), known_as(self._wave.target)
        for record in noted().values():
            try:
                spec = record.spec
            except FerryError:
                continue  # of another version
            if not issubclass(engine_kind(spec.engine), MirrorMaker2OnConnect) or not spec.connect_conn_id:
                continue
            both = source & set(record.source) and target & set(record.target)
            if both and self._brings(record.flow().copied_as):
                yield f"{record.dag_id}.{spec.migration}.MirrorSourceConnector", ConnectHook(spec.connect_conn_id)

    def _brings(self, copied_as: Name) -> bool:
        return any(copied_as(topic) == there for topic, there in self._wave.targets.items())
