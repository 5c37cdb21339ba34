"""The params of ``retire_source``, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Isolation, Spec
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

_PROOF: JsonDict = {"section": "Proof"}
_SIGNING: JsonDict = {"section": "Certificate"}


class RetireSpec(Spec):
    """What ``retire_source`` is asked. Which topics and groups are meant stands in the journals of the waves."""

    run_kind = Kind.RETIRE
    named_by = ("source_conn_id", "target_conn_id")

    source_conn_id: str = Field(
        default="kafka_source",
        title="Source cluster",
        description="Airflow connection of type kafka: the cluster that may be switched off, or not. Nothing is "
        "written there.",
        examples=["kafka_source"],
    )
    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, that the waves were handed over to. Nothing is written there.",
        examples=["kafka_target"],
    )
    left_behind: list[Entry] = Field(
        default=[],
        title="Topics that nobody needs",
        description="Names or regular expressions, one per line, of topics that no wave handed over and that may go "
        "with the source. They are named in the certificate.",
        examples=[["_schemas", "connect-.*"]],
    )
    left_groups: list[Entry] = Field(
        default=[],
        title="Groups that nobody needs",
        description="Names or regular expressions, one per line, of groups that may go with the source. They are named "
        "in the certificate.",
        examples=[["lag-exporter"]],
    )
    connect_conn_id: str | None = Field(
        default=None,
        title="Kafka Connect to check",
        description="Airflow connection of type kafka_connect or http: connectors there that still work on the source "
        "are named. Empty: none.",
        examples=["kafka_connect"],
    )
    watch_seconds: float = Field(
        default=30,
        ge=1,
        le=18000,
        title="Watch the source",
        description="How long whoever still writes there is looked for. In seconds.",
        json_schema_extra=_PROOF,
    )
    isolation_level: Isolation = Field(
        default="read_committed",
        title="Isolation level",
        description="That of the cutovers. read_uncommitted compares aborted transactions as if they had been "
        "committed.",
        json_schema_extra=_PROOF,
    )
    duplicates: Literal["fail", "explain"] = Field(
        default="fail",
        title="Duplicates",
        description="As in the cutovers. fail: records that are on the target more than once are a reason against it; "
        "explain: listed and counted only.",
        json_schema_extra=_PROOF,
    )
    ignore_headers: list[Entry] = Field(
        default=[],
        title="Headers to ignore",
        description="Names of headers that the replicator added to the records, one per line.",
        json_schema_extra=_PROOF,
    )
    acls: Literal["check", "skip"] = Field(
        default="check",
        title="ACLs",
        description="check: the ACLs of the topics must be on the target; skip: not compared.",
        json_schema_extra=_PROOF,
    )
    signing_conn_id: str | None = Field(
        default=None,
        title="Signing key",
        description="Airflow connection whose password is an Ed25519 private key in PEM: the certificate is signed "
        "with it. Empty: no signature.",
        examples=["certificate_key"],
        json_schema_extra=_SIGNING,
    )

    def compared(self, targets: Mapping[str, str]) -> CutoverSpec:
        """Params of a cutover of just these topics, for what looks at clusters and compares them.

        :param targets: source topic to target topic.
        """
        same: Iterable[str] = (
            "source_conn_id", "target_conn_id", "isolation_level", "duplicates", "ignore_headers", "acls",
            "connect_conn_id",
        )  # fmt: skip
        params: dict[str, Any] = {name: getattr(self, name) for name in same}
        # Every name is a key, so that none is read as an expression.
        return CutoverSpec.from_params({**params, "topics": sorted(targets), "rename": dict(targets), "groups": []})
