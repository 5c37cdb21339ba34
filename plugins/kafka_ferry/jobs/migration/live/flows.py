"""Who else carries records between clusters, as far as it can be seen from here: for loops and mixtures.

Three places tell: what our own migrations note about themselves, the connectors of the Connect cluster, and the
configurations that a dedicated MirrorMaker 2 keeps in ``mm2-configs.<alias>.internal``.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

from kafka_ferry.core.finding import Finding, worst_first
from kafka_ferry.exceptions import BadConnection, FerryError, NotAuthorized
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.hooks.kafka.table_topic import TableTopic
from kafka_ferry.jobs.migration.engines.registry import engine_kind, engine_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.replicators import OtherReplicators
from kafka_ferry.jobs.migration.rules.flow import Flow, FlowRecord, connector_flow
from kafka_ferry.jobs.migration.rules.internal_topics import FRESH_SECONDS, configs_alias
from kafka_ferry.jobs.migration.rules.loops import (
    loop_findings,
    shared_alias_findings,
    shared_target_findings,
    shares_alias,
)
from kafka_ferry.jobs.migration.rules.replicators import OtherConnector, addresses
from kafka_ferry.report.artifacts import ArtifactsUnwritable, RunArtifacts
from kafka_ferry.report.names import safe_name

log = logging.getLogger(__name__)

_MOST = 50  # internal topics looked at on each cluster

#: Whether a run, by DAG id and run id, is queued or running.
IsActive = Callable[[str, str], bool]


class Flows:
    """What one migration and all others that can be seen from here carry.

    :param is_active: asked of runs whose notes would refuse this migration.
    """

    def __init__(self, migration: Migration, dag_id: str, run_id: str, is_active: IsActive) -> None:
        self._migration, self._dag_id, self._run_id, self._is_active = migration, dag_id, run_id, is_active

    # -- our own note --------------------------------------------------------------------------------------------------

    @cached_property
    def record(self) -> FlowRecord:
        """What is noted about this migration."""
        spec, topics = self._migration.spec, self._migration.topics
        kind = engine_kind(spec.engine)
        named = [name.replace(".", r"\.") for name in topics.selection.names]
        return FlowRecord(
            dag_id=self._dag_id,
            run_id=self._run_id,
            engine=spec.engine,
            params=spec.model_dump(mode="json"),
            topics=list(topics.selection.names),
            patterns=list(topics.selection.patterns) if kind.creates_topics else named,
            exclude=list(topics.selection.exclude_patterns),
            source=sorted(known_as(self._migration.source)),
            target=sorted(known_as(self._migration.target)),
        )

    def note(self) -> None:
        """Let others see this migration, from before its engine runs until ``forget``."""
        _notes().write_json(_file(self._migration), self.record.to_json())

    def let_go(self) -> None:
        """From now on nothing has to be on hold for this migration. Said before it looks for whom else it has to be:
        so of two that end at the same moment the later sees that it is the last.

        Where it cannot be written, the end of this run says the same."""
        notes, name = _notes(), _file(self._migration)
        try:
            if found := notes.read_json(name):
                notes.write_json(name, {**found, "holds": False})
        except ArtifactsUnwritable as error:  # a teardown's work must be done all the same
            log.warning("%s", error)

    def held_for_others(self, topics: Collection[str]) -> dict[str, str]:
        """Of these topics on the target those that have to stay on hold, for whom."""
        found: dict[str, str] = {}
        if not topics:
            return found
        target, own = known_as(self._migration.target), _file(self._migration)
        for record in (record for name, record in noted().items() if name != own):
            try:
                shared, name = record.holds_into(target) & set(topics), record.flow().name
            except FerryError:
                continue  # of another version; ``findings`` tells it
            if shared and self._is_active(record.dag_id, record.run_id):
                found |= dict.fromkeys(shared, name)
        return found

    # -- what is found -------------------------------------------------------------------------------------------------

    def findings(self, to_end: Collection[str] = (), ended: Collection[str] = ()) -> list[Finding]:
        """Loops through this migration, and migrations that write into the same topics; the worst first.

        :param to_end: connectors of this Connect cluster that are stopped before anything of ours begins.
        :param ended: those of another one, which the caller looks at itself.
        """
        ours = self.record.flow()
        leaves = {f"connector {name}" for name in to_end}
        connectors = [flow for flow in self._connectors() if flow is not None and flow.name not in leaves]
        known = {flow.name for flow in connectors}
        spoken_for = {*leaves, *(f"connector {name}" for name in ended)}
        others = [*connectors, *self._noted(ours, connectors, spoken_for)]
        mine = [flow for flow in others if flow.name not in known]  # of connectors ``OtherReplicators`` tells it
        shared = [*shared_target_findings(ours, mine), *self._shared_alias()]
        return worst_first([*loop_findings(ours, others), *shared])

    def _shared_alias(self) -> list[Finding]:
        """Migrations of other DAGs that keep MirrorMaker 2's own topics under our alias, also after their run's end."""
        topics = engine_of(self._migration).own_topics()
        alive = self.keepers_of_alias(self.record.target) if topics else []
        return shared_alias_findings(self._migration.spec, topics, alive)

    def keepers_of_alias(self, target: Collection[str]) -> list[Flow]:
        """Other migrations with our alias on our target that are there.

        :param target: what it is known by.
        """
        ours = self._migration.spec.alias
        same = [record for name, record in noted().items()
                if name != _file(self._migration) and shares_alias(record, ours, target)]  # fmt: skip
        return [flow for record in same if (flow := self._alive(record)) is not None]

    def _noted(self, ours: Flow, connectors: Collection[Flow], spoken_for: Collection[str]) -> list[Flow]:
        """Migrations that noted themselves and matter here. Only of these it is asked whether they are at work.

        :param spoken_for: connectors whose notes say nothing more.
        """
        records = [record for name, record in noted().items() if name != _file(self._migration)]
        names = {flow.name for flow in connectors} | set(spoken_for)
        asked: dict[str, FlowRecord] = {}
        flows: dict[str, Flow] = {}
        for record in records:
            try:
                flow, spec = record.flow(), record.spec
            except FerryError as error:
                log.warning("the note of DAG %s, run %s cannot be read: %s", record.dag_id, record.run_id, error)
                continue
            if f"connector {record.dag_id}.{spec.migration}.MirrorSourceConnector" not in names:  # else it speaks
                asked[flow.name], flows[flow.name] = record, flow
        # Again and again: one that is gone may have hidden another way back.
        while True:
            told = self._rested_on(ours, connectors, flows)
            matter = [name for name in asked if name in told]
            if not matter:
                return [flow for name, flow in flows.items() if name not in asked]
            for name in matter:
                alive = self._alive(asked.pop(name))
                if alive is None:
                    del flows[name]
                else:
                    flows[name] = alive

    @staticmethod
    def _rested_on(ours: Flow, connectors: Collection[Flow], flows: Mapping[str, Flow]) -> set[str]:
        """Names of the flows that a finding needs."""
        noted = list(flows.values())
        found = [*loop_findings(ours, [*connectors, *noted]), *shared_target_findings(ours, noted)]
        return {name for item in found for name in item.flows}

    def _alive(self, record: FlowRecord) -> Flow | None:
        """None when nothing of it is there any more: its run has ended, and so has its engine."""
        if self._is_active(record.dag_id, record.run_id):
            return record.flow()
        try:
            return record.flow() if engine_of(Migration(record.dag_id, record.spec)).is_there() else None
        except FerryError as error:
            log.warning("could not check whether %s still runs: %s", record.flow().name, error)
            return record.flow(sure=False, remark="could not check whether it still runs")

    def _connectors(self) -> Iterator[Flow | None]:
        """Of the Connect cluster, and of dedicated MirrorMaker 2s that keep their configurations on either cluster."""
        replicators, own = OtherReplicators(self._migration), engine_of(self._migration)
        if self._migration.connect is not None:
            worker = {f"id:{self._migration.connect.info().kafka_cluster_id}"}
            for other in replicators.connectors():
                if other.name not in own.connectors:
                    yield connector_flow(other, worker, f"connector {other.name}")
        for cluster, where in ((self._migration.source, "source"), (self._migration.target, "target")):
            mine = own.own_topics() if where == "target" else ()
            for topic, other, silent in self._dedicated(cluster, mine):
                flow = connector_flow(
                    other,
                    addresses(other.config.get("target.cluster.bootstrap.servers")),
                    f"the dedicated MirrorMaker 2 of topic {topic} on the {where}",
                )
                if flow is not None and silent > FRESH_SECONDS:
                    age = f"it has written nothing for {silent // 60:.0f} minutes and may be gone"
                    flow = Flow(flow.name, flow.source, flow.target, flow.copied_as, flow.topics, False, age)
                yield flow

    def _dedicated(
        self, cluster: KafkaClusterHook, mine: Collection[str]
    ) -> Iterator[tuple[str, OtherConnector, float]]:
        """Topic, source connector and seconds of silence of each. The configurations hold secrets: never shown."""
        try:
            names = cluster.admin.topic_names()
            for topic in [name for name in names if configs_alias(name) and name not in mine][:_MOST]:
                silent = self._silence(cluster, topic, names)
                for key, row in TableTopic(cluster, topic).rows().items():
                    if key == b"connector-MirrorSourceConnector":
                        config = json.loads(row.value).get("properties", {})
                        yield topic, OtherConnector(topic, "RUNNING", config), silent
        except (BadConnection, NotAuthorized) as error:  # no right is needed here for the migration itself
            log.warning("mm2-configs.*.internal of %s could not be read, so a loop may go undetected: %s",
                        cluster.conn_id, error)  # fmt: skip

    @staticmethod
    def _silence(cluster: KafkaClusterHook, topic: str, names: Collection[str]) -> float:
        """Seconds since the last write into any of its topics."""
        alias = configs_alias(topic)
        kept = {f"mm2-{kind}.{alias}.internal" for kind in ("configs", "offsets", "status")} & set(names)
        places = [(name, p) for name, state in cluster.admin.topics(kept).items() for p in range(state.partitions)]
        times = [at for at in cluster.newest(places).values() if at is not None]
        return time.time() - max(times, default=0) / 1000


def forget(migration: Migration) -> None:
    """Nothing of this migration runs any more."""
    _notes().delete(_file(migration))


def noted() -> dict[str, FlowRecord]:
    """All notes there are, by file."""
    notes = _notes()
    found = {name: notes.read_json(name) for name in notes.names("flows")}
    return {name: FlowRecord.from_json(data) for name, data in found.items() if data}


def known_as(cluster: KafkaClusterHook) -> set[str]:
    """What a cluster is known by: its id, its brokers' addresses, and how the connection reaches it."""
    servers = cluster.extra.get("bootstrap.servers") or cluster.extra.get("metadata.broker.list")
    brokers = KafkaSurvey.of(cluster).brokers()[1]
    return {f"id:{cluster.admin.describe_cluster().cluster_id}", *brokers, *addresses(servers)}


def _notes() -> RunArtifacts:
    return RunArtifacts("_migrations", "_all")  # beside the DAGs' own folders


def _file(migration: Migration) -> str:
    return f"flows/{safe_name(migration.name)}.json"
