"""What the plan of a run by connector says beside the engine's."""

from __future__ import annotations

import json
import logging
from typing import Any

from kafka_ferry.jobs.s3.connect.carrier import Carrier, bucket_notes

log = logging.getLogger(__name__)


def ask_worker(carrier: Carrier, cluster_id: str | None, aws_conn_id: str | None) -> dict[str, Any]:
    """``changes``, ``engine`` and ``notes`` of the plan. Changes nothing.

    :param cluster_id: that the workers have to write to; None: any will do, for a sink.
    :raises BadParam: they cannot run the connector, or refuse its config.
    """
    carrier.check(cluster_id)
    changes, engine = carrier.changes(), carrier.planned()
    log.info("connector %s\n%s", carrier.name, json.dumps(carrier.shown(), indent=1, sort_keys=True))
    return {"changes": changes, "engine": engine, "notes": bucket_notes(aws_conn_id, carrier.intent)}
