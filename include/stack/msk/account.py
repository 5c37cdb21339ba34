"""One account in one region: what is in it, its quotas, and how names become ARNs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from stack.msk import ACCOUNT, REGION
from stack.msk.faults import Faults
from stack.msk.resources import Connector, Operation, Plugin, Replicator, Resource, Topic, WorkerConfiguration
from stack.msk.runtime import Runtime
from stack.msk.wire import Refused

# Developer guide, "Amazon MSK Connect quota".
MOST_PLUGINS, MOST_WORKER_CONFIGURATIONS, MOST_WORKERS, MOST_WORKERS_OF_ONE = 100, 100, 60, 10

Objects = Callable[[str, str], bytes | None]
Some = TypeVar("Some", bound=Resource)


class Account:
    """The state that the parts of the service share.

    :param objects: (bucket, key) → content in the emulated S3.
    :param looks: how many descriptions show a resource in between before it goes on.
    """

    def __init__(self, runtime: Runtime, objects: Objects, looks: int = 1) -> None:
        self.runtime, self.objects, self.looks = runtime, objects, looks
        self.faults = Faults()
        self.plugins: dict[str, Plugin] = {}
        self.worker_configurations: dict[str, WorkerConfiguration] = {}
        self.connectors: dict[str, Connector] = {}
        self.operations: dict[str, Operation] = {}
        self.replicators: dict[str, Replicator] = {}
        self.topics: dict[str, Topic] = {}

    @staticmethod
    def arn(kind: str, name: str) -> str:
        """A new ARN, as the developer guide shows them."""
        return f"arn:aws:kafkaconnect:{REGION}:{ACCOUNT}:{kind}/{name}/{uuid.uuid4()}-2"

    @staticmethod
    def find(among: dict[str, Some], arn: str) -> Some:
        """The resource of this ARN.

        :raises Refused: NotFoundException.
        """
        if arn not in among:
            raise Refused("NotFoundException", f"The requested resource does not exist: {arn}")
        return among[arn]

    @staticmethod
    def free_name(among: Iterable[Resource], name: str) -> None:
        """:raises Refused: ConflictException."""
        if any(one.name == name for one in among):
            raise Refused("ConflictException", "A resource with this name already exists.")

    def tagged(self, arn: str) -> Resource:
        """A resource of any kind."""
        everything: dict[str, Resource] = {**self.plugins, **self.worker_configurations, **self.connectors}
        return self.find(everything, arn)


def page(items: Sequence[dict[str, Any]], params: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """One page of a list, and its ``nextToken`` when there are more."""
    try:
        start = int(params.get("nextToken", "0"))
    except ValueError as error:
        raise Refused("BadRequestException", "Invalid nextToken") from error
    end = start + int(params.get("maxResults", 100))
    return list(items[start:end]), ({"nextToken": str(end)} if end < len(items) else {})
