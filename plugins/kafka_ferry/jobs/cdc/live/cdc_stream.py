"""The stream of an Airflow run: its spec, the database, the cluster, and what runs the connector."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pendulum

from kafka_ferry.core.config_diff import connector_config
from kafka_ferry.core.database_needs import grant_findings
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.java_login import java_login_findings
from kafka_ferry.core.plan import PlannedTopic, Side
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.jobs.cdc.debezium_config import Capture
from kafka_ferry.jobs.cdc.live.binlog import LastChange, LogGone, last_change
from kafka_ferry.jobs.cdc.live.client import DatabaseHook
from kafka_ferry.jobs.cdc.live.connector import StreamConnector, connector_of
from kafka_ferry.jobs.cdc.rules.alterations import OVERRIDES, alteration_findings, breaking_findings, snapshot_overrides
from kafka_ferry.jobs.cdc.rules.events import NotAnEvent, Op, parse_event
from kafka_ferry.jobs.cdc.rules.plan import SchemaHistory, StreamPlan
from kafka_ferry.jobs.cdc.rules.position import Position
from kafka_ferry.jobs.cdc.rules.preflight import (
    captured,
    history_findings,
    is_compressed,
    server_id_findings,
    settings_findings,
    table_findings,
    tls_findings,
    topic_findings,
    topic_of,
)
from kafka_ferry.jobs.cdc.rules.spec import StreamSpec
from kafka_ferry.jobs.cdc.rules.tables import Table
from kafka_ferry.jobs.common.deployment import check_settings
from kafka_ferry.jobs.runtimes.service_role.rules.roles import Kind
from kafka_ferry.records.content import PartitionRange

if TYPE_CHECKING:
    from kafka_ferry.jobs.runtimes.service_role.service_role import ServiceRole

_TAIL = 5  # a delete is followed by a tombstone, a transaction by a marker
_LOOKED_AT = 200  # records of a schema history that tell whose it is


class CdcStream:
    """What every task derives its truth from.

    :param dag_id: part of the connector's name, with the param ``stream``.
    """

    def __init__(self, dag_id: str, spec: StreamSpec) -> None:
        check_settings("connector_config", spec.own_config())
        self.spec = spec
        self.name = f"{dag_id}.{spec.stream}"
        self.database = DatabaseHook(spec.database_conn_id, spec.tls)
        self.target = KafkaClusterHook(spec.target_conn_id)
        self._last: dict[Position, LastChange | None] = {}

    @cached_property
    def connector(self) -> StreamConnector:
        """What streams, wherever it runs."""
        return connector_of(self.name, self.spec, self.target)

    @cached_property
    def tables(self) -> list[Table]:
        """Those that changes are captured of."""
        return captured(self.database.tables(self.spec.databases), self.spec.tables)

    def read_foreign_keys(self) -> None:
        """Have :attr:`tables` tell the foreign keys that change their rows, too."""
        self.tables = self.database.with_cascades(self.tables)

    @property
    def server_id(self) -> int:
        """The connector's, as a replica."""
        return self.spec.replica_id(self.name)

    def config(self) -> dict[str, str]:
        """The connector's config.

        :raises BadParam: it cannot work.
        """
        login, spec, tls = self.database.login, self.spec, self.database.worker_tls
        capture = Capture(
            database=spec.database,
            hostname=str(login["host"]),
            port=int(login["port"]),
            user=str(login["user"]),
            password=self.connector.runtime.reference(spec.database_conn_id, "password") or str(login["password"]),
            topic_prefix=spec.prefix,
            databases=tuple(spec.databases),
            tables=tuple(spec.tables),
            server_id=self.server_id,
            tls=tls.asked,
            check=tls.check,
            stores=tls.stores,
            snapshot_mode=spec.snapshot_mode,
            replication_factor=spec.replication_factor or -1,
            partitions=spec.partitions,
            history_topic=spec.history,
            kafka=self.connector.runtime.client_settings(spec.target_conn_id),
            more=self._more(),
        )
        return connector_config(capture.config())

    def _more(self) -> dict[str, str]:
        own = self.spec.own_config()
        return own if any(key.startswith(OVERRIDES) for key in own) else {**snapshot_overrides(self.tables), **own}

    def topics(self) -> dict[str, Table]:
        """Topic to its table."""
        return {topic_of(self.spec.prefix, table): table for table in self.tables}

    @cached_property
    def service_role(self) -> ServiceRole | None:
        """The role that the connector runs with, where there is one."""
        spec, runtime = self.spec, self.connector.runtime
        return runtime.service_role(
            Kind.DEBEZIUM,
            [self.connector.name],
            # Debezium's names of the topics of schema changes and of heartbeats.
            [*sorted(self.topics()), spec.prefix, f"__debezium-heartbeat.{spec.prefix}"],
            [spec.history, *runtime.own_topics],
            pattern=f"*{spec.prefix}*",
        )

    def findings(self) -> list[Finding]:
        """What is wrong with the database, the selection, the schema history or the service role."""
        spec, database = self.spec, self.database
        self.read_foreign_keys()
        grants, tls = database.grants(), database.worker_tls
        found = [*settings_findings(database.variables, spec.database), *grant_findings(grants)]
        found += tls_findings(self.config(), database.conn_id, tls.asked, tls.certificate, grants)
        found += table_findings(self.tables, spec.databases, database.databases(), spec.tables)
        found += alteration_findings(self.tables, database.variables.get("sql_mode", ""), self._more())
        found += breaking_findings(database.odd_columns(), {table.full_name for table in self.tables})
        found += topic_findings(self.tables, spec.prefix, spec.history) + self.connector.runtime.login_findings()
        if spec.runtime != "msk_connect":  # there by its service role
            found += java_login_findings(spec.target_conn_id, "target_conn_id", self.target.extra)
        if not self._runs():
            found += server_id_findings(self.server_id, database.server_ids())
        state = self.target.admin.topics([spec.history]).get(spec.history)
        if state:
            servers = {server for record in self._history() if (server := _server(record))}
            found += history_findings(spec.history, state.partitions, state.effective, servers, spec.prefix)
        if self.service_role:
            found += self.service_role.findings()
        return found

    def _runs(self) -> bool:
        return self.connector.readiness().verdict is not Verdict.WAITING

    def _history(self, most: int = _LOOKED_AT) -> list[bytes]:
        admin, at = self.target.admin, [(self.spec.history, 0)]
        begin = admin.offsets(at, "earliest", "read_uncommitted")[at[0]]
        end = min(admin.offsets(at, "latest", "read_uncommitted")[at[0]], begin + most)
        if begin >= end:
            return []
        with self.target.reader("read_uncommitted") as reader:
            found = reader.read_records({at[0]: range(begin, end)})
        return [record.value for record in found.values() if record.value is not None]

    def has_history(self) -> bool:
        """Whether the schema history topic holds statements."""
        return self.spec.history in self.target.admin.topic_ids([self.spec.history]) and bool(self._history(1))

    def plan(self, findings: list[Finding]) -> StreamPlan:
        """What would be done; without secrets.

        :raises BadParam: the connection, the workers or the config cannot work.
        """
        spec, login = self.spec, self.database.login
        for key, name in (("database.hostname", "host"), ("database.port", "port"), ("database.user", "user")):
            said = spec.claims().get(key)
            if said and said != str(login[name]):
                raise BadParam("connector_config", f"{key} is {said}, but connection {spec.database_conn_id} says "
                               f"{login[name]}", "leave it out, or correct one of the two")  # fmt: skip
        cluster = self.target.admin.describe_cluster()
        self.connector.runtime.check(
            spec.database.connector_class, cluster.cluster_id, "Debezium's archive for this database"
        )
        topics = self.topics()
        there = self.target.admin.topic_ids([*topics, spec.prefix, spec.history])
        lines = [
            PlannedTopic(
                source=table.full_name,
                target=topic,
                partitions=spec.partitions,
                records=table.rows,
                bytes=0,
                exists=topic in there,
            )
            for topic, table in topics.items()
        ]
        return StreamPlan(
            planned=pendulum.now("UTC").isoformat(),
            spec=spec.model_dump(mode="json"),
            source=Side(
                conn_id=spec.database_conn_id,
                server=self.database.variables.get("version", ""),
                server_id=self.database.variables.get("server_id", ""),
                position=str(self.database.position()),
            ),
            target=Side(conn_id=spec.target_conn_id, cluster_id=cluster.cluster_id, brokers=cluster.brokers),
            connector=self.name,
            connector_class=spec.database.connector_class,
            server_id=self.server_id,
            schema_changes=spec.prefix,
            schema_history=SchemaHistory(topic=spec.history, exists=spec.history in there),
            topics=lines,
            records=sum(table.rows for table in topics.values()),
            bytes=0,
            findings=findings,
            notes=list(spec.notes()),
            **({"service_role": self.service_role.about()} if self.service_role else {}),
        )

    def deploy(self) -> bool:
        """Start the connector, or change what differs; whether it resumes from a position that was kept.

        :raises BadParam: what was kept does not go together, or the service role is wrong.
        """
        if self.service_role and not self._runs():
            self.service_role.refuse()  # it may have been changed since the plan
        return self.connector.deploy(self.config(), self.has_history())

    def look(self, until: Position) -> Readiness:
        """Whether the snapshot is over and the connector has committed what lies before a position."""
        state = self.connector.readiness()
        if state.verdict is not Verdict.RUNNING:
            return state
        progress = self.connector.progress()
        at, goal = progress.position, f"the goal is {until}"
        if progress.in_snapshot or at is None:
            return Readiness(
                Verdict.WAITING, f"the snapshot is running, as of {at}" if at else "nothing has been read yet"
            )
        if at >= until:
            return Readiness(Verdict.RUNNING, f"read up to {at}, {goal}")
        # What is committed is the beginning of the last transaction: on a quiet database it never comes to its end.
        if until not in self._last:
            self._last[until] = self._last_change(at, until)
        last = self._last[until]
        if last is None:
            return Readiness(Verdict.WAITING, f"read up to {at}, {goal}")
        if last.table and self._newest(last.table) < (last.position, last.row):
            return Readiness(Verdict.WAITING, f"read up to {at}, {goal}, its last change is {last.position}")
        return Readiness(Verdict.RUNNING, f"the last change before {until} is there, {last.table or 'none'}")

    def _last_change(self, begin: Position, end: Position) -> LastChange | None:
        """None: the log cannot tell. A change without a table: there is none."""
        try:
            if is_compressed(self.database.variables):
                return None
            found = last_change(self.database, begin, end, {table.full_name for table in self.tables})
        except LogGone:
            return None
        return found or LastChange("", end, 0)

    def _newest(self, table: str) -> tuple[Position, int]:
        """The last event in a table's topic."""
        topic = next(name for name, one in self.topics().items() if one.full_name == table)
        wanted = {
            (span.topic, span.partition): range(max(span.begin, span.end - _TAIL), span.end)
            for span in self.ranges([topic])
        }
        newest = Position(0, 0), 0
        with self.target.reader("read_committed", few=True) as reader:
            for record in reader.read_records(wanted).values():
                try:
                    event = parse_event(record.key, record.value)
                except NotAnEvent:
                    continue
                if event and event.op is not Op.READ:
                    newest = max(newest, (event.position, event.row))
        return newest

    def events(self) -> int:
        """How far the ends of the tables' topics have come, together."""
        return sum(span.end for span in self.ranges(self.topics()))

    def remove(self) -> dict[str, list[str]]:
        """Take the connector away; with ``forget`` also its offsets and its schema history. Data topics stay."""
        runtime = self.connector.runtime
        ended = self.connector.remove(forget=self.spec.forget)
        runtime.forget_internal([self.connector.name])
        topics = self.target.admin.delete_topics([self.spec.history, *runtime.own_topics]) if self.spec.forget else []
        return {"ended": ended, "topics": topics}

    def left(self) -> list[str]:
        """What :meth:`remove` should have taken away and is there still."""
        left = self.connector.left()
        if self.spec.forget:
            left += [f"topic {name}" for name in self.target.admin.topic_ids([self.spec.history])]
        return left

    def ranges(self, topics: Iterable[str]) -> list[PartitionRange]:
        """All that stands in topics now, of those that exist."""
        admin = self.target.admin
        partitions = [
            (name, number) for name, state in admin.topics(topics).items() for number in range(state.partitions)
        ]
        begins = admin.offsets(partitions, "earliest", "read_committed")
        ends = admin.offsets(partitions, "latest", "read_committed")
        return [PartitionRange(*at, begins[at], ends[at]) for at in partitions]


def stream_of(context: Mapping[str, Any]) -> CdcStream:
    """The stream of the run a task belongs to."""
    return CdcStream(context["dag_run"].dag_id, StreamSpec.from_params(context["params"]))


def _server(record: bytes) -> str:
    try:
        return str(json.loads(record)["source"]["server"])
    except (ValueError, KeyError, TypeError):
        return ""
