"""How backups, restores and verifications of backups speak in their reports. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import OURSELVES, ReportedJob

BACKUP: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("On the source", "In the backup"),
        questions={
            "topics": "Is every selected topic in the backup?",
            "counts": "Is every offset that was frozen in an object, or accounted for?",
            "groups": "Are the groups' committed offsets in the backup?",
            "acls": "Are the ACLs in the backup?",
            "quotas": "Are the client quotas in the backup?",
            "registry": "Are the registry's schemas in the backup, with all they refer to?",
        },
    ),
    never_carried="Not in a backup: SCRAM users, whose passwords Kafka does not reveal, and, without "
    "registry_conn_id, schemas of a Schema Registry.",
)
RESTORE: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("In the backup", "On the target"),
        questions={
            "topics": "Is every topic of the backup on the target?",
            "counts": "Are there as many records as in the backup?",
            "content": "Is every record the same as in the backup?",
            "leftovers": "Were all lifted limits restored?",
        },
        compared="{what} were read back from the target and match the backup.",
        counted="{what} were counted on both sides. Their contents were not compared.",
    ),
    never_carried="Not copied: SCRAM users, whose passwords Kafka does not reveal (create them on the target by hand), "
    "and, without target_registry_conn_id, schemas of a Schema Registry.",
)
VERIFICATION: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("By the manifests", "Read"),
        questions={
            "counts": "Were all objects read?",
            "registry": "Are the schemas as they were written, with all they refer to?",
        },
    ),
)
