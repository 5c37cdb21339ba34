"""The params of ``cutover``, checked once, typed from then on. Pure."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Name
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.migration.rules.comparison_spec import ComparisonSpec

_WINDOW: JsonDict = {"section": "Window"}
_AFTER: JsonDict = {"section": "After the hand-over"}


class Fence(StrEnum):
    """Who stops the producers: ACLs of the source, somebody who is told to, or the user by hand."""

    ACL = "acl"
    WEBHOOK = "webhook"
    PROVE = "prove"


#: How long nobody must have written, in seconds. A DENY stops whoever it stops at once; of the others one look more
#: is taken, as one that is slow may only seem to have stopped.
_PROOF = MappingProxyType({Fence.ACL: 1.0, Fence.WEBHOOK: 3.0, Fence.PROVE: 3.0})


class CutoverSpec(ComparisonSpec):
    """What ``cutover`` is asked. Times are in seconds."""

    engine: ClassVar[str] = "cutover"
    run_kind = Kind.CUTOVER
    named_by = ("migration", "source_conn_id", "target_conn_id")
    only: ClassVar[Any] = MappingProxyType(
        {
            "any_partition": (False, "a cutover needs each record in its partition: groups resume by partition"),
            "verification": ("content", "a cutover compares contents"),
        }
    )
    form_without = (
        *(name for name in ComparisonSpec.form_without if name not in ("migration", "dry_run", "connect_conn_id")),
        "any_partition", "verification", "catch_up_timeout", "acl_scope",
        "principals", "quotas", "scram_users", "source_registry_conn_id", "target_registry_conn_id",
    )  # fmt: skip
    form_last = ("connect_conn_id",)

    migration: Name = Field(
        default="wave-1",
        title="Wave",
        description="Names these topics and their groups in the hand-over. One name per wave; the same name resumes.",
        examples=["orders", "wave-2"],
    )
    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, that the applications move to.",
        examples=["kafka_target"],
    )
    fence: Fence = Field(
        default=Fence.ACL,
        title="Stop producers by",
        description="acl: deny WRITE on the topics at the source; webhook: somebody is told to; prove: you stop them.",
        json_schema_extra={
            "values_display": {"acl": "acl: DENY WRITE at the source", "webhook": "webhook: told to stop",
                               "prove": "prove: stopped by hand"},
        },
    )  # fmt: skip
    fence_webhook_conn_id: str | None = Field(
        default=None,
        title="Webhook that stops producers",
        description="Airflow connection of type http, for fence webhook: it is told to stop them, and to start them "
        "again when the cutover is rolled back.",
    )
    handover_webhook_conn_id: str | None = Field(
        default=None,
        title="Webhook of the hand-over",
        description="Airflow connection of type http that is told when the applications are to use the target. Empty: "
        "none; the asset event comes all the same.",
        examples=["hand_over"],
    )
    approval: bool = Field(
        default=False,
        title="Approval",
        description="Wait for a person's yes in Airflow before the producers are stopped (Airflow 3.1 and later).",
    )
    connect_conn_id: str | None = Field(
        default=None,
        title="Kafka Connect",
        description="Airflow connection of type kafka_connect or http, for end_connectors.",
        examples=["kafka_connect"],
        json_schema_extra=_AFTER,
    )
    max_lag: int = Field(
        default=10_000,
        ge=0,
        title="Most lag",
        description="Records that the replication may be behind when the producers are stopped. It arrives in the "
        "window, while nobody can write.",
        json_schema_extra=_WINDOW,
    )
    lag_timeout: float = Field(
        default=600, ge=0, title="Time to close the lag",
        description="Until the replication must have come as near. In seconds.", json_schema_extra=_WINDOW,
    )  # fmt: skip
    fence_timeout: float = Field(
        default=15, ge=1, title="Time to stop",
        description="Within which all producers must have stopped, and a webhook must have answered. In seconds.",
        json_schema_extra=_WINDOW,
    )  # fmt: skip
    proof_seconds: float | None = Field(
        default=None, ge=0.2, le=600, title="Silence",
        description="How long nobody must have written to be taken as stopped, in seconds. Empty: 1 with fence acl, "
        "else 3.", json_schema_extra=_WINDOW,
    )  # fmt: skip
    transaction_timeout: float = Field(
        default=20, ge=0, title="Time of open transactions",
        description="How long open transactions are waited for once producers are stopped. In seconds.",
        json_schema_extra=_WINDOW,
    )  # fmt: skip
    drain_timeout: float = Field(
        default=60, ge=1, title="Time to drain",
        description="Until the last record must be on the target. In seconds.", json_schema_extra=_WINDOW,
    )  # fmt: skip
    groups_timeout: float = Field(
        default=20, ge=0, title="Time of groups",
        description="Until groups at work on the source must have read to the end, or have stopped. In seconds.",
        json_schema_extra=_WINDOW,
    )  # fmt: skip
    window_timeout: float = Field(
        default=300, ge=10, title="Longest window",
        description="For all of it: one that was interrupted longer ago is rolled back. In seconds.",
        json_schema_extra=_WINDOW,
    )  # fmt: skip
    keep_fence: bool = Field(
        default=False,
        title="Keep the fence",
        description="With fence acl: leave the DENY on the source after the hand-over, so that nobody writes there "
        "again. Else it is taken away at the end of the run.",
        json_schema_extra=_AFTER,
    )
    watch_seconds: float = Field(
        default=60, ge=0, le=18000, title="Watch the source",
        description="How long after the hand-over whoever still writes or commits there is looked for. In seconds.",
        json_schema_extra=_AFTER,
    )  # fmt: skip
    end_connectors: list[Entry] = Field(
        default=[],
        title="Connectors to stop",
        description="Names of the connectors that replicate this wave and nothing else, stopped after the hand-over. "
        "Empty: the replication goes on.",
        json_schema_extra=_AFTER,
    )

    @property
    def wave(self) -> str:
        return self.migration

    @property
    def silence(self) -> float:
        """Seconds of the proof of stop."""
        return self.proof_seconds or _PROOF[self.fence]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.fence is Fence.WEBHOOK) != (self.fence_webhook_conn_id is not None):
            problem = "is given, but" if self.fence_webhook_conn_id else "is missing, and"
            fix = "fence: webhook with a connection of type http; or another fence without one"
            raise BadParam("fence_webhook_conn_id", f"{problem} fence is {self.fence.value}", fix)
        if self.keep_fence and self.fence is not Fence.ACL:
            raise BadParam("keep_fence", f"is on, but fence {self.fence.value} leaves nothing to keep", "fence: acl")
        if self.end_connectors and not self.connect_conn_id:
            raise BadParam("connect_conn_id", "is missing, and end_connectors names connectors", "a Connect cluster")
        if self.end_connectors and self.fence is Fence.ACL and not self.keep_fence:
            raise BadParam(
                "end_connectors", "stops the replication, but without keep_fence the source can be written again: what "
                "comes there would be lost", "keep_fence: true; or leave end_connectors empty",
            )  # fmt: skip
        return self
