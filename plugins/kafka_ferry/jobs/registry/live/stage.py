"""Schemas carried as one stage of a run that does more, and may take days."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from kafka_ferry.core.checks import Check
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.exceptions import BadParam, TransientError
from kafka_ferry.jobs.common.run_lock import acquire_lock, other_holder, release_lock
from kafka_ferry.jobs.registry.live.carrier import Done, SchemasCarrier
from kafka_ferry.jobs.registry.live.journal import IDS, SettingsJournal
from kafka_ferry.jobs.registry.rules.judge import as_one
from kafka_ferry.report.artifacts import RunArtifacts

log = logging.getLogger(__name__)


def carry(context: Mapping[str, Any], carrier: SchemasCarrier, artifacts: RunArtifacts, seconds: float = 600) -> Done:
    """Register what is missing, when no other run works on that registry; others may, as soon as it is done.

    :raises TransientError: another run still does after so many seconds.
    """
    _wait_for(context, carrier, time.monotonic() + seconds)
    done = carrier.apply(SettingsJournal(artifacts))
    release_lock(context, carrier.shared_name)
    log.info("schemas: %d registered, %d deleted, %d settings", done.registered, done.deleted, done.settings)
    return done


def _wait_for(context: Mapping[str, Any], carrier: SchemasCarrier, deadline: float) -> None:
    told = ""
    while True:
        holder = other_holder(context, carrier.shared_name)
        if holder is None:
            try:
                return acquire_lock(context, carrier.shared_name)
            except BadParam:  # two claimed at once, and the other was first
                pass
        who = f"run {holder}" if holder else "another run"
        if who != told:
            log.info("%s is registering schemas at %s: waiting for it", who, carrier.shared_name.name)
            told = who
        if time.monotonic() > deadline:
            raise TransientError(
                f"{who} is still registering schemas at {carrier.shared_name.name!r}. Fix: wait until it has ended"
            )
        beat()  # it is asked from Airflow whether it works, and this wait has an end of its own
        time.sleep(2)


def registry_carried(carrier: SchemasCarrier, artifacts: RunArtifacts) -> Check:
    """The check ``registry``; what each id became is noted among the artifacts."""
    checks, _, ids = carrier.verify()
    artifacts.write_json(IDS, [[*key, there] for key, there in sorted(ids.items())])
    return as_one(checks)
