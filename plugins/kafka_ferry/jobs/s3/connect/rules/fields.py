"""Params of exports and imports that a connector can carry: their types, and what the forms say of them. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic.config import JsonDict

#: Section of the form.
CONNECTOR: JsonDict = {"section": "Connector"}

Transport = Annotated[
    Literal["engine", "connect"],
    Field(
        title="Transport",
        description="What copies. The proof is the same.",
    ),
]
TRANSPORT: Final[JsonDict] = {
    **CONNECTOR,
    "values_display": {"engine": "This DAG's own tasks", "connect": "Our S3 connector, on a Kafka Connect cluster"},
}
ConnectConnection = Annotated[
    str,
    Field(
        title="Kafka Connect",
        description="Airflow connection of type kafka_connect or http: a worker of Kafka Connect 3.7 or newer that has "
        "our S3 connectors.",
        examples=["kafka_connect"],
    ),
]
TasksMax = Annotated[
    int, Field(ge=1, le=1000, title="Tasks", description="Parallel tasks of the connector (tasks.max).")
]
Afterwards = Annotated[
    Literal["remove", "forget", "pause", "run"],
    Field(
        title="Connector afterwards",
        description="What becomes of the connector when the run ends, also after a failure. A later run takes on what "
        "is there, or makes it again, and goes on where it was.",
    ),
]
AFTERWARDS: Final[JsonDict] = {
    **CONNECTOR,
    "values_display": {
        "remove": "Delete it; its position stays with Kafka Connect",
        "forget": "Delete it and its position",
        "pause": "Keep it, paused",
        "run": "Let it go on copying",
    },
}
Patience = Annotated[
    float,
    Field(ge=5, title="Patience", description="A connector that copies nothing for so long has failed. In seconds."),
]
