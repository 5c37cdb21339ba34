"""What each kind of job checks, asks, proves and never carries, in its own words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from kafka_ferry.core.checks import CHECKS, Report

#: What each check asks, where a job has no words of its own for it.
QUESTIONS: Final = MappingProxyType(
    {
        "topics": "Is every selected topic on the target?",
        "partitions": "Has each topic as many partitions?",
        "configs": "Are the topics' settings the same?",
        "counts": "Are there as many records?",
        "content": "Is every record the same on both sides?",
        "new_records": "Does a record written now arrive?",
        "new_topics": "Does a topic made now arrive?",
        "groups": "Are the consumer groups there?",
        "group_offsets": "Would consumers go on at the same record?",
        "groups_left_out": "Which consumer groups were left out, and why?",
        "acls": "Are the access rights there?",
        "quotas": "Are the quotas there?",
        "scram_users": "Are the SCRAM users there?",
        "other_replicators": "Does anything else write these topics?",
        "leftovers": "Was everything of ours removed?",
        "gaps": "Was anything deleted before it was backed up?",
        "objects": "Is every object as it was written?",
        "pruning": "Which backups were deleted?",
        "copy": "Is there a second copy of it?",
        "source": "Does the source cluster still hold the same?",
        "manifests": "Can every backup be restored?",
        "clocks": "Were all backups made in the past?",
        "orphans": "Are there objects of no backup?",
        "changes": "Did every insert, update and delete arrive, in order?",
        "service_role": "Had the connectors' role the rights they need?",
        "schema_changes": "Did every change of a table's schema arrive?",
    }
)
_OWN: Final = MappingProxyType(
    {
        "backup_topics": {
            "topics": "Is every selected topic in the backup?",
            "counts": "Is every offset that was frozen in an object, or accounted for?",
            "groups": "Are the groups' committed offsets in the backup?",
            "acls": "Are the access rights in the backup?",
        },
        "restore_topics": {
            "topics": "Is every topic of the backup on the target?",
            "counts": "Are there as many records as in the backup?",
            "content": "Is every record that of the backup?",
            "leftovers": "Was all that was held put back?",
        },
        "verify_backup": {"counts": "Were all objects read?"},
        "export_topics_to_s3": {
            "topics": "Is every selected topic in the export?",
            "partitions": "Is every partition in it?",
            "counts": "Is every offset that was frozen in an object, or accounted for?",
            "content": "Does every object give the records that were read?",
        },
        "import_topics_from_s3": {
            "topics": "Is every topic of the export on the target?",
            "configs": "Have the topics the settings of the export?",
            "counts": "Are there as many records as in the export?",
            "content": "Is every record that of the export?",
        },
        "stream_database_changes": {
            "topics": "Has each table its topic?",
            "counts": "Did the snapshot bring every row?",
            "content": "Do the topics give the tables' rows of now?",
        },
    }
)
#: What is compared with what, as heads of a table's columns.
_SIDES: Final = MappingProxyType(
    {
        "backup_topics": ("On the source", "In the backup"),
        "restore_topics": ("In the backup", "On the target"),
        "verify_backup": ("By the manifests", "Read"),
        "export_topics_to_s3": ("On the source", "In the export"),
        "import_topics_from_s3": ("In the export", "On the target"),
        "stream_database_changes": ("Rows, changes", "Events read"),
    }
)
#: What such a run is to check, in the order a reader asks; all else is a migration and makes ``CHECKS``.
_CHECKLISTS: Final = MappingProxyType(
    {
        "verify_clusters": ("topics", "partitions", "configs", "counts", "content", "groups", "group_offsets", "acls"),
        "export_topics_to_s3": ("topics", "partitions", "counts", "content"),
        "import_topics_from_s3": ("topics", "partitions", "configs", "counts", "content"),
    }
)
_BY_HAND: Final = "make them on the target by hand"
#: One line of what a run leaves out whatever its params are.
_NEVER: Final = MappingProxyType(
    {
        "verify_clusters": "Compared as they are: nothing was written to try the way, nothing had to be removed. A "
        "Schema Registry, quotas, SCRAM users and other replicators were not looked at.",
        "export_topics_to_s3": "An export is of records: consumer groups, access rights and schemas of a Schema "
        "Registry are not in it. The topics' settings are in its manifest.",
        "import_topics_from_s3": "An import is of records: consumer groups, access rights and schemas of a Schema "
        f"Registry were not carried; {_BY_HAND}.",
        "backup_topics": "Not in a backup: schemas of a Schema Registry, quotas, and SCRAM users, whose passwords "
        "Kafka does not give out.",
        "restore_topics": "Not carried: schemas of a Schema Registry, quotas, and SCRAM users, whose passwords Kafka "
        f"does not give out; {_BY_HAND}.",
    }
)
_MIGRATION_NEVER: Final = (
    "Not carried: schemas of a Schema Registry, quotas, and SCRAM users, whose passwords Kafka does not give out; "
    f"{_BY_HAND}."
)
#: Checks of the list that stand in the line above.
NEVER_MADE: Final = ("quotas", "scram_users")

#: Jobs that are no migration, and have no line of the above.
_OTHERS: Final = ("verify_backup", "stream_database_changes")

#: The engine of a run that had none.
COMPARED: Final = "none: compared as they are"
ENGINES: Final = MappingProxyType(
    {
        "mirror_maker2_on_connect": "MirrorMaker 2 on Kafka Connect",
        "mirror_maker2_on_msk_connect": "MirrorMaker 2 on MSK Connect",
        "mirror_maker2_dedicated": "MirrorMaker 2, dedicated",
        "mirror_maker2_standalone": "MirrorMaker 2 on a standalone Connect worker",
        "mirror_maker1": "MirrorMaker 1",
        "replicate_topics": "MirrorMaker 2 on Kafka Connect, under new names",
        "stream_database_changes": "Debezium",
        "kafka_ferry": "Kafka Ferry itself",
        "export_topics_to_s3": "Kafka Ferry itself",
        "import_topics_from_s3": "Kafka Ferry itself",
    }
)


def checklist(engine: str) -> Sequence[str]:
    """Names of the checks that a run of this engine is to make."""
    return _CHECKLISTS.get(engine, CHECKS)


def question(report: Report, check: str) -> str:
    """What a check asks in this job; empty for one that is not known."""
    return _OWN.get(_job(report), {}).get(check, QUESTIONS.get(check, ""))


def never_carried(dag_id: str, engine: str) -> str:
    """What such a run leaves out whatever its params are, in one line; empty when there is nothing to say."""
    if dag_id in _OTHERS or engine in _OTHERS:
        return ""
    if engine == COMPARED:
        return _NEVER["verify_clusters"]
    # A DAG of another name may run one of our engines; backups and the like have one engine, and are told by theirs.
    return _NEVER.get(dag_id) or _NEVER.get(engine) or ("" if engine == "kafka_ferry" else _MIGRATION_NEVER)


def engine_name(engine: str) -> str:
    """As people write it: ``MirrorMaker 2 on Kafka Connect``."""
    name, _, rest = engine.partition(" ")
    if name == "msk_replicator":
        return f"MSK Replicator {rest}".strip()
    return ENGINES.get(engine, engine.replace("_", " "))


def planned(plan: Mapping[str, Any]) -> tuple[str, str]:
    """Heading of the topics in a plan, and what is counted of each. A plan is known by what it has: its DAG may have
    any name."""
    if "connector" in plan:
        return "Tables to stream", "Rows, about"
    if "archive" in plan:
        kind = "mode" if "mode" in plan else "chain" if "chain" in plan else ""
        return {
            "mode": ("Topics to back up", "Offsets"),
            "chain": ("Topics to restore", "Records"),
        }.get(kind, ("Topics in the backups", "Records"))
    if "export_id" in plan:
        return ("Topics to export", "Offsets") if "mode" in plan else ("Topics to import", "Records")
    return ("Topics to copy", "Offsets") if "records" in plan else ("Topics to compare", "Offsets")


def sides(report: Report) -> tuple[str, str]:
    """What a topic's two numbers are of."""
    return _SIDES.get(_job(report), ("Source", "Target"))


def proven(report: Report, what: str) -> str:
    """The sentence of a PASS whose records were compared, for ``what``: ``5 records in 1 topic``."""
    if _job(report) == "restore_topics":
        return f"{what} were read back from the target and are those of the backup."
    if _job(report) == "import_topics_from_s3":
        return f"{what} were read back from the target and are those of the export."
    if _job(report) == "export_topics_to_s3":
        return f"{what} are in the export; each object was read back and gives the records that were read."
    return f"{what} were read on both sides and are the same."


def counted_only(report: Report, what: str) -> str:
    """The same where records were counted, and not compared."""
    if _job(report) == "export_topics_to_s3":
        return f"{what} are in the export. Its objects were not read back."
    return f"{what} were counted on both sides. Their contents were not compared."


def _job(report: Report) -> str:
    # Backups, restores and their verification have one engine: we ourselves.
    return report.dag_id if report.engine == "kafka_ferry" else report.engine
