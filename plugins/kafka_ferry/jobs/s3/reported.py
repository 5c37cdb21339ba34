"""How exports to S3 and imports from it speak in their reports. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import OURSELVES, ReportedJob

EXPORT: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("On the source", "In the export"),
        questions={
            "topics": "Is every selected topic in the export?",
            "partitions": "Is every partition in it?",
            "counts": "Is every offset that was frozen in an object, or accounted for?",
            "content": "Does every object hold the records that were read?",
        },
        compared="{what} are in the export; each object was read back and holds the records that were read.",
        counted="{what} are in the export. Its objects were not read back.",
    ),
    checklist=("topics", "partitions", "counts", "content"),
    never_carried="An export holds records: consumer groups, ACLs and schemas of a Schema Registry are not in "
    "it. The topics' settings are in its manifest.",
)
IMPORT: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("In the export", "On the target"),
        questions={
            "topics": "Is every topic of the export on the target?",
            "configs": "Do the topics have the settings of the export?",
            "counts": "Are there as many records as in the export?",
            "content": "Is every record the same as in the export?",
        },
        compared="{what} were read back from the target and match the export.",
        counted="{what} were counted on both sides. Their contents were not compared.",
    ),
    checklist=("topics", "partitions", "configs", "counts", "content"),
    never_carried="An import brings records: consumer groups, ACLs and schemas of a Schema Registry were not "
    "imported; create them on the target by hand.",
)
