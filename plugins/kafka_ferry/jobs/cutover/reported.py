"""How a cutover speaks in its report. Pure."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import OURSELVES, ReportedJob

CUTOVER_JOB: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        compared="{what} were read on both sides, up to the last that was written to the source, and are the same.",
        questions=dict(
            MappingProxyType(
                {
                    "producers_stopped": "Had everybody stopped writing to the source?",
                    "handed_over": "Were the applications told to use the target?",
                    "late_writers": "Did anybody write or commit on the source afterwards?",
                }
            )
        ),
    ),
    checklist=(
        "topics", "partitions", "configs", "counts", "content", "groups", "group_offsets", "producers_stopped",
        "handed_over", "late_writers", "acls",
    ),
    never_carried="Not compared: quotas, SCRAM users and schemas of a Schema Registry.",
    engine="none: whatever replicates goes on",
)  # fmt: skip

#: The same checks, the other way round.
FAIL_BACK_JOB: Final = replace(
    CUTOVER_JOB,
    words=CUTOVER_JOB.words.model_copy(
        update={
            "engine": "MirrorMaker 2 on Kafka Connect, from the target to the source",
            "sides": ("Left", "Gone back to"),
            "compared": "{what} were read on both sides, up to the last that was written before the applications went "
            "back, and are the same.",
            "questions": {
                "producers_stopped": "Had everybody stopped writing to the cluster that was left?",
                "handed_over": "Were the applications told to go back?",
                "late_writers": "Did anybody write or commit there afterwards?",
            },
        }
    ),
    engine="mirror_maker2_on_connect",
)

RETIREMENT_JOB: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        compared="The source may be switched off: {what} were read on both sides, up to where the source ended at the "
        "hand-over, and are the same; nobody has used it since.",
        questions=dict(
            MappingProxyType(
                {
                    "waves": "Was every wave handed over to this target?",
                    "growth": "Was anything written to these topics since the hand-over?",
                    "writers": "Does anybody write to the source now?",
                    "commits": "Did any group commit on the source since?",
                    "members": "Is any group at work on the source?",
                    "other_topics": "Does the source hold topics that no wave handed over?",
                    "replication": "Does anything replicate to or from the source?",
                }
            )
        ),
    ),
    checklist=(
        "waves", "growth", "writers", "commits", "members", "other_topics", "topics", "counts", "content",
        "replication", "acls",
    ),
    never_carried="Not compared: configs of topics, quotas, SCRAM users and schemas of a Schema Registry.",
    engine="none: nothing is moved",
)  # fmt: skip
