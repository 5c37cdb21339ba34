"""How imports of others' files speak in their reports. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import OURSELVES, ReportedJob

FILES: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("In the files", "On the target"),
        questions={
            "topics": "Is every topic of the files on the target?",
            "counts": "Are there as many records as in the files?",
            "content": "Is every record the same as in the files, in their order?",
            "losses": "What did the files not have, that was accepted?",
            "gaps": "Are offsets missing in the files, or between them?",
            "others": "Is every object of the location a file of this layout?",
        },
        compared="{what} were read back from the target and match the files.",
        counted="{what} were counted on both sides. Their contents were not compared.",
    ),
    checklist=("topics", "partitions", "counts", "content", "losses", "gaps", "others"),
    never_carried="Files of others hold records, and not all of them: topic settings, consumer groups, ACLs and "
    "schemas of a Schema Registry were not imported; create them on the target by hand.",
)
