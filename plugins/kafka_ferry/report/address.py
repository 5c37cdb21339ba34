"""Where a browser finds what a run reports."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from kafka_ferry.compat import HAS_TABS, conf

#: Of the tab "Kafka Ferry", in the address of a run's page.
TAB: Final = "plugin/kafka_ferry"


def report_address(dag_id: str, run_id: str) -> str:
    """URL of a run's tab "Kafka Ferry", below ``[api] base_url``; of the run in Airflow 3.0, which has no tabs."""
    base = (conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")
    run = f"{base}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"
    return f"{run}/{TAB}" if HAS_TABS else run
