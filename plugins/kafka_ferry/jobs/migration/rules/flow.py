"""A flow: records of some topics, from one cluster to another, under names that can be told. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from kafka_ferry.core.topics import mm2_topic_refusal
from kafka_ferry.jobs.migration.rules.canary import PREFIX as CANARY
from kafka_ferry.jobs.migration.rules.replicators import IDLE, OtherConnector
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec, Naming
from kafka_ferry.jobs.migration.rules.specs import spec_of

#: How our MirrorMaker 2s call the target. ``MirrorSourceConnector.isCycle`` (Kafka 4.3.1) leaves out topics whose names
#: say that they came from it, which with this alias none of ours does.
TARGET_ALIAS = "target"

Name = Callable[[str], str | None]


@dataclass(frozen=True, eq=False)
class Flow:
    """Who carries what from where to where.

    :param name: for people: ``migration x of DAG y``, ``connector z``.
    :param source, target: what each cluster is known by: ``id:<cluster id>`` and ``host:port``. Two are the same
        cluster when they share one of these.
    :param copied_as: source topic to its name on the target; None for a topic it does not take, also one that comes
        later.
    :param topics: source topics it is known to have taken.
    :param sure: it is at work now, and this is what it does.
    :param remark: what is not sure about it.
    """

    name: str
    source: frozenset[str]
    target: frozenset[str]
    copied_as: Name = field(repr=False)
    topics: Collection[str] = ()
    sure: bool = True
    remark: str = ""

    def __str__(self) -> str:
        return self.name + (f" ({self.remark})" if self.remark else "")


@dataclass(frozen=True)
class FlowRecord:
    """What a migration notes about itself for others to see. No secret is in it.

    :param params: the whole spec, so that its engine can be asked whether anything of it is there.
    :param patterns, exclude: regexes, exact names quoted.
    :param holds: its records still arrive, so limits of its target topics have to stay off (``core.retention``).
    """

    dag_id: str
    run_id: str
    engine: str
    params: Mapping[str, Any]
    topics: Sequence[str]
    patterns: Sequence[str]
    exclude: Sequence[str]
    source: Sequence[str]
    target: Sequence[str]
    holds: bool = True

    @property
    def spec(self) -> MigrationSpec:
        """:raises BadParam: it was noted by another version of this project, with params that are none any more."""
        return spec_of(self.engine).from_params(self.params)

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FlowRecord:
        given = {name.name: data[name.name] for name in fields(cls) if name.name != "holds"}
        return cls(**given, holds=bool(data.get("holds", True)))  # notes of before say nothing of it

    def holds_into(self, target: Collection[str]) -> set[str]:
        """Topics of a target that have to be on hold for it.

        :param target: what that cluster is known by.
        :raises BadParam: as :attr:`spec`.
        """
        spec = self.spec
        if not self.holds or not spec.hold_retention or spec.keep_replicating or not set(target) & set(self.target):
            return set()
        copied_as = self.flow().copied_as
        return {name for topic in self.topics if (name := copied_as(topic)) is not None}

    def flow(self, *, sure: bool = True, remark: str = "") -> Flow:
        spec = self.spec
        name = f"migration {spec.migration!r} of DAG {self.dag_id} ({spec.source_conn_id} to {spec.target_conn_id})"
        source, target = frozenset(self.source), frozenset(self.target)
        return Flow(name, source, target, _names(spec, self.patterns, self.exclude), self.topics, sure, remark)


def _names(spec: MigrationSpec, patterns: Sequence[str], exclude: Sequence[str]) -> Name:
    takes, leaves = ([re.compile(pattern) for pattern in some] for some in (patterns, exclude))

    def copied_as(topic: str) -> str | None:
        if mm2_topic_refusal(topic) or topic.startswith(CANARY):
            return None
        if not any(one.fullmatch(topic) for one in takes) or any(one.fullmatch(topic) for one in leaves):
            return None
        if spec.naming is Naming.PREFIX and TARGET_ALIAS in topic.split(".")[:-1]:
            return None
        return spec.target_topic(topic)

    return copied_as


def connector_flow(other: OtherConnector, worker: Collection[str], subject: str) -> Flow | None:
    """What a connector carries; None when it carries no records of topics.

    :param worker: what the cluster is known by that its worker writes to, when its config does not say.
    """
    if not other.copies:
        return None
    source, target = other.source_addresses, other.target_addresses
    named = [part.strip() for part in other.config.get("topics", "").split(",")]
    return Flow(
        subject,
        frozenset(source),
        frozenset(target or worker),
        other.copied_as,
        [name for name in named if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name)],
        sure=other.state not in IDLE,
        remark=f"it is {other.state} now" if other.state in IDLE else "",
    )
