"""plan.json: what a run is going to do. Pure; the schema is versioned by ``PLAN_SCHEMA``.

What a job writes is a type in its room, a ``JobPlan`` with what this job knows: ``MigrationPlan``, ``BackupPlan``, …
What the report reads of any of them is ``Plan``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from kafka_ferry.core.changes import Change
from kafka_ferry.core.checks import Check
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.tolerant import Tolerant

PLAN_SCHEMA: Final = "kafka-ferry.plan/1"


class Kind(StrEnum):
    """What a plan is of."""

    COPY = "copy"
    COMPARE = "compare"
    BACKUP = "backup"
    RESTORE = "restore"
    VERIFY = "verify"
    EXPORT = "export"
    IMPORT = "import"
    STREAM = "stream"
    ASK = "ask"
    CUTOVER = "cutover"
    RETIRE = "retire"
    FAIL_BACK = "fail_back"
    SCHEMAS = "schemas"


class PlanPart(Tolerant, BaseModel):
    """What is not given is not written, and None when it is read."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> dict[str, Any]:
        """What was given, in JSON's types."""
        return self.model_dump(mode="json", exclude_unset=True)


class Side(PlanPart):
    """Where records come from or go to; of a bucket ``conn_id`` alone, which is its location. Nothing: no side is
    touched.

    :param server: version of a database's server; its ``server_id`` and the ``position`` of its binary log.
    """

    conn_id: str | None = None
    cluster_id: str | None = None
    brokers: int | None = None
    server: str | None = None
    server_id: str | None = None
    position: str | None = None


class RecordPlace(PlanPart):
    """One record, or a batch by its first one, and its bytes."""

    partition: int
    offset: int
    bytes: int


class PlannedTopic(PlanPart):
    """One topic, or one table. Counts are at most; None: the job does not count them.

    :param bytes: from a sample; None: also where none could be taken.
    :param already_there: records of it that the target has.
    :param exists: whether the target has the topic.
    """

    source: str
    target: str
    partitions: int | None = None
    records: int | None = None
    bytes: int | None = None
    already_there: int | None = None
    exists: bool | None = None
    largest_record: RecordPlace | None = None
    largest_batch: RecordPlace | None = None


class PlannedCommit(PlanPart):
    """What will be done about one group on one partition.

    :param source_offset: committed on the source, or in the backup. ``target_offset``: on the target now.
    :param source_end, lag, target_topic: of a migration. ``would_get``: of a restore, ``about``: that or less.
    """

    group: str
    topic: str
    partition: int
    source_offset: int
    target_offset: int | None
    action: str
    source_end: int | None = None
    lag: int | None = None
    target_topic: str | None = None
    would_get: int | None = None
    about: bool | None = None


class PlannedAction(PlanPart):
    """How many lines have an action, and what it means, for people."""

    action: str
    lines: int
    meaning: str


class PlannedGroups(PlanPart):
    """The dry table of group offsets.

    :param lines: how many there are. ``first``: the first of them, the worst first; ``more``: those that are left.
    :param lag: of a migration: sum over all lines, in records at most.
    :param active_groups: they have members on the target.
    :param artifact: where all lines stand, when these are not all.
    """

    lines: int
    lag: int | None = None
    actions: list[PlannedAction]
    active_groups: list[str]
    first: list[PlannedCommit]
    more: int
    artifact: str | None


class PlannedRole(PlanPart):
    """The service role of MSK Connect's connectors: documents to use, and what IAM said."""

    arn: str
    trust_policy: dict[str, Any] = {}
    permission_policy: dict[str, Any] | None = None
    check: Check


class PlannedEngine(PlanPart):
    """What will copy, and where it runs: in the engine's own words beside these."""

    name: str = ""
    service_role: PlannedRole | None = None

    model_config = ConfigDict(extra="allow")


class Estimate(PlanPart):
    """How long copying takes, and what that rests on."""

    seconds: int
    basis: str


class Archive(PlanPart):
    """A backup, or all of a name (``backup_id`` is None)."""

    backup: str
    backup_id: str | None
    location: str


class Asked(StrEnum):
    """What a connection leads to."""

    KAFKA = "kafka"
    CONNECT = "connect"
    AWS = "aws"
    DATABASE = "database"
    HOST = "host"


class PlannedConnection(PlanPart):
    """A connection that is asked what it can do.

    :param kind: None where there is nothing to ask; ``problem`` says why.
    :param written_to: whether a job writes to it.
    :param named: by the user, so that it has to be there.
    """

    conn_id: str
    kind: Asked | None
    written_to: bool
    named: bool
    problem: str


class PlanFile(PlanPart):
    """plan.json, as it is written and as it is read."""

    schema_: Literal["kafka-ferry.plan/1"] = Field(default=PLAN_SCHEMA, alias="schema")

    model_config = ConfigDict(populate_by_name=True)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """A plan of this version. What this type does not know is left out.

        :raises ValidationError: it is of another version, or no such plan.
        """
        return cls.read(data)

    def to_json(self) -> dict[str, Any]:
        return {"schema": self.schema_} | self.model_dump(mode="json", exclude_unset=True, exclude={"schema_"})


class JobPlan(PlanFile):
    """What every job writes.

    :param planned: when, ISO 8601, UTC. ``spec``: the run's params.
    """

    planned: str
    spec: dict[str, Any]
    source: Side
    target: Side
    topics: list[PlannedTopic]


class Plan(PlanFile):
    """What the report reads of any job's plan, of whatever is there. The kinds are told apart by ``connections``,
    ``connector``, ``archive``, ``mode``, ``chain``, ``export_id`` and ``records``.

    :param skipped_topics, skipped_groups: name to why.
    :param records, bytes: sums over the topics, at most. ``changes``: None where a job does not tell them.
    """

    planned: str = ""
    spec: dict[str, Any] = {}
    source: Side = Side()
    target: Side = Side()
    archive: Archive | None = None
    export_id: str | None = None
    mode: str | None = None
    chain: list[str] | None = None
    connector: str | None = None
    connections: list[PlannedConnection] | None = None
    engine: PlannedEngine | None = None
    service_role: PlannedRole | None = None
    topics: list[PlannedTopic] = []
    records: int | None = None
    bytes: int | None = None
    skipped_topics: dict[str, str] = {}
    skipped_groups: dict[str, str] = {}
    group_offsets: PlannedGroups | None = None
    changes: list[Change] | None = None
    estimate: Estimate | None = None
    findings: list[Finding] = []
    notes: list[str] = []

    @property
    def written(self) -> bool:
        """Whether there is one, and not only what is read where there is none."""
        return bool(self.model_fields_set - {"schema_"})

    @property
    def dry_run(self) -> bool:
        return bool(self.spec.get("dry_run"))

    @property
    def role(self) -> PlannedRole | None:
        """The service role, of whatever runs with one."""
        return self.service_role or (self.engine.service_role if self.engine else None)

    @property
    def kind(self) -> Kind:
        """By what it has, as its DAG may have any name."""
        if "fence" in self.spec:
            return Kind.FAIL_BACK if "forward_connectors" in self.spec else Kind.CUTOVER
        if "left_behind" in self.spec:
            return Kind.RETIRE
        if "subjects" in self.spec:
            return Kind.SCHEMAS
        if "layout" in self.spec:  # files that others wrote
            return Kind.IMPORT
        if self.connections is not None:
            return Kind.ASK
        if self.connector is not None:
            return Kind.STREAM
        if self.archive is not None:
            return Kind.BACKUP if self.mode is not None else Kind.RESTORE if self.chain is not None else Kind.VERIFY
        if "export_id" in self.model_fields_set:  # None while an import waits for its export
            return Kind.EXPORT if self.mode is not None else Kind.IMPORT
        return Kind.COMPARE if self.records is None else Kind.COPY
