"""What the plan of a run by connector says beside the engine's."""

from __future__ import annotations

import json
import logging
from typing import Any

from kafka_ferry.core.finding import Finding, finding_lines, refuse
from kafka_ferry.core.redaction import redact
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.s3.connect.carrier import Carrier, bucket_notes
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import OWN
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import read_back
from kafka_ferry.report.artifacts import RunArtifacts

log = logging.getLogger(__name__)

#: Artifact: config of the source connector that reads back what another maker's sink writes.
READ_BACK = "connector/read_back.json"

# Manifests, and so exports, get their ids when our sink writes them; those of other makers write none.
ID_TO_COME = "sink-…"


def ask_worker(carrier: Carrier, cluster_id: str | None, aws_conn_id: str | None) -> dict[str, Any]:
    """``changes``, ``engine`` and ``notes`` of the plan. Changes nothing.

    :param cluster_id: that the workers have to write to; None: any will do, for a sink.
    :raises BadParam: they cannot run the connector, or refuse its config.
    """
    carrier.check(cluster_id)
    changes, engine = carrier.changes(), carrier.planned()
    log.info("connector %s\n%s", carrier.name, json.dumps(carrier.shown(), indent=1, sort_keys=True))
    notes = [*carrier.made_by.notes(carrier.intent), *bucket_notes(aws_conn_id, carrier.intent, carrier.transport)]
    return {"changes": changes, "engine": engine, "notes": notes}


def told_losses(carrier: Carrier) -> list[Finding]:
    """``findings`` of the plan: what gets lost with the connector, and what its workers and their role cannot do.

    :raises BadParam: something that was not accepted, or that would end it.
    """
    findings = carrier.findings()
    for line in finding_lines(findings):
        log.info("%s", line)
    refuse(findings)
    return findings


def way_back(carrier: Carrier, artifacts: RunArtifacts) -> list[str]:
    """``notes`` of the plan on how the maker's own source reads the export; its config becomes an artifact."""
    if carrier.made_by is OWN:
        return []
    config, notes = read_back(carrier.made_by, carrier.intent, carrier.accepted)
    if config:
        path = artifacts.write_json(READ_BACK, redact(config))
        notes.append(f"config of that source: {path}; {_tried(carrier, config)}")
    return notes


def _tried(carrier: Carrier, config: dict[str, str]) -> str:
    """What the sink's workers say of the source; others may be meant to run it, so it is no refusal."""
    maker = carrier.made_by
    try:
        carrier.runtime.check(maker.classes["source"], None, maker.plugin["source"])
        carrier.runtime.changes({f"{carrier.name}.back": config})
    except BadParam as refused:
        return f"the workers of this run cannot run it: {refused.problem}. Fix: {refused.fix}"
    return "the workers of this run have its plugin and accept this config"
