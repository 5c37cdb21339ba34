"""Params of ``msk_replicator``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from kafka_ferry.core.arns import CLUSTER_ARN, ROLE_ARN
from kafka_ferry.core.spec import Name
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.spec import GroupOffsets, MigrationSpec, Naming

#: With names kept, MSK Replicator writes source cluster and topic into this header of each record, so that nothing goes
#: round in circles (developer guide, "Topic naming").
OWN_HEADER = "__mskmr"


class MskReplicatorSpec(MigrationSpec):
    """``msk_replicator``.

    :param connect_conn_id: a Connect cluster to look for other replicators on; none when there is none.
    :param source_cluster_arn, cluster_arn: the MSK clusters of the two connections.
    :param service_execution_role_arn: role of the replicator.
    :param starting_position: where a new replicator begins.
    :param compression: of what it writes.
    :param log_group: CloudWatch log group.
    """

    engine: ClassVar[str] = "msk_replicator"
    writes_as_us: ClassVar[bool] = False  # but as its role
    only: ClassVar = {
        "naming": (
            Naming.IDENTITY,
            "the replicator keeps names here: the prefix of its own is known only once it is there",
        ),
        "heartbeats": (False, "MSK Replicator has no heartbeats"),
        "group_offsets": (
            GroupOffsets.EXACT,
            "MSK Replicator's own offsets are approximate: exact ones are written by us",
        ),
    }

    connect_conn_id: str | None = None
    migration: Name = "msk"
    source_cluster_arn: str = Field(pattern=CLUSTER_ARN)
    cluster_arn: str = Field(pattern=CLUSTER_ARN)
    service_execution_role_arn: str = Field(pattern=ROLE_ARN)
    starting_position: Literal["EARLIEST", "LATEST"] = "EARLIEST"
    compression: Literal["NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD"] = "NONE"
    log_group: str | None = None
    poll_interval: float = Field(default=30, ge=0.5, le=3600)
    # A replicator takes its time to start; so does anything that cannot reach its cluster to say so.
    running_timeout: float = Field(default=2700, ge=5)
    no_progress_timeout: float = Field(default=1800, ge=5)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Also that params fit together.

        :raises BadParam: as ``MigrationSpec``; or params that contradict each other.
        """
        spec = super().from_params(params)
        if spec.canary and spec.starting_position == "LATEST":
            # "Any messages produced … before the topic has been created on the target" are left out then (guide).
            problem = "is on with starting_position LATEST, which leaves out the first records of every new topic"
            raise BadParam("canary", problem, "canary: false")
        return spec

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Of what it adds to the records."""
        return (OWN_HEADER,)
