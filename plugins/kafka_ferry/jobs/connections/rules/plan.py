"""plan.json of ``check_connections``: which connections there are, and what is asked of them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from kafka_ferry.core.plan import Asked, JobPlan, PlannedConnection, PlannedTopic, Side
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.connections.rules.spec import WRITTEN_TO, ConnectionsSpec

#: How a problem begins that is none where nobody named the connection.
ABSENT: Final = "there is no such connection"
#: Airflow's types of connections to what they lead to.
KINDS = {
    "kafka": Asked.KAFKA,
    "kafka_connect": Asked.CONNECT,
    "http": Asked.CONNECT,
    "aws": Asked.AWS,
    "mysql": Asked.DATABASE,
    "ssh": Asked.HOST,
}
_WORDS = {
    Asked.KAFKA: "a Kafka cluster to read from",
    Asked.CONNECT: "a Kafka Connect cluster",
    Asked.AWS: "AWS, or a store like S3",
    Asked.DATABASE: "a MySQL or MariaDB server",
    Asked.HOST: "a host",
}


def what(planned: PlannedConnection) -> str:
    """For people: the id, and what it should be."""
    if planned.kind is None:
        return planned.conn_id
    words = "a Kafka cluster to write to" if planned.written_to else _WORDS[planned.kind]
    return f"{planned.conn_id}: {words}"


class ConnectionsPlan(JobPlan):
    """
    :param connections: in the order they were named.
    """

    connections: list[PlannedConnection]
    notes: list[str]


def planned(conn_id: str, found: str | None, spec: ConnectionsSpec, known: Iterable[str]) -> PlannedConnection:
    """One line of the plan.

    :param found: the connection's type; None: there is no such connection.
    :param known: ids of connections that there are, for a hint.
    """
    kind, problem = KINDS.get(found or ""), ""
    if found is None:
        problem = ABSENT + (near(conn_id, known) if spec.named else "")
    elif kind is None:
        types = ", ".join(KINDS)
        problem = f"it is of type {found!r}, which no DAG of Kafka Ferry uses. Fix: one of the types {types}"
    return PlannedConnection(
        conn_id=conn_id,
        kind=kind,
        written_to=kind is Asked.KAFKA and conn_id in spec.written_to,
        named=spec.named,
        problem=problem,
    )


def near(conn_id: str, known: Iterable[str]) -> str:
    """``; did you mean …?``, or how to make one."""
    close = difflib.get_close_matches(conn_id.lower(), sorted(set(known) - {conn_id}), 3)
    return f"; did you mean {' or '.join(close)}?" if close else ". Fix: create it, or correct the id"


def plan_of(spec: ConnectionsSpec, found: Sequence[PlannedConnection], now: str) -> ConnectionsPlan:
    """The whole plan.

    :raises BadParam: a param asks for something of a connection that is not among them.
    """
    ids = [one.conn_id for one in found]
    for conn_id in spec.written_to:
        if conn_id not in ids and conn_id != WRITTEN_TO:
            raise BadParam(
                "written_to", f"{conn_id!r} is not one of the connections{near(conn_id, ids)}", "name it in both params"
            )
    if not any(one.kind is Asked.AWS for one in found):
        for param, is_set in spec.of_aws.items():
            if is_set:
                raise BadParam(param, "no connection of type aws is asked", "add one to connections, or leave it out")
    return ConnectionsPlan(
        planned=now,
        spec=spec.model_dump(mode="json"),
        source=Side(),
        target=Side(),
        topics=[PlannedTopic(source=name, target=name) for name in spec.topics],
        connections=list(found),
        notes=[f"{one.conn_id}: {one.problem}" if one.problem else what(one) for one in found],
    )
