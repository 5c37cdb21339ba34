"""A hand-over that was begun, and whose run cannot be cleared any more: the wave's next run says it again."""

from __future__ import annotations

import logging

from kafka_ferry.core.wave_journal import Journal
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cutover.live.tails import LAG
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.live.window import RESULTS
from kafka_ferry.report.artifacts import FINGERPRINTS, FROZEN, PLAN, RunArtifacts

log = logging.getLogger(__name__)


def take_over(wave: Wave, left: Journal, artifacts: RunArtifacts) -> None:
    """Make it this run's, with what was found before the hand-over: none of that can be found again once somebody
    writes to the target. Safe to repeat.

    :raises BadParam: this run would hand over something else.
    """
    if left.topics != wave.targets:
        raise BadParam(
            "topics", f"are not those that run {left.run_id} was handing over ({len(left.topics)})", "that run's params"
        )
    if left.target_cluster != (there := wave.target_cluster):
        raise BadParam(
            "target_conn_id", f"leads to cluster {there}, and run {left.run_id} was handing over to "
            f"{left.target_cluster}", "that run's params",
        )  # fmt: skip
    before = RunArtifacts(left.dag_id, left.run_id)
    for name in (PLAN, FROZEN, RESULTS, LAG, *before.names(FINGERPRINTS)):
        if (found := before.read_json(name)) is not None:
            artifacts.write_json(name, found)
    log.warning("run %s was handing the wave over, and nobody said yes: this run says it again", left.run_id)
    left.dag_id, left.run_id = wave.dag_id, wave.run_id
    wave.journals.write(left, artifacts)
