"""The spec and the trigger form of every DAG."""

from __future__ import annotations

from functools import partial
from typing import Any

from kafka_ferry.jobs.common.form import params_of
from params_tables import SPECS

DAGS: dict[str, tuple[Any, Any]] = {dag_id: (spec, partial(params_of, spec)) for dag_id, spec in SPECS.items()}
