"""What one migration's connectors on MSK Connect are made of: its plugin and its worker configuration.

Both are named after the migration and their content. So a change makes new ones, a repetition finds those there are,
and a removal knows them without asking a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

from kafka_ferry.core.arns import region_of
from kafka_ferry.exceptions import BadConnection, BadParam
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.hooks.msk_connect.plugin_upload import delete, from_folder, upload
from kafka_ferry.hooks.msk_connect.rules.connector import Revision
from kafka_ferry.hooks.msk_connect.rules.naming import DIGEST_CHARACTERS, content_name
from kafka_ferry.hooks.msk_connect.rules.plugin_archive import PluginArchive, placeholder
from kafka_ferry.hooks.msk_connect.rules.worker_configuration import content
from kafka_ferry.jobs.common.deployment import check_plugin_folder
from kafka_ferry.jobs.runtimes.msk_connect_spec import ClusterParams

with brought_by("aws"):
    from botocore.exceptions import NoRegionError

_DELETION = 180  # looks


class MskConnectParams(ClusterParams, Protocol):
    """What params of jobs on MSK Connect are called."""

    @property
    def aws_conn_id(self) -> str | None: ...

    @property
    def service_execution_role_arn(self) -> str: ...

    @property
    def kafka_connect_version(self) -> str: ...

    @property
    def custom_plugin_arn(self) -> str | None: ...

    @property
    def plugin_folder(self) -> str | None: ...

    @property
    def plugin_bucket(self) -> str | None: ...

    @property
    def log_group(self) -> str | None: ...

    @property
    def worker_properties(self) -> dict[str, str]: ...

    @property
    def replication_factor(self) -> int | None: ...

    @property
    def poll_interval(self) -> float: ...

    @property
    def running_timeout(self) -> float: ...


class MskResources:
    """Makes, finds and deletes them.

    :param base: what their names begin with.
    :ivar waits: seconds between two looks at what takes time, and how many.
    """

    #: Which param the plugin's JARs come from.
    param = "plugin_folder"

    def __init__(self, spec: MskConnectParams, base: str) -> None:
        self.spec, self.base = spec, base
        self.waits = spec.poll_interval, max(1, round(spec.running_timeout / spec.poll_interval))

    @cached_property
    def hook(self) -> MskConnectHook:
        """The client of MSK Connect; beside its cluster, whatever the connection's region."""
        arn = self.spec.cluster_arn
        return MskConnectHook(aws_conn_id=self.spec.aws_conn_id, region_name=region_of(arn) if arn else None)

    @property
    def region(self) -> str:
        """Where connectors are made.

        :raises BadConnection: the cluster is not MSK's, and the connection says no region.
        """
        try:
            return str(self.hook.conn_region_name)
        except NoRegionError:
            fix = "region_name in its extra: the region in which the connectors are to run"
            raise BadConnection(f"connection {self.spec.aws_conn_id!r}: has no region. Fix: {fix}") from None

    # -- the plugin ----------------------------------------------------------------------------------------------------

    @cached_property
    def _archive(self) -> PluginArchive:
        """:raises BadParam: also when the deployment does not allow the folder."""
        if folder := self.spec.plugin_folder:
            check_plugin_folder(folder)
            return self._of_folder(folder)
        return self._without_folder()

    def _of_folder(self, folder: str) -> PluginArchive:
        return from_folder(folder)

    def _without_folder(self) -> PluginArchive:
        return placeholder()

    @property
    def plugin_name(self) -> str:
        """Of the plugin that is wanted; empty when one that is there is used."""
        return "" if self.spec.custom_plugin_arn else self._archive.name(f"{self.base}-plugin")

    def has_class(self, name: str) -> bool:
        """Whether the plugin holds a class; one that is there already is not looked into."""
        return bool(self.spec.custom_plugin_arn) or self._archive.has_class(name)

    def check(self, needed: str, fix: str, why: str = "") -> None:
        """What can be known of the plugin before anything is made.

        :param needed: a class that it must hold. ``fix``: what brings it.
        :raises BadParam: its folder is none, or lacks the class.
        """
        if not self.has_class(needed):
            raise BadParam(self.param, f"its JARs have no class {needed}{why}", fix)

    def plugin_is_there(self) -> bool:
        """Whether the plugin that is wanted exists."""
        return bool(self.spec.custom_plugin_arn) or self.hook.find_custom_plugin(self.plugin_name) is not None

    def plugin(self) -> Revision:
        """The plugin, ACTIVE; uploaded and made when it is not there.

        :raises PluginFailed: MSK Connect cannot make it.
        """
        arn = self.spec.custom_plugin_arn
        if not arn:
            arn = self.hook.create_custom_plugin(*self._uploaded())
        self.hook.wait("custom_plugin_active", *self.waits, customPluginArn=arn)
        return self.hook.custom_plugin_revision(arn)

    def _uploaded(self) -> tuple[str, str, str]:
        """The plugin's name, and the bucket and key where its ZIP is now."""
        bucket = str(self.spec.plugin_bucket)
        return self.plugin_name, bucket, upload(self._archive, f"{self.base}-plugin", bucket, **self._s3)

    @property
    def _s3(self) -> dict[str, Any]:
        return {"aws_conn_id": self.spec.aws_conn_id, "region_name": self.region}

    # -- the worker configuration --------------------------------------------------------------------------------------

    def configuration_name(self, properties: Mapping[str, str]) -> str:
        """With a digest, as it cannot be changed."""
        return content_name(f"{self.base}-workers", content(properties).encode())

    def configuration_is_there(self, properties: Mapping[str, str]) -> bool:
        """Whether it exists."""
        return self.hook.find_worker_configuration(self.configuration_name(properties)) is not None

    def configuration(self, properties: Mapping[str, str]) -> Revision:
        """Made or adopted.

        :raises BadParam: MSK Connect would refuse a property.
        """
        return self.hook.create_worker_configuration(self.configuration_name(properties), properties)

    # -- removal -------------------------------------------------------------------------------------------------------

    def existing(self) -> list[str]:
        """What is there of this migration, of whatever content, for people."""
        return [f"custom plugin {name}" for name in self._plugins()] + [
            f"worker configuration {name}" for name in self._configurations()
        ]

    def delete(self) -> list[str]:
        """Delete all of them and wait; connectors that use them must be gone. Returns what was there."""
        configurations, plugins, before, delay = self._configurations(), self._plugins(), self.existing(), self.waits[0]
        for arn in configurations.values():
            self.hook.delete_worker_configuration(arn)
        for name, arn in plugins.items():
            self.hook.delete_custom_plugin(arn)
            if self.spec.plugin_bucket:
                delete(self.spec.plugin_bucket, f"{name}.zip", **self._s3)
        for arn in configurations.values():
            self.hook.wait("worker_configuration_deleted", delay, _DELETION, workerConfigurationArn=arn)
        for arn in plugins.values():
            self.hook.wait("custom_plugin_deleted", delay, _DELETION, customPluginArn=arn)
        return before

    def _plugins(self) -> dict[str, str]:
        """Name → ARN."""
        return self._found("list_custom_plugins", "customPlugins", "customPluginArn", f"{self.base}-plugin")

    def _configurations(self) -> dict[str, str]:
        found = f"{self.base}-workers"
        return self._found("list_worker_configurations", "workerConfigurations", "workerConfigurationArn", found)

    def _found(self, operation: str, member: str, arn: str, base: str) -> dict[str, str]:
        name = re.compile(rf"{re.escape(base)}-[0-9a-f]{{{DIGEST_CHARACTERS}}}")
        pages = self.hook.pages(operation, member, namePrefix=f"{base}-")
        return {one["name"]: one[arn] for one in pages if name.fullmatch(one["name"])}
