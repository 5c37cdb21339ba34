"""The params of ``check_connections``, checked once, typed from then on. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.config import JsonDict

from kafka_ferry.core.arns import CLUSTER_ARN
from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Spec

#: What Airflow takes as an id (``airflow.models.connection.sanitize_conn_id``).
ConnId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\w#!()\-.:/\\]{1,200}$")]
TopicName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._-]{1,249}$")]
Service = Literal["msk_connect", "msk_replicator"]

#: The defaults of the other DAGs' params; a test compares them.
DEFAULTS = (
    "kafka_source", "kafka_target", "kafka_connect", "aws_default", "database_source", "registry_source",
    "registry_target",
)  # fmt: skip
WRITTEN_TO = "kafka_target"
_AWS: JsonDict = {"section": "AWS"}
_RIGHTS: JsonDict = {"section": "Rights on Kafka"}


class ConnectionsSpec(Spec):
    """What the user asked for, in the names of the trigger form. Times are in seconds."""

    run_kind = Kind.ASK
    named_by = ("connections",)
    form_last = ("patience",)
    run_kind = Kind.ASK
    named_by = ("connections",)

    connections: list[ConnId] = Field(
        default=[],
        max_length=100,
        title="Connections",
        description=(
            "Ids of Airflow connections, one per line. Empty: those that the other DAGs use by default, as far as "
            "they exist."
        ),
        examples=[["kafka_source", "kafka_target", "kafka_connect", "aws_default"]],
    )
    topics: list[TopicName] = Field(
        default=[],
        max_length=500,
        title="Topics",
        description=(
            "Full names, one per line: what each Kafka connection's user may do with them. Empty: only what it may do "
            "on the cluster."
        ),
        examples=[["orders"]],
    )
    written_to: list[ConnId] = Field(
        default=[WRITTEN_TO],
        title="Kafka connections written to",
        description="Their users also need the rights to create and fill topics; the others are only read from.",
        json_schema_extra=_RIGHTS,
    )
    groups: list[Entry] = Field(
        default=[],
        max_length=500,
        title="Consumer groups",
        description="Group ids, one per line: may their offsets be read, and where written to, committed?",
        examples=[["billing"]],
        json_schema_extra=_RIGHTS,
    )
    location: Annotated[str, StringConstraints(pattern=r"^s3://[^/]+")] | None = Field(
        default=None,
        title="S3 location",
        description=(
            "s3://bucket/prefix: below it a small object is written, read, listed and deleted, through each connection "
            "of type aws. Empty: S3 is not asked."
        ),
        examples=["s3://ferry-backups/backups"],
        json_schema_extra=_AWS,
    )
    cluster_arn: Annotated[str, StringConstraints(pattern=CLUSTER_ARN)] | None = Field(
        default=None,
        title="MSK cluster's ARN",
        description="May the cluster be described, and its brokers be asked for? Empty: MSK is not asked.",
        json_schema_extra=_AWS,
    )
    services: list[Service] = Field(
        default=[],
        title="AWS services",
        description="msk_connect, msk_replicator: whether what is there may be listed.",
        json_schema_extra=_AWS,
    )
    patience: float = Field(
        default=20,
        ge=1,
        le=300,
        title="Patience",
        description="How long one call may take; a connection has three times as long. In seconds.",
        json_schema_extra={"section": "Times"},
    )

    @property
    def named(self) -> bool:
        """Whether the connections were named, and so have to be there."""
        return bool(self.connections)

    @property
    def asked(self) -> list[str]:
        """Ids in their order, each once."""
        return list(dict.fromkeys(self.connections or DEFAULTS))

    @property
    def of_aws(self) -> dict[str, bool]:
        """Params that only a connection of type ``aws`` can answer, to whether they are set."""
        return {"location": bool(self.location), "cluster_arn": bool(self.cluster_arn), "services": bool(self.services)}
