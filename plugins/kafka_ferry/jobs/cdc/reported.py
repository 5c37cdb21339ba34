"""How a stream of database changes speaks in its report. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.jobs.cdc.rules.judge import CHECKS
from kafka_ferry.report.reported_job import ReportedJob

STREAM: Final = ReportedJob(
    words=Words(
        engine="Debezium",
        sides=("Rows, changes", "Events read"),
        questions={
            "topics": "Does each table have its topic?",
            "counts": "Did the snapshot bring every row?",
            "content": "Do the topics give the tables' current rows?",
        },
    ),
    checklist=CHECKS,
)
