"""Capacity of a connector: provisioned or autoscaled, within MSK Connect's limits.

Limits: developer guide, "Understand connector capacity" and "Quota" (an MCU is 1 vCPU and 4 GiB; 10 workers a
connector; 60 workers an account, autoscaled ones counted at their maximum).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka_ferry.exceptions import BadParam

MCU_COUNTS = (1, 2, 4, 8)  # the model says 1 to 8, the guide these four
MAX_WORKERS = 10

#: Connectors with one task for ever. The guide excludes Debezium for MySQL from autoscaled capacity by name; the others
#: start no second task either.
SINGLE_TASK = (
    "io.debezium.connector.mysql.MySqlConnector",
    "io.debezium.connector.mariadb.MariaDbConnector",
    "io.debezium.connector.postgresql.PostgresConnector",
)


@dataclass(frozen=True)
class Provisioned:
    """A fixed number of workers."""

    workers: int = 1
    mcus: int = 1

    def __post_init__(self) -> None:
        _check_mcus(self.mcus)
        _check_workers("workerCount", self.workers)

    def to_request(self) -> dict[str, Any]:
        """``capacity`` of create and update."""
        return {"provisionedCapacity": {"mcuCount": self.mcus, "workerCount": self.workers}}


@dataclass(frozen=True)
class AutoScaled:
    """Workers that come and go by CPU. It **overrides** ``tasks.max``: workers x MCUs x 2, at most ``max_tasks``."""

    min_workers: int = 1
    max_workers: int = 2
    mcus: int = 1
    scale_in_percent: int = 20
    scale_out_percent: int = 80
    max_tasks: int | None = None

    def __post_init__(self) -> None:
        _check_mcus(self.mcus)
        _check_workers("minWorkerCount", self.min_workers)
        _check_workers("maxWorkerCount", self.max_workers)
        if self.min_workers > self.max_workers:
            problem = f"minWorkerCount {self.min_workers} is more than maxWorkerCount {self.max_workers}"
            raise BadParam("capacity", problem, "a range")
        for key, percent in (("scaleInPolicy", self.scale_in_percent), ("scaleOutPolicy", self.scale_out_percent)):
            if not 1 <= percent <= 100:
                raise BadParam("capacity", f"{key}: {percent} is not a percentage of CPU", "1 to 100")
        if self.max_tasks is not None and self.max_tasks < self.max_workers:
            problem = f"maxAutoscalingTaskCount {self.max_tasks} is less than maxWorkerCount {self.max_workers}"
            raise BadParam("capacity", problem, f"{self.max_workers} or more")

    def to_request(self) -> dict[str, Any]:
        """``capacity`` of create and update; the update requires both policies, so they are always there."""
        scaling: dict[str, Any] = {
            "minWorkerCount": self.min_workers,
            "maxWorkerCount": self.max_workers,
            "mcuCount": self.mcus,
            "scaleInPolicy": {"cpuUtilizationPercentage": self.scale_in_percent},
            "scaleOutPolicy": {"cpuUtilizationPercentage": self.scale_out_percent},
        }
        if self.max_tasks is not None:
            scaling["maxAutoscalingTaskCount"] = self.max_tasks
        return {"autoScaling": scaling}


Capacity = Provisioned | AutoScaled


def capacity_from(request: Mapping[str, Any]) -> Capacity:
    """The capacity that a request or a description spells, checked.

    :raises BadParam: both kinds, none, or beyond the limits.
    """
    kinds = [kind for kind in ("provisionedCapacity", "autoScaling") if request.get(kind) is not None]
    if len(kinds) != 1:
        raise BadParam("capacity", "it must name exactly one kind", "provisionedCapacity or autoScaling")
    scaling = request[kinds[0]]
    try:
        if kinds[0] == "provisionedCapacity":
            return Provisioned(workers=scaling["workerCount"], mcus=scaling["mcuCount"])
        return AutoScaled(
            min_workers=scaling["minWorkerCount"],
            max_workers=scaling["maxWorkerCount"],
            mcus=scaling["mcuCount"],
            scale_in_percent=scaling.get("scaleInPolicy", {}).get("cpuUtilizationPercentage", 20),
            scale_out_percent=scaling.get("scaleOutPolicy", {}).get("cpuUtilizationPercentage", 80),
            max_tasks=scaling.get("maxAutoscalingTaskCount"),
        )
    except KeyError as missing:
        raise BadParam("capacity", f"{missing} is missing", "see CreateConnector in the API reference") from None


def check_fits(connector_class: str, capacity: Capacity) -> None:
    """Refuse what MSK Connect takes but cannot work.

    :raises BadParam: a connector of one task on autoscaled capacity.
    """
    if isinstance(capacity, AutoScaled) and connector_class in SINGLE_TASK:
        name = connector_class.rpartition(".")[2]
        problem = f"{name} always has one task, and autoscaled capacity overrides tasks.max"
        raise BadParam("capacity", problem, '{"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}}')


def _check_mcus(mcus: int) -> None:
    if mcus not in MCU_COUNTS:
        raise BadParam("capacity", f"mcuCount {mcus} does not exist", "1, 2, 4 or 8")


def _check_workers(key: str, workers: int) -> None:
    if not 1 <= workers <= MAX_WORKERS:
        raise BadParam("capacity", f"{key} {workers} is outside MSK Connect's limits", f"1 to {MAX_WORKERS}")
