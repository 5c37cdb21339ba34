"""The last line of the checklist: it is made after the report, so it is added to it."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_ferry.report.model import Check, Report, Status, verdict
from kafka_ferry.report.storage import REPORT, RunArtifacts


def note_leftovers(artifacts: RunArtifacts, left: Sequence[str] = (), kept: str = "") -> None:
    """Rewrite report.json with what the removal left behind. Without a report there is nothing to do.

    :param left: what should be gone and is not.
    :param kept: why it is meant to stay; the check is then skipped.
    """
    data = artifacts.read_json(REPORT)
    if data is None:
        return
    report = Report.model_validate(data)
    if kept:
        check = Check(name="leftovers", status=Status.SKIPPED, detail=kept)
    else:
        check = Check(
            name="leftovers",
            status=Status.FAIL if left else Status.PASS,
            expected="none",
            actual=f"{len(left)}" if left else "none",
            differences=list(left),
        )
    report.checks = [check if old.name == "leftovers" else old for old in report.checks]
    report.verdict = verdict(report.checks, report.failures)
    artifacts.write_json(REPORT, report.to_json())
