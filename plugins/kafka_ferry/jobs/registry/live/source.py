"""The registry that schemas come from: one with the Confluent API, or AWS Glue's, and what the latter cannot."""

from __future__ import annotations

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.registry.hook import RegistryHook, leads_to_glue
from kafka_ferry.jobs.registry.live.reading import ReadableRegistry
from kafka_ferry.jobs.registry.rules.asked import Asked, Ids


def readable(conn_id: str) -> ReadableRegistry:
    """The registry that a connection leads to."""
    if not leads_to_glue(conn_id):
        return RegistryHook(conn_id)
    from kafka_ferry.hooks.registry.glue import GlueRegistry  # boto3: few have a registry of Glue's

    return GlueRegistry(conn_id)


def refuse_glue(asked: Asked, source: str, target: str) -> None:
    """
    :param source, target: connections.
    :raises BadParam: AWS Glue is asked for what it does not have.
    """
    if asked.ids is Ids.KEEP and leads_to_glue(source):
        problem = f"is keep, and {source!r} leads to AWS Glue, whose ids are UUIDs"
        raise BadParam(asked.ids_param, problem, asked.mapped)
    if leads_to_glue(target):
        problem = "leads to AWS Glue, which is read alone"
        raise BadParam(asked.target_param, problem, "a registry with the Confluent API")
