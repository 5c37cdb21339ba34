"""The params of ``verify_clusters``, checked once, typed from then on. Pure."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry, Isolation, Regex
from kafka_ferry.jobs.migration.rules.around import AROUND, Acls, Quotas, ScramUsers
from kafka_ferry.jobs.migration.rules.spec import PROOF, REPLICATION, WAITING, MigrationSpec


class ComparisonSpec(MigrationSpec):
    """What ``verify_clusters`` is asked: compare, change nothing. Times are in seconds."""

    engine: ClassVar[str] = "verify_clusters"
    run_kind = Kind.COMPARE
    named_by = ("topics", "source_conn_id", "target_conn_id")
    #: Of moving records, which it does not.
    form_without: ClassVar[tuple[str, ...]] = (
        "migration", "dry_run", "keep_replicating", "connect_conn_id", "throughput", "tasks_max", "replication_factor",
        "provision_through", "cluster_arn", "aws_conn_id", "exactly_once", "heartbeats", "hold_retention",
        "refused_configs", "canary", "group_offsets", "poll_interval", "running_timeout", "convergence_timeout",
        "no_progress_timeout", "scram_conn_id", "delete_acls_of", "schema_ids",
    )  # fmt: skip

    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, compared with the source. Nothing is written.",
    )
    isolation_level: Isolation = Field(
        default="read_committed",
        title="Isolation level",
        description="read_uncommitted compares aborted transactions as if they had been committed.",
        json_schema_extra=REPLICATION,
    )
    duplicates: Literal["fail", "explain"] = Field(
        default="fail",
        title="Duplicates",
        description="Whatever copied them may have sent records again. fail: verdict FAIL; explain: listed and "
        "counted only.",
        json_schema_extra=PROOF,
    )
    acls: Acls = Field(
        default=Acls.CHECK,
        title="ACLs",
        description="check: the ACLs of the topics must be on the target; skip: not compared. None are created here.",
        json_schema_extra={**AROUND, "enum": ["check", "skip"]},
    )
    quotas: Quotas = Field(
        default=Quotas.CHECK,
        title="Quotas",
        description="check: client quotas that differ on the target are named; skip: not compared. None are set here.",
        json_schema_extra={**AROUND, "enum": ["check", "skip"]},
    )
    scram_users: ScramUsers = Field(
        default=ScramUsers.CHECK,
        title="SCRAM users",
        description="check: users of the source that the target lacks are named; skip: not compared.",
        json_schema_extra={**AROUND, "enum": ["check", "skip"]},
    )
    any_partition: bool = Field(
        default=False,
        title="In any partition",
        description=(
            "Compare whole topics: as a multiset of records, and per key in order. For copies whose records "
            "changed their partition, such as MirrorMaker 1's. Groups are not compared then."
        ),
    )
    # Groups of the regex are put in as ``\\1``; topics it does not name follow ``naming``.
    rename: dict[Regex, str] = Field(
        default={},
        title="Rename by table",
        description="Source topic, or a regular expression that matches all of it, to target topic.",
        examples=[{"orders": "orders.replica"}, {"(.*)": "\\1.replica"}],
    )
    ignore_headers: list[Entry] = Field(
        default=[],
        title="Headers to ignore",
        description=(
            "Names of headers that the replicator added to the records, one per line, such as __mskmr (MSK Replicator)."
        ),
        json_schema_extra=PROOF,
    )
    catch_up_timeout: float = Field(
        default=60,
        ge=0,
        title="Time to catch up",
        description="How long to wait for a target that is still being filled. In seconds.",
        json_schema_extra=WAITING,
    )

    @property
    def headers_left_out(self) -> tuple[str, ...]:
        """Names of headers that are not compared."""
        return tuple(self.ignore_headers)

    def target_topic(self, topic: str) -> str:
        """The name on the target of a source topic."""
        if topic in self.rename:
            return self.rename[topic]
        for pattern, name in self.rename.items():
            if found := re.fullmatch(pattern, topic):
                return found.expand(name)
        return super().target_topic(topic)

    def target_prefix(self, prefix: str) -> str | None:
        """As of a migration; none where a table renames topics one by one."""
        return None if self.rename else super().target_prefix(prefix)
