"""How a migration of schemas speaks in its report. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import OURSELVES, ReportedJob

SCHEMAS: Final = ReportedJob(
    words=Words(
        engine=OURSELVES,
        sides=("Source registry", "Target registry"),
        questions={"schemas": "Does every schema say the same, with all it refers to?"},
    ),
    checklist=("subjects", "schemas", "ids", "compatibility", "modes"),
    never_carried="Not carried: the mode and the compatibility of all subjects, users and their rights, rule sets, "
    "metadata, aliases and exporters.",
    proofs=("schemas",),
)
