"""What ``check_connections`` says."""

from __future__ import annotations

from kafka_ferry.jobs.connections.reported import CONNECTIONS
from kafka_ferry.jobs.connections.tasks import (
    AskOperator,
    ConnectionsReportOperator,
    PlanConnectionsOperator,
    ValidateConnectionsOperator,
)


def check() -> None:
    """Make the tasks in the DAG whose ``with`` block it is called in::

    plan -> ask -> validate -> report
    """
    plan = PlanConnectionsOperator(task_id="plan")
    ask = AskOperator.partial(task_id="ask").expand(shard=plan.output)
    validate = ValidateConnectionsOperator(task_id="validate")
    report = ConnectionsReportOperator(task_id="report", job=CONNECTIONS)

    plan >> ask >> validate >> report
