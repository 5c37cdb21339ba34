"""Params of exports and imports that a connector can carry: their types, and what the forms say of them. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.jobs.s3.connect.rules.vendors.registry import Connector
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import PARTS, Part

#: Section of the form.
CONNECTOR: JsonDict = {"section": "Connector"}

Transport = Annotated[
    Literal["engine", "connect", "msk_connect"],
    Field(
        title="Transport",
        description="What copies. The proof is the same.",
    ),
]
TRANSPORT: Final[JsonDict] = {
    **CONNECTOR,
    "values_display": {
        "engine": "This DAG's own tasks",
        "connect": "An S3 connector, on a Kafka Connect cluster",
        "msk_connect": "An S3 connector, on Amazon MSK Connect",
    },
}
Choice = Annotated[
    Connector,
    Field(
        title="Whose connector",
        description="Of transport connect: whose S3 connector copies. The plan says what of the records each loses.",
    ),
]
CHOICE: Final[JsonDict] = {
    **CONNECTOR,
    "values_display": {
        "kafka_ferry": "kafka_ferry: ours, which loses nothing",
        "confluent": "confluent: Confluent's",
        "aiven": "aiven: Aiven's",
        "lenses": "lenses: Lenses' Stream Reactor",
        "camel": "camel: Camel's aws-s3",
    },
}
AcceptLosses = Annotated[
    list[Part],
    Field(
        title="Losses accepted",
        description="Of another maker's connector: what of the records may get lost. The plan names what does, and the "
        f"run ends there unless all of it is named here. One per line, of: {', '.join(PARTS)}.",
        examples=[["timestamps"]],
    ),
]
ConnectConnection = Annotated[
    str,
    Field(
        title="Kafka Connect",
        description="Of transport connect: Airflow connection of type kafka_connect or http, a worker of Kafka Connect "
        "3.7 or newer that has the S3 connectors.",
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
        "remove": "Delete it; its position stays",
        "forget": "Delete it and its position",
        "pause": "Keep it, paused",
        "run": "Let it go on copying",
    },
}
Patience = Annotated[
    float,
    Field(ge=5, title="Patience", description="A connector that copies nothing for so long has failed. In seconds."),
]
