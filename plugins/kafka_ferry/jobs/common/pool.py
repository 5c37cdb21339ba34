"""Whether the pool that the deployment names is there. Airflow does not say: tasks of one that is not stay scheduled
for good, and only the scheduler's log tells why (3.3.2)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from kafka_ferry.compat import conf
from kafka_ferry.exceptions import BadSetting
from kafka_ferry.jobs.common.deployment import SECTION, pool

log = logging.getLogger(__name__)

#: The path of tasks' own API, beside which plugins are served.
_TASKS = "/execution"
_TIMEOUT = 10.0


def check_pool(context: Mapping[str, Any]) -> None:
    """Ask the API server, as no task may ask Airflow's database.

    :raises BadSetting: tasks of this run's DAG would wait for good.
    """
    dag = context.get("dag")
    name = pool()
    if dag is None or name is None or name not in {task.pool for task in dag.tasks}:
        return
    import requests  # not where DAGs are parsed

    address = _address()
    try:
        answer = requests.get(f"{address}/kafka-ferry/pool", params={"name": name}, timeout=_TIMEOUT, verify=_verify())
        answer.raise_for_status()
        slots = answer.json()["slots"]
    except (requests.RequestException, ValueError, KeyError) as error:
        # It may be without our plugin, or out of the worker's sight: no reason to run nothing.
        log.warning("Whether there is a pool %r could not be asked at %s: %s", name, address, error)
        return
    if slots in (None, 0):
        problem = f"there is no pool {name!r}" if slots is None else f"no slot is in the pool {name!r}"
        raise BadSetting(
            f"{problem}, which option pool in section [{SECTION}] names: tasks of this run would never start. "
            f"Fix: airflow pools set {name!r} 4 'Kafka Ferry', or Admin, Pools in the UI, with as many slots as tasks "
            "may read at once; or no such option"
        )


def _address() -> str:
    found = conf.get("core", "execution_api_server_url", fallback="") or ""
    if not found:
        root = conf.get("api", "base_url", fallback="") or "/"
        found = f"http://localhost:8080{root}" if root.startswith("/") else root
    return found.rstrip("/").removesuffix(_TASKS).rstrip("/")


def _verify() -> str | bool:
    return conf.get("api", "ssl_cert", fallback="") or True
