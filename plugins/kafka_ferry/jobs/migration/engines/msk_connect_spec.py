"""Params of ``mirror_maker2_on_msk_connect``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from kafka_ferry.core.arns import CLUSTER_ARN, PLUGIN_ARN, ROLE_ARN
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Naming

#: MSK Connect's names have letters, digits and hyphens.
NAME = r"^[A-Za-z0-9][A-Za-z0-9-]{0,59}$"


class MskConnectSpec(MigrationSpec):
    """What it takes beside the params of a migration.

    :param connect_conn_id: a Connect cluster to look for other replicators on; none when there is none.
    :param cluster_arn: the target, as MSK knows it; ``target_conn_id`` is how Airflow reaches the same cluster.
    :param plugin_bucket: where the plugin of this migration is put, and taken away again.
    :param custom_plugin_arn: a plugin that is there already, in place of one of the migration's own.
    :param plugin_folder: folder on the Airflow worker with the plugin's files; none: a placeholder, as MirrorMaker 2 is
        on the workers' class path and MSK Connect asks for a plugin all the same.
    :param workers: of the source connector; the others have one. ``mcus``: of each worker.
    :param worker_properties: of the worker configuration, beside ours.
    :param source_references: librdkafka key of the source's connection to the ConfigProvider reference that connectors
        get in its place.
    """

    engine: ClassVar[str] = "mirror_maker2_on_msk_connect"

    connect_conn_id: str | None = None
    migration: str = Field(default="ferry-msk", pattern=NAME)  # not the main DAG's: it is the alias too
    aws_conn_id: str = "aws_default"
    cluster_arn: str = Field(pattern=CLUSTER_ARN)
    service_execution_role_arn: str = Field(pattern=ROLE_ARN)
    plugin_bucket: str | None = None
    custom_plugin_arn: str | None = Field(default=None, pattern=PLUGIN_ARN)
    plugin_folder: str | None = None
    workers: int = Field(default=1, ge=1, le=10)
    mcus: Literal[1, 2, 4, 8] = 1
    kafka_connect_version: str = "3.7.x"
    log_group: str | None = None
    worker_properties: dict[str, str] = Field(default={})
    source_references: dict[str, str] = Field(default={})
    running_timeout: float = Field(default=2400, ge=5)  # one that cannot reach its cluster needs 20 minutes to say so

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Also that params fit together.

        :raises BadParam: as ``MigrationSpec``; or params that contradict each other.
        """
        spec = super().from_params(params)
        if not spec.plugin_bucket and not spec.custom_plugin_arn:
            raise BadParam("plugin_bucket", "is missing", "an S3 bucket, or custom_plugin_arn of a plugin there is")
        if spec.custom_plugin_arn and spec.plugin_folder:
            raise BadParam("plugin_folder", "is given beside custom_plugin_arn", "one of the two")
        if spec.naming is Naming.RENAME:
            spec._check_rename()
        return spec

    def _check_rename(self) -> None:
        if not self.plugin_folder and not self.custom_plugin_arn:
            problem = "is missing: new names by format need a class that only a plugin brings to MSK Connect"
            cure = "the folder of kafka-ferry-connect-plugins.jar (make plugins), see docs/connect_plugins.md"
            raise BadParam("plugin_folder", problem, cure)
        if self.heartbeats:
            problem = "is on with naming: rename, but MirrorHeartbeatConnector does not see the policy of a plugin"
            raise BadParam("heartbeats", problem, "heartbeats: false, or naming: identity or prefix")
