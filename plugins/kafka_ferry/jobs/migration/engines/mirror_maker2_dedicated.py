"""A dedicated MirrorMaker 2: processes of its own on hosts, no Connect cluster beside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import javaproperties

from kafka_ferry.core.mirror_offsets import next_offsets, offset_changes
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.record_sizes import without_prefix
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.hosts.host import Host
from kafka_ferry.hooks.kafka.offsets_topic import OffsetsTopic
from kafka_ferry.hooks.kafka.status_topic import StatusTopic
from kafka_ferry.jobs.migration.engines.host_engine import HostEngine, SupervisedProgress
from kafka_ferry.jobs.migration.engines.host_spec import DedicatedSpec
from kafka_ferry.jobs.migration.engines.mirror_intent import mirror_intent
from kafka_ferry.jobs.migration.engines.mirror_maker2_dedicated_config import internal_topics, properties
from kafka_ferry.jobs.migration.live.progress import ReplicationFailed
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.migration.live.retention import hold_limits
from kafka_ferry.jobs.migration.rules.watch import Progress

_SOURCE_CONNECTOR = "MirrorSourceConnector"


class MirrorMaker2Dedicated(HostEngine):
    """The same ``mm2.properties`` on each host; they share the tasks among them.

    Its internal REST API shows nothing to an operator (measured), so progress and states are read from its topics.
    """

    def producer_overrides(self) -> dict[str, str]:
        own, key = self.spec.overrides, "producer.override."
        return {**without_prefix(own, key), **without_prefix(own, f"{self.spec.alias}->target.{key}")}

    @property
    def main_class(self) -> str:
        return "org.apache.kafka.connect.mirror.MirrorMaker"

    def arguments(self, host: Host, folder: str) -> list[str]:
        return [f"{folder}/mm2.properties"]

    def files(self, host: Host, folder: str) -> dict[str, bytes]:
        spec = self.spec
        assert isinstance(spec, DedicatedSpec)  # noqa: S101  # the registry pairs them
        listeners = f"http://{host.address}:{spec.rest_port}" if len(self.hosts) > 1 else None
        keys = properties(mirror_intent(self.migration, self.settings(folder)), spec.overrides, listeners)
        result = {"mm2.properties": _text(keys)}
        if secrets := self.secrets():
            provider = "org.apache.kafka.common.config.provider.FileConfigProvider"
            keys |= {
                "config.providers": "file",
                "config.providers.file.class": provider,
                "config.providers.file.param.allowed.paths": folder,
            }
            result = {"mm2.properties": _text(keys), "secrets.properties": _text(secrets)}
        return result

    def about(self) -> dict[str, Any]:
        if self.spec.alias == "target":
            raise BadParam("source_alias", "'target' is what the target is called", "another source_alias")
        self.processes  # noqa: B018  # refuses overrides that cannot be
        return super().about()

    def deploy(self) -> None:
        hold_limits(self.migration)
        self.start()

    def prepare(self) -> None:
        """Go on behind the target's last records, whatever the offsets topic says."""
        places = resume_of(self.migration, self.migration.target_topics())
        stored = next_offsets(self._offsets.entries(), self.spec.alias)
        self._offsets.write(offset_changes(places, stored, self.spec.alias), self.spec.replication_factor)

    def readiness(self) -> Readiness:
        state = self.lives()
        if state.verdict is not Verdict.RUNNING:
            return state
        if failed := self.failed():
            return Readiness(Verdict.FAILED, failed)
        tasks = self._status.running_tasks(_SOURCE_CONNECTOR, self.since())
        if not tasks:
            return Readiness(Verdict.WAITING, f"{state.reason}, but no task of {_SOURCE_CONNECTOR} yet")
        return Readiness(Verdict.RUNNING, f"{state.reason}, {tasks} task(s) of {_SOURCE_CONNECTOR}")

    def failed(self) -> str:
        """Connectors and tasks that are FAILED, with their stack traces."""
        return self._status.failed(self.since())

    def progress(self) -> Progress:
        return SupervisedProgress(self, _DedicatedProgress(self, self._offsets))

    def own_topics(self) -> tuple[str, ...]:
        return (*internal_topics(self.spec.alias), f"{self.spec.alias}.heartbeats")

    @cached_property
    def _offsets(self) -> OffsetsTopic:
        return OffsetsTopic(self.migration.target, f"mm2-offsets.{self.spec.alias}.internal", _SOURCE_CONNECTOR)

    @cached_property
    def _status(self) -> StatusTopic:
        return StatusTopic(self.migration.target, f"mm2-status.{self.spec.alias}.internal")


class _DedicatedProgress:
    def __init__(self, engine: MirrorMaker2Dedicated, offsets: OffsetsTopic) -> None:
        self._engine, self._offsets = engine, offsets

    def next_offsets(self) -> Mapping[Partition, int]:
        return next_offsets(self._offsets.entries(), self._engine.spec.alias)

    def check(self) -> None:
        if failed := self._engine.failed():
            raise ReplicationFailed(failed)


def _text(keys: Mapping[str, str]) -> bytes:
    return javaproperties.dumps(keys, timestamp=False, ensure_ascii=True).encode()
