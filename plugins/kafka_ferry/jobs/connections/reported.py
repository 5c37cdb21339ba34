"""How a check of connections speaks in its report. Pure."""

from __future__ import annotations

from typing import Final

from kafka_ferry.core.checks import Words
from kafka_ferry.report.reported_job import OURSELVES, ReportedJob

#: Its checks are called as the connections are, which nobody knows before.
CONNECTIONS: Final = ReportedJob(words=Words(engine=OURSELVES), checklist=(), proofs=())
