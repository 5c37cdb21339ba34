"""Our S3 connectors on MSK Connect: one connector, with a plugin and a worker configuration of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import Verdict
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.groups import KafkaGroups
from kafka_ferry.hooks.msk_connect.plugin_upload import from_folder
from kafka_ferry.hooks.msk_connect.rules.capacity import Provisioned
from kafka_ferry.hooks.msk_connect.rules.errors import ResourceNotFound
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import PluginArchive, unpacked
from kafka_ferry.jobs.runtimes.connectors import Begin, Configs
from kafka_ferry.jobs.runtimes.msk_connect import MskConnectRuntime
from kafka_ferry.jobs.runtimes.msk_connect_resources import MskResources
from kafka_ferry.jobs.s3.connect.rules.msk_workers import KEPT, worker_properties, worker_words
from kafka_ferry.jobs.s3.connect.rules.own_connectors import PLUGIN

if TYPE_CHECKING:
    from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Way
    from kafka_ferry.jobs.s3.s3_spec import ExportSpec, ImportSpec

log = logging.getLogger(__name__)

_ACTIVE = "ACTIVE"


class S3Resources(MskResources):
    """With our ZIP, or its JARs, for a plugin."""

    def _of_folder(self, folder: str) -> PluginArchive:
        try:
            # Opened so that a link is not followed.
            descriptor = os.open(Path(folder) / PLUGIN, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return from_folder(folder)
        except OSError as error:
            fix = f"{PLUGIN} itself: links are not followed"
            raise BadParam(self.param, f"{PLUGIN} in {folder} cannot be read: {error.strerror}", fix) from None
        with os.fdopen(descriptor, "rb") as file:
            return PluginArchive(unpacked(PLUGIN, file.read()))

    def check(self, needed: str, fix: str, why: str = "") -> None:
        """:raises BadParam: also when the plugin that is there cannot be used."""
        arn = self.spec.custom_plugin_arn
        if not arn:
            super().check(needed, f"put {fix} there", why)
            return
        usable = f"the ARN of a plugin that is {_ACTIVE}, or plugin_folder and plugin_bucket in its place"
        try:
            found = self.hook.call("describe_custom_plugin", customPluginArn=arn)
        except ResourceNotFound:
            raise BadParam("custom_plugin_arn", f"there is no custom plugin {arn}", usable) from None
        if (state := found["customPluginState"]) != _ACTIVE:
            said = (found.get("stateDescription") or {}).get("message", "")
            raise BadParam("custom_plugin_arn", f"the plugin is {state}{': ' if said else ''}{said}", usable)


class S3MskRuntime(MskConnectRuntime):
    """It knows of one connector, after which all that it makes is named.

    :param conn_id: by which Airflow reaches the connector's own cluster.
    """

    resources: S3Resources

    def __init__(self, way: Way, spec: ExportSpec | ImportSpec, name: str, conn_id: str) -> None:
        topic = KEPT.format(connector=name)
        super().__init__(
            S3Resources(spec, name),
            KafkaClusterHook(conn_id),
            topic,
            properties=lambda: worker_properties(way, topic, spec.worker_properties),
            capacity=lambda _: Provisioned(spec.workers, spec.mcus),
            references={},
        )
        self._way, self._afterwards = way, spec.connector_afterwards

    # -- plan ----------------------------------------------------------------------------------------------------------

    def check(self, connector_class: str, cluster_id: str | None, plugin: str) -> None:
        super().check(connector_class, cluster_id, plugin)
        if self._afterwards == "pause" and not self._can_pause:
            problem = "is pause, and the boto3 that is installed cannot pause a connector of MSK Connect"
            raise BadParam("connector_afterwards", problem, "boto3 1.43.118 or newer, or connector_afterwards: remove")

    @property
    def _can_pause(self) -> bool:
        return hasattr(self.hook.conn, "pause_connector")

    # -- run -----------------------------------------------------------------------------------------------------------

    def deploy(self, configs: Configs, begin: Mapping[str, Begin], *, restart_failed: bool = False) -> None:
        """One whose offsets have to change, and one that has failed, is made again: offsets are read when tasks start,
        and MSK Connect may say RUNNING of a connector whose tasks have all failed. Nothing is lost by that: a sink goes
        on where the bucket ends, a source behind its offsets."""
        self.make_way(configs)
        again = [name for name in configs if name in begin or (restart_failed and self.problem_of(name))]
        for name in self._connectors.delete(self.found(again)):
            log.info("connector %s is made again", name)
        super().deploy(configs, begin, restart_failed=restart_failed)

    def problem_of(self, name: str) -> str:
        """Of one that may not be there."""
        return "".join(self._problem(found) for found in self.found([name]))

    def pause(self, connectors: Iterable[str]) -> None:
        """Where the client cannot pause, by deletion: tasks write what they have begun when they stop, too, and the
        next connector goes on there."""
        if self._can_pause:
            super().pause(connectors)
        else:
            self._connectors.delete(self.found(connectors))

    def problem(self, connectors: Iterable[str]) -> str:
        """Also that it runs on another cluster than Airflow looks at."""
        names = list(connectors)
        state = self.readiness(names)
        if state.verdict is Verdict.WAITING and len(self.existing(names)) < len(names):
            return f"connector {', '.join(names)} no longer exists"
        return f"{state.reason}{worker_words(state.reason)}" if state.verdict is Verdict.FAILED else ""

    # -- removal -------------------------------------------------------------------------------------------------------

    def remove(self, connectors: Iterable[str], *, forget: bool) -> list[str]:
        """The workers' own topics too, which MSK Connect never deletes; of a sink, which keeps nothing there, the
        offsets topic as well."""
        names = list(connectors)
        removed = super().remove(names, forget=forget)
        topics = self.forget_internal(names)
        if forget or self._way == "sink":
            topics += self._target.admin.delete_topics([self.offsets_topic])
        if forget and self._way == "sink":
            groups = KafkaGroups.of(self._target)
            removed += [f"group connect-{name}" for name in names if groups.delete_group(f"connect-{name}")]
        return removed + [f"topic {topic}" for topic in topics]
