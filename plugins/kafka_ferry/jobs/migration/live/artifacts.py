"""What the wait of a migration's run froze."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.migration.rules.convergence import Frozen

if TYPE_CHECKING:
    pass
from kafka_ferry.report.artifacts import FROZEN, RunArtifacts


def read_frozen(artifacts: RunArtifacts) -> Frozen:
    """What the wait of this run froze.

    :raises FerryError: there is nothing: the wait did not run yet.
    """
    data: Mapping[str, Any] | None = artifacts.read_json(FROZEN)
    if data is None:
        raise FerryError(
            f"{artifacts.path(FROZEN)} is missing. Fix: clear wait_until_converged with its downstream tasks; if the "
            "file was written on another host, point FERRY_ARTIFACTS at storage that all hosts share"
        )
    return Frozen.from_json(data)
