"""report.json: what a run proved. Pure; the schema is versioned by ``SCHEMA``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from kafka_ferry.core.tolerant import Tolerant

SCHEMA: Final = "kafka-ferry.report/2"

#: In the order a reader asks.
CHECKS: Final = (
    "topics",
    "partitions",
    "configs",
    "counts",
    "content",
    "schemas",
    "new_records",
    "new_topics",
    "groups",
    "group_offsets",
    "acls",
    "quotas",
    "scram_users",
    "other_replicators",
    "leftovers",
)


#: Without one of these a run has not proven anything.
PROOFS: Final = ("content", "counts")
#: Why a check was not made that such a run makes.
ENDED_BEFORE: Final = "the run ended before this check"


class Status(StrEnum):
    """Outcome of a check or of one line of it. ``explained`` differs for a named, harmless reason."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    EXPLAINED = "explained"
    SKIPPED = "skipped"


class _Model(Tolerant, BaseModel):
    """Base; ``BaseModel`` is named for the linter, which looks no further than this file."""


class Check(_Model):
    """One line of the checklist. A check that was not made is ``skipped`` and says why.

    :param commands: for a shell, to end by hand what keeps running after the run.
    """

    name: str
    status: Status
    expected: str = ""
    actual: str = ""
    detail: str = ""
    differences: list[str] = []
    commands: list[str] = []


class TopicLine(_Model):
    """One topic. Counts are of records that were read; None when they were not."""

    source: str
    target: str
    partitions: int
    source_records: int | None = None
    target_records: int | None = None
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    status: Status
    detail: str = ""


class GroupLine(_Model):
    """One group on one partition. Offsets are committed offsets; ``redelivered`` counts records."""

    group: str
    topic: str
    partition: int
    source_offset: int
    target_offset: int | None
    expected_offset: int | None
    redelivered: int | None
    status: Status
    detail: str = ""


class BackupLine(_Model):
    """One backup of a name.

    :param created: when it was begun. ``seconds``: how long it took. ``size``: of its objects; ``bytes``: of its
        records' keys and values.
    :param growth: bytes that a restore of it brings back more than one of the backup before; None for the first.
    :param status: ``skipped`` while it is not COMPLETE; ``detail``: when it was verified, and how.
    :param own: whether the run that reports made it.
    """

    backup_id: str
    mode: str
    parent: str | None = None
    created: str
    seconds: float = 0
    records: int = 0
    bytes: int = 0
    size: int = 0
    objects: int = 0
    growth: int | None = None
    status: Status
    detail: str = ""
    own: bool = False


class Stage(_Model):
    """When a task of the run worked. Times are ISO 8601, UTC."""

    stage: str
    started: str
    ended: str | None = None
    state: str = ""
    error: str = ""


class Throughput(_Model):
    """Of the copy: what arrived while the run waited, in seconds.

    :param records: that were read or written; None: they were not counted.
    :param offsets: that were passed, an upper bound of records: markers of transactions and gaps of compacted topics
        have offsets, too; None where records were counted.
    """

    records: int | None = None
    offsets: int | None = None
    bytes: int = 0
    seconds: float = 0

    @property
    def counted(self) -> tuple[int, str]:
        """How many, of what: ``(12, "records")``."""
        return (self.offsets, "offsets") if self.offsets is not None else (self.records or 0, "records")


class Words(_Model):
    """How a job speaks of what its report holds. By default: words that are true of any job.

    :param engine: what moved the records, as people write it; empty: as the report names it.
    :param sides: what a topic's two numbers are of.
    :param questions: check name to what it asks, where this job asks otherwise than others.
    :param compared: what a PASS says of records that were compared; ``{what}``: ``5 records in 1 topic``.
    :param counted: the same where they were counted, and not compared.
    """

    engine: str = ""
    sides: tuple[str, str] = ("Source", "Target")
    questions: dict[str, str] = {}
    compared: str = "{what} were compared and are the same."
    counted: str = "{what} were counted. Their contents were not compared."


class Report(_Model):
    """The whole of report.json.

    :param sentence: what was proven when all is well, in one sentence; empty: derived from the checks.
    :param backups: of the name that the run was about, the youngest first.
    :param words: of the job that made it.
    :param notes: what a reader must know beside the checks: what could not be read, what is not carried at all.
    """

    schema_: Literal["kafka-ferry.report/2"] = Field(default=SCHEMA, alias="schema")
    dag_id: str
    run_id: str
    engine: str
    verdict: str
    source: dict[str, Any]
    target: dict[str, Any]
    started: str | None
    ended: str | None
    checks: list[Check]
    topics: list[TopicLine] = []
    groups: list[GroupLine] = []
    timeline: list[Stage] = []
    cutover: dict[str, Any] | None = None
    throughput: Throughput = Throughput()
    failures: list[str] = []
    sentence: str = ""
    backups: list[BackupLine] = []
    notes: list[str] = []
    words: Words = Words()

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @property
    def goes_on(self) -> Check | None:
        """The check that says what keeps running after the run, with the commands that end it; None: nothing does."""
        return next((check for check in self.checks if check.commands), None)

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)

    def blocks(self) -> Iterator[bytes]:
        """report.json piece by piece, each entry of a list on a line of its own."""
        begin = "{\n "
        for name, field in type(self).model_fields.items():
            yield f"{begin}{json.dumps(field.alias or name)}: ".encode()
            value, begin = getattr(self, name), ",\n "
            if isinstance(value, list) and value and isinstance(value[0], _Model):
                yield b"[\n  " + value[0].model_dump_json().encode()
                for one in value[1:]:
                    yield b",\n  " + one.model_dump_json().encode()
                yield b"\n ]"
            else:
                yield json.dumps(self.model_dump(mode="json", include={name})[name], indent=1).encode()
        yield b"\n}\n"

    def summary(self, path: str) -> dict[str, Any]:
        """For XCom: small whatever the size of the migration.

        ``goes_on``: whether something keeps running after the run, by its own wish. ``stopped``: connectors of another
        job that it stopped.
        """
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "checks": {check.name: check.status.value for check in self.checks},
            "topics": len(self.topics),
            "groups": len({line.group for line in self.groups}),
            "failures": [text[:500] for text in self.failures[:5]],
            "goes_on": self.goes_on is not None,
            **({"stopped": stopped} if (stopped := (self.cutover or {}).get("connectors_stopped")) else {}),
            "path": path,
        }


def complete(
    checks: list[Check], reasons: dict[str, str], otherwise: str, names: Sequence[str] = CHECKS
) -> list[Check]:
    """All checks of the checklist in its order; those not made are skipped with their reason. None made is dropped.

    :param reasons: check name to why it was not made; ``otherwise`` for the rest.
    :param names: the checklist.
    """
    made = {check.name: check for check in checks}
    return [
        made.get(name) or Check(name=name, status=Status.SKIPPED, detail=reasons.get(name, otherwise)) for name in names
    ] + [check for check in checks if check.name not in names]


def verdict(checks: list[Check], failures: list[str], proofs: Sequence[str] = PROOFS) -> str:
    """PASS only when contents or counts were checked, nothing failed and no stage broke.

    :param proofs: names of the checks of which one must have been made; empty: any will do.
    """
    proven = any(check.status is not Status.SKIPPED and (not proofs or check.name in proofs) for check in checks)
    failed = any(check.status is Status.FAIL for check in checks)
    return "PASS" if proven and not failed and not failures else "FAIL"


def worst(statuses: Sequence[Status]) -> Status:
    """FAIL over EXPLAINED over PASS."""
    for status in (Status.FAIL, Status.EXPLAINED):
        if status in statuses:
            return status
    return Status.PASS
