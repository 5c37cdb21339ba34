"""plan.json of imports of others' files. Pure."""

from __future__ import annotations

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import JobPlan


class FilesPlan(JobPlan):
    """How many records there are is known once the files are read.

    :param files: how many are imported. ``bytes``: of them, as they are stored.
    """

    files: int
    bytes: int
    changes: list[Change]
    findings: list[Finding]
    notes: list[str]
