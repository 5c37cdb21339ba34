"""The params of ``fail_back``, checked once, typed from then on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field
from pydantic.config import JsonDict

from kafka_ferry.core.plan import Kind
from kafka_ferry.core.spec import Entry
from kafka_ferry.core.wave_journal import Journal, State
from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec

_BACK: JsonDict = {"section": "Way back"}
_LEFT_OUT = ("topics", "exclude_topics", "naming", "topic_rename_format", "source_alias", "rename", "end_connectors")


class FailBackSpec(CutoverSpec):
    """What ``fail_back`` is asked: the wave, in the same words as ``cutover`` was."""

    engine: ClassVar[str] = "fail_back"
    run_kind = Kind.FAIL_BACK
    form_without = (*CutoverSpec.form_without, *_LEFT_OUT)

    # They stand in the wave's journal.
    topics: list[Entry] = Field(default=[], title="Topics", description="Those of the wave.")
    migration: str = Field(
        default="wave-1",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$",
        title="Wave",
        description="The wave that goes back, as its cutover called it.",
        examples=["orders", "wave-2"],
    )
    source_conn_id: str = Field(
        default="kafka_source",
        title="Source cluster",
        description="Airflow connection of type kafka, that the applications go back to: the source of the cutover. "
        "Its user must be allowed to write the wave's topics.",
        examples=["kafka_source"],
    )
    target_conn_id: str = Field(
        default="kafka_target",
        title="Target cluster",
        description="Airflow connection of type kafka, that the applications work on since the cutover.",
        examples=["kafka_target"],
    )
    connect_conn_id: str | None = Field(
        default="kafka_connect",
        title="Kafka Connect",
        description="Airflow connection of type kafka_connect or http: the workers that replicate from the target to "
        "the source.",
        examples=["kafka_connect"],
        json_schema_extra=_BACK,
    )
    forward_connectors: list[Entry] = Field(
        default=[],
        title="Connectors of the way there",
        description="Names of the connectors that replicate this wave to the target, and nothing else. They are "
        "stopped before the way back is opened. Empty: they have ended already.",
        json_schema_extra=_BACK,
    )
    forward_connect_conn_id: str | None = Field(
        default=None,
        title="Kafka Connect of the way there",
        description="Airflow connection of type kafka_connect or http, for forward_connectors. Empty: the same one.",
        examples=["kafka_connect"],
        json_schema_extra=_BACK,
    )

    def backwards(self, forward: Journal) -> CutoverSpec:
        """The cutover from the target to the source.

        :param forward: journal of the cutover that is taken back.
        """
        left = {*_LEFT_OUT, "source_conn_id", "target_conn_id", "connect_conn_id", "forward_connectors",
                "forward_connect_conn_id"}  # fmt: skip
        same = {name: getattr(self, name) for name in CutoverSpec.model_fields if name not in left}
        swapped = {"source_conn_id": self.target_conn_id, "target_conn_id": self.source_conn_id}
        return CutoverSpec.from_params({**same, **swapped, "topics": sorted(forward.topics), "connect_conn_id": None})

    def replication(self, forward: Journal) -> MigrationSpec:
        """What MirrorMaker 2 copies back: it makes no topics, and leaves groups, configs and ACLs alone."""
        params: Mapping[str, Any] = {
            "topics": sorted(forward.topics), "migration": self.migration, "source_conn_id": self.target_conn_id,
            "target_conn_id": self.source_conn_id, "connect_conn_id": self.connect_conn_id, "groups": [],
            "canary": False, "hold_retention": False, "acls": "skip", "quotas": "skip",
            "scram_users": "skip",
            "isolation_level": self.isolation_level,
        }  # fmt: skip
        return MigrationSpec.from_params(params)


def refuse_no_way_back(forward: Journal | None, spec: FailBackSpec, source: str, target: str) -> Journal:
    """The journal of the cutover that can be taken back.

    :param source, target: ids of the clusters.
    :raises BadParam: there is none.
    """
    if forward is None:
        raise BadParam(
            "migration", f"cluster {source} of {spec.source_conn_id!r} knows no wave {spec.wave!r}",
            "the name, connections and FERRY_ARTIFACTS of its cutover",
        )  # fmt: skip
    if forward.state is not State.HANDED_OVER:
        fixes = {
            State.HANDING_OVER: f"clear task window of run {forward.run_id}, or run its cutover again: either says the "
            "hand-over again",
            State.FAILED_BACK: "nothing: it is back on the source",
        }
        fix = fixes.get(forward.state, "nothing: its applications never left the source")
        raise BadParam("migration", f"wave {spec.wave!r} is {forward.state.value}, not handed over", fix)
    if forward.target_cluster != target:
        problem = f"leads to cluster {target}, and the wave was handed over to {forward.target_cluster}"
        raise BadParam("target_conn_id", problem, "the target of its cutover")
    if renamed := sorted(name for name, there in forward.topics.items() if name != there):
        raise BadParam(
            "migration", f"topic {renamed[0]!r} is {forward.topics[renamed[0]]!r} on the target, and MirrorMaker 2 "
            "cannot give it its old name back", "replicate it back by other means, then cutover with rename",
        )  # fmt: skip
    if unknown := sorted(forward.ends.keys() - forward.target_ends.keys()):
        raise BadParam(
            "migration", f"its journal does not say where the target ended on {unknown[0]}", "cut the wave over again"
        )
    return forward
