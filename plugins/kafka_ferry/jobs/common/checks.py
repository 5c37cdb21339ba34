"""The checks that a validating task made, kept for the report."""

from __future__ import annotations

from typing import Any

from kafka_ferry.report.artifacts import CHECKS_MADE, RunArtifacts


def write_checks(artifacts: RunArtifacts, made: dict[str, Any], sentence: str = "") -> dict[str, str]:
    """Keep the checks for the report; name to status.

    :param sentence: what a PASS says; empty: what follows from the checks.
    """
    from kafka_ferry.records.job import results_digest

    artifacts.write_json(
        CHECKS_MADE,
        {name: [one.model_dump(mode="json") for one in found] for name, found in made.items()}
        | {"sentence": sentence, "judged": results_digest([])},  # nothing is compared by fingerprint tasks here
    )
    return {check.name: check.status.value for check in made["checks"]}
