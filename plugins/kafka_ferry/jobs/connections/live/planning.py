"""Which connections there are."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime

from kafka_ferry.core.plan import Asked, PlannedConnection
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.objects.aws_connection import DEFAULT as AWS_DEFAULT
from kafka_ferry.jobs.common.deployment import check_location
from kafka_ferry.jobs.connections.live.asking import type_of
from kafka_ferry.jobs.connections.rules.plan import ConnectionsPlan, plan_of, planned
from kafka_ferry.jobs.connections.rules.spec import DEFAULTS, ConnectionsSpec

_ENVIRONMENT = "AIRFLOW_CONN_"
_FORM = 'a URI, or JSON such as {"conn_type": "kafka", "extra": {…}}'


def planned_connections(spec: ConnectionsSpec) -> ConnectionsPlan:
    """plan.json.

    :raises BadParam: a param asks for something that is not among the connections, or not allowed.
    """
    if spec.location:
        check_location(spec.location)
    kinds: dict[str, str | None] = {}
    unreadable: dict[str, str] = {}
    for conn_id in dict.fromkeys([*spec.asked, *DEFAULTS]):
        try:
            kinds[conn_id] = type_of(conn_id)
        except FerryError as error:
            kinds[conn_id], unreadable[conn_id] = None, str(error)
        if kinds[conn_id] is None and conn_id.lower() in _in_environment():  # Airflow calls it absent (3.3.2)
            unreadable.setdefault(conn_id, f"{_ENVIRONMENT}{conn_id.upper()} cannot be read. Fix: {_FORM}")
    known = [conn_id for conn_id, kind in kinds.items() if kind] + _in_environment()
    found = [_line(conn_id, kinds, unreadable, spec, known) for conn_id in spec.asked]
    return plan_of(spec, found, datetime.now(UTC).isoformat(timespec="seconds"))


def _line(
    conn_id: str, kinds: dict[str, str | None], unreadable: dict[str, str], spec: ConnectionsSpec, known: list[str]
) -> PlannedConnection:
    if problem := unreadable.get(conn_id):
        return PlannedConnection(conn_id=conn_id, kind=None, written_to=False, named=spec.named, problem=problem)
    kind = kinds[conn_id]
    # The one id that jobs use without a connection: boto3 then takes the host's own credentials.
    if kind is None and conn_id == AWS_DEFAULT and any(spec.of_aws.values()):
        return PlannedConnection(conn_id=conn_id, kind=Asked.AWS, written_to=False, named=spec.named, problem="")
    return planned(conn_id, kind, spec, known)


def _in_environment() -> list[str]:
    """Ids of connections that are variables of the environment; others Airflow does not list for a task."""
    return [name.removeprefix(_ENVIRONMENT).lower() for name in os.environ if name.startswith(_ENVIRONMENT)]


def probe_name(dag_id: str, run_id: str, conn_id: str) -> str:
    """The same on each try, so that one that was killed leaves nothing that the next does not delete."""
    digest = hashlib.sha256("\n".join([dag_id, run_id, conn_id]).encode()).hexdigest()[:16]
    return f"kafka-ferry-check-{digest}"
