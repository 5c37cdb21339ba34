"""Where a wave stands: what is noted before it is done, so that whoever comes next can go on or undo it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.tolerant import Tolerant

SCHEMA: Final = "kafka-ferry.cutover/1"


class State(StrEnum):
    """``planned``: nothing was done; ``failed_back``: handed over, and the applications went back since;
     ``fencing``: ACLs may be there, or somebody may have been told;
    ``handing_over``: somebody may have heard that the wave is on the target, so that it can no longer be rolled back.
    """

    PLANNED = "planned"
    FENCING = "fencing"
    FENCED = "fenced"
    HANDING_OVER = "handing_over"
    HANDED_OVER = "handed_over"
    ROLLED_BACK = "rolled_back"
    FAILED_BACK = "failed_back"


#: Producers may be stopped, and the wave can be rolled back.
OPEN: Final = (State.FENCING, State.FENCED)
#: The target is the applications' cluster.
DONE: Final = (State.HANDING_OVER, State.HANDED_OVER)


class StageLine(Tolerant, BaseModel):
    """One stage of the window. Times are ISO 8601, UTC."""

    stage: str
    started: str
    ended: str
    seconds: float
    detail: str = ""


class Journal(Tolerant, BaseModel):
    """One wave on one source cluster.

    :param dag_id, run_id: who works, or worked, on it.
    :param added: ACLs of the fence that were not there before: noted before they are made. ``kept``: those that were.
    :param lifted: whether what was added has been deleted. ``lent``: for the way back, and is made again if that fails.
    :param target_cluster: id of the cluster that the wave goes to.
    :param ends: topic and partition to where the source ended when nobody wrote any more. ``target_ends``: the same
        keys to where the target ended then: what stands behind was written by the applications.
    :param committed: group to the same keys to where it stood then on the source.
    :param failure: why it was rolled back. ``not_stopped``: who wrote, or held a transaction open, if that was it.
    :param stopped: names of connectors that were stopped after the hand-over.
    :param longest_pause: seconds for which one producer could not write; None: no producer was known.
    """

    schema_: Literal["kafka-ferry.cutover/1"] = SCHEMA
    wave: str
    source_cluster: str
    target_cluster: str = ""
    dag_id: str
    run_id: str
    topics: dict[str, str]
    fence: str
    state: State
    added: list[dict[str, str]] = []
    kept: list[dict[str, str]] = []
    lifted: bool = False
    lent: bool = False
    fenced_at: str = ""
    handed_over_at: str = ""
    ends: dict[str, int] = {}
    target_ends: dict[str, int] = {}
    committed: dict[str, dict[str, int]] = {}
    stages: list[StageLine] = []
    delivered: bool = False
    failure: str = ""
    not_stopped: list[str] = []
    stopped: list[str] = []
    longest_pause: float | None = None

    @property
    def own(self) -> tuple[str, str]:
        return self.dag_id, self.run_id

    @property
    def fence_acls(self) -> list[Acl]:
        """What was added, and is to be deleted, and nothing else."""
        return [Acl(**acl) for acl in self.added]

    @property
    def frozen_ends(self) -> dict[Partition, int]:
        return {partition_of(name): end for name, end in self.ends.items()}

    @property
    def frozen_target_ends(self) -> dict[Partition, int]:
        """By source partition."""
        return {partition_of(name): end for name, end in self.target_ends.items()}

    @property
    def stood(self) -> dict[str, dict[Partition, int]]:
        """Group to where it stood on the source."""
        return {
            group: {partition_of(name): offset for name, offset in places.items()}
            for group, places in self.committed.items()
        }

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def name_of(tp: Partition) -> str:
    """As journals name a partition; topics have no ``:`` in their names."""
    return f"{tp[0]}:{tp[1]}"


def partition_of(name: str) -> Partition:
    topic, _, number = name.rpartition(":")
    return topic, int(number)


def acl_to_json(acl: Acl) -> dict[str, str]:
    return asdict(acl)
