"""``default_args`` of our DAGs, how long their tasks may take, and how many may work at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kafka_ferry.jobs.common.deployment import pool

#: Of tasks that look, decide or change settings, however large the clusters are. What moves or reads records has
#: none (``UNBOUNDED``): it ends when it makes no progress (``jobs/common/task_watch.py``), as all our tasks do.
BOUND = timedelta(hours=6)


UNBOUNDED: dict[str, Any] = {"execution_timeout": None}


def in_pool() -> dict[str, Any]:
    """Of mapped tasks that read records: as many as there are shards would start at once, each with children of its
    own, so a deployment can hold them in a pool (``[kafka_ferry] pool``)."""
    return {**UNBOUNDED, "pool": name} if (name := pool()) else UNBOUNDED


def task_defaults(engine: str) -> dict[str, Any]:
    """``default_args`` of a DAG of ours.

    :param engine: what moves the records; which there are stands in ``kafka_ferry.jobs.migration.rules.specs``.
    """
    return {
        "owner": "kafka-ferry",
        "engine": engine,
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": True,
        "execution_timeout": BOUND,
    }
