"""Params that several jobs have, alike: their types, and what the forms say of them. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kafka_ferry.core.spec import Entry

TargetCluster = Annotated[
    str,
    Field(
        title="Target cluster",
        description="Airflow connection of type kafka, written to.",
        examples=["kafka_target"],
    ),
]
DryRun = Annotated[
    bool,
    Field(title="Dry run", description="Only plan: say what would be done and stop. Nothing is changed."),
]
ExcludedTopics = Annotated[
    list[Entry],
    Field(title="Topics to leave out", description="Names or regular expressions, one per line, such as .*\\.tmp."),
]
PollInterval = Annotated[
    float, Field(ge=0.5, le=3600, title="Poll interval", description="Between two polls. In seconds.")
]
#: Of engines that need no Kafka Connect of their own: where to look for other replicators.
ConnectToLookAt = Annotated[
    str | None,
    Field(
        title="Kafka Connect to check",
        description="A Connect cluster whose connectors may copy the same topics. Empty: none.",
        examples=["kafka_connect"],
    ),
]
