"""What checks ask, and how a report speaks of its job: in the words that the job handed in. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kafka_ferry.core.checks import Report
from kafka_ferry.core.plan import Kind

#: What each check asks, where a job has no words of its own for it.
QUESTIONS: Final = MappingProxyType(
    {
        "topics": "Is every selected topic on the target?",
        "partitions": "Does each topic have the same number of partitions?",
        "configs": "Are the topics' settings the same?",
        "counts": "Are there as many records?",
        "content": "Is every record the same on both sides?",
        "new_records": "Does a record written now arrive?",
        "new_topics": "Does a topic created now arrive?",
        "groups": "Are the groups there?",
        "group_offsets": "Would consumers resume at the same record?",
        "groups_left_out": "Which groups were left out, and why?",
        "streams_applications": "Did Kafka Streams applications move as a whole?",
        "acls": "Are the ACLs there?",
        "quotas": "Are the quotas there?",
        "scram_users": "Are the SCRAM users there?",
        "other_replicators": "Does anything else write these topics?",
        "leftovers": "Was everything of the run removed?",
        "gaps": "Was anything deleted before it was backed up?",
        "objects": "Is every object as it was written?",
        "pruning": "Which backups were deleted?",
        "copy": "Is there a second copy of it?",
        "source": "Does the source cluster still hold the same?",
        "manifests": "Can every backup be restored?",
        "clocks": "Are the dates of all backups in the past?",
        "orphans": "Are there objects of no backup?",
        "changes": "Did every insert, update and delete arrive, in order?",
        "service_role": "Did the connectors' role have the rights it needs?",
        "registry": "Does the schema registry have the schemas?",
        "subjects": "Is every subject there, with every version?",
        "schemas": "Does every schema id in the records mean the same there?",
        "ids": "Does every id mean the same schema?",
        "compatibility": "Are schemas checked as strictly?",
        "modes": "Are the subjects' modes the same?",
        "schema_changes": "Did every change of a table's schema arrive?",
    }
)


def question(report: Report, check: str) -> str:
    """What a check asks in this job; empty for one that is not known."""
    return report.words.questions.get(check, QUESTIONS.get(check, ""))


def engine_name(report: Report) -> str:
    """As people write it: ``MirrorMaker 2 on Kafka Connect``."""
    return report.words.engine or report.engine.replace("_", " ")


#: Heading of the topics in a plan, and what is counted of each.
PLANNED: Final = MappingProxyType(
    {
        Kind.COPY: ("Topics to copy", "Offsets"),
        Kind.COMPARE: ("Topics to compare", "Offsets"),
        Kind.BACKUP: ("Topics to back up", "Offsets"),
        Kind.RESTORE: ("Topics to restore", "Records"),
        Kind.VERIFY: ("Topics in the backups", "Records"),
        Kind.EXPORT: ("Topics to export", "Offsets"),
        Kind.IMPORT: ("Topics to import", "Records"),
        Kind.STREAM: ("Tables to stream", "Rows, about"),
        Kind.ASK: ("Topics to ask about", ""),
        Kind.CUTOVER: ("Topics to cut over", "Offsets"),
        Kind.FAIL_BACK: ("Topics to go back", "Offsets"),
        Kind.RETIRE: ("Topics that were handed over", "Offsets"),
        Kind.SCHEMAS: ("", ""),
    }
)


#: What a run of a kind is of.
_NOUNS: Final = MappingProxyType(
    {
        Kind.COPY: "Migration",
        Kind.COMPARE: "Comparison",
        Kind.BACKUP: "Backup",
        Kind.RESTORE: "Restore",
        Kind.VERIFY: "Verification of backups",
        Kind.EXPORT: "Export",
        Kind.IMPORT: "Import",
        Kind.STREAM: "Stream",
        Kind.ASK: "Check of connections",
        Kind.CUTOVER: "Cutover",
        Kind.FAIL_BACK: "Failback",
        Kind.RETIRE: "Retirement of a source",
        Kind.SCHEMAS: "Migration of schemas",
    }
)


def noun(kind: str) -> str:
    """What a run of this kind is of; one of a later version is called as it calls itself."""
    return _NOUNS[Kind(kind)] if kind in set(Kind) else kind


def proven(report: Report, what: str) -> str:
    """The sentence of a PASS whose records were compared, for ``what``: ``5 records in 1 topic``."""
    return report.words.compared.replace("{what}", what)


def counted_only(report: Report, what: str) -> str:
    """The same where records were counted, and not compared."""
    return report.words.counted.replace("{what}", what)
