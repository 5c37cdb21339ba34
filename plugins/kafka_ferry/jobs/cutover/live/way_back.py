"""The way back: from the target to the source, by a MirrorMaker 2 that begins where the fence saw the target end.

The order keeps records from going round: the way there has ended before the way back is made, and as long as that is
there, it is noted where our migrations look before they begin.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.finding import Finding, refuse
from kafka_ferry.core.heartbeat import beat
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.wave_journal import DONE, Journal, State
from kafka_ferry.exceptions import BadParam, FerryError, TransientError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.connect.states import ConnectorState, Verdict
from kafka_ferry.jobs.common.run_lock import SharedName
from kafka_ferry.jobs.common.wave_journals import Journals
from kafka_ferry.jobs.cutover.live.fence import lift_fence
from kafka_ferry.jobs.cutover.live.wave import Wave
from kafka_ferry.jobs.cutover.rules.fail_back_spec import FailBackSpec, refuse_no_way_back
from kafka_ferry.jobs.cutover.rules.one_way import in_words_of_fail_back
from kafka_ferry.jobs.cutover.rules.standstill import told
from kafka_ferry.jobs.migration.engines.mirror_connectors import MirrorConnectors, refusal
from kafka_ferry.jobs.migration.engines.mirror_maker2_config import residue_topics
from kafka_ferry.jobs.migration.engines.mirror_maker2_on_connect import MirrorMaker2OnConnect
from kafka_ferry.jobs.migration.live.flows import Flows, IsActive, forget
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.runtimes.kafka_connect import KafkaConnectRuntime
from kafka_ferry.records.content import PartitionRange
from kafka_ferry.report.artifacts import DamagedArtifact, RunArtifacts

log = logging.getLogger(__name__)

#: Artifact: journal of the cutover that is taken back, as the plan found it.
FORWARD = "forward.json"
_POLL = 1.0


class StillThere(FerryError):
    """The way there has not ended, or somebody wrote to the source."""


class BackConnectors(MirrorConnectors):
    """Those of the way back: they begin at the fence, and where records came back already, behind the last of these.

    :ivar forward: journal of the cutover.
    """

    forward: Journal

    def places(self) -> dict[Partition, int]:
        migration, fences = self._migration, self.forward.frozen_target_ends
        ends = migration.target.admin.offsets(self.forward.frozen_ends, "latest", "read_uncommitted")
        came = {tp for tp, end in self.forward.frozen_ends.items() if ends[tp] != end}
        known = resume_of(migration, migration.target_topics(), only=came) if came else {}
        # Where nothing was there before, it begins at the begin.
        return {tp: fence for tp, fence in fences.items() if tp not in came and fence > 0} | known


class BackEngine(MirrorMaker2OnConnect):
    """MirrorMaker 2 on Kafka Connect, from the target to the source."""

    def __init__(self, migration: Migration, forward: Journal) -> None:
        super().__init__(migration)
        self._forward = forward

    @cached_property
    def mirror(self) -> BackConnectors:
        runtime = KafkaConnectRuntime(self.connect, refusal)
        made = BackConnectors(self.migration, runtime, self.connect.client_settings)
        made.forward = self._forward
        return made

    @property
    def kept_topics(self) -> tuple[str, ...]:
        """Those of ``own_topics`` that it makes: it carries no groups, so it has no checkpoints."""
        return residue_topics(self.migration.spec.alias)[:1]


class WayBack:
    """One wave that goes back.

    :ivar forward: journal of its cutover. ``wave``: the same topics, from the target to the source.
    """

    def __init__(self, dag_id: str, run_id: str, spec: FailBackSpec, forward: Journal) -> None:
        self.dag_id, self.run_id, self.spec, self.forward = dag_id, run_id, spec, forward
        self.wave = Wave(dag_id, run_id, spec.backwards(forward))
        self.source = self.wave.target
        self.migration = Migration(dag_id, spec.replication(forward))
        self.engine = BackEngine(self.migration, forward)

    @classmethod
    def begin(cls, dag_id: str, run_id: str, spec: FailBackSpec) -> WayBack:
        """By the journal as it is.

        :raises BadParam: there is no way back.
        """
        probe = Wave(dag_id, run_id, spec.model_copy(update={"topics": ["any"]}))
        source, target = probe.source_cluster, probe.target_cluster
        forward = refuse_no_way_back(Journals(source).read(spec.wave), spec, source, target)
        return cls(dag_id, run_id, spec, forward)

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> WayBack:
        """By the journal as the plan found it."""
        run, artifacts = context["dag_run"], RunArtifacts.of(context)
        found = artifacts.read_json(FORWARD)
        if found is None:
            raise DamagedArtifact(f"{artifacts.path(FORWARD)} is not there. Fix: clear plan with its downstream tasks")
        return cls(run.dag_id, run.run_id, FailBackSpec.from_params(context["params"]), Journal.read(found))

    @property
    def journals(self) -> Journals:
        """Those of the source, where the cutover's is."""
        return Journals(self.forward.source_cluster)

    @property
    def fence_there(self) -> list[Acl]:
        """What is left of the cutover's fence on the source; a way back takes it away."""
        return [] if self.forward.lifted and not self.forward.lent else self.forward.fence_acls

    @property
    def shared_names(self) -> list[SharedName]:
        """Neither another way back nor a cutover of the wave may work at the same time."""
        forth = SharedName("migration", self.spec.wave, f"cutover/{self.forward.source_cluster}/{self.spec.wave}")
        return [self.wave.shared_name, forth]

    def forget_earlier(self) -> None:
        """An earlier way back of this wave was followed by another cutover: it is over."""
        earlier = self.wave.journals.read(self.spec.wave)
        if earlier and earlier.state in DONE and earlier.handed_over_at < self.forward.handed_over_at:
            earlier.state = State.FAILED_BACK
            self.wave.journals.write(earlier)

    def refuse_late_records(self) -> None:
        """:raises StillThere: somebody wrote to the source since the hand-over: it is not what the target was."""
        ends = self.forward.frozen_ends
        now = self.source.admin.offsets(ends, "latest", "read_uncommitted")
        spans = [PartitionRange(*tp, end, now[tp]) for tp, end in ends.items() if now[tp] > end]
        starts = self.source.admin.offsets([span.key for span in spans], "earliest", "read_uncommitted")
        spans = [span for span in spans if starts[span.key] < span.end]
        if not spans or self.engine.is_there():  # else they are what came back: the comparison tells others from them
            return
        with self.source.reader("read_uncommitted", few=True) as reader:
            found = {tp: at for tp, at in reader.probe(spans).items() if at is not None}
        if found:
            named = told(f"{topic}-{p} from offset {at} on" for (topic, p), at in sorted(found.items()))
            raise StillThere(
                f"written on the source since the hand-over: {named}. The target does not have these records in this "
                "order, so the two can no longer be made the same. Fix: decide what becomes of them; then migrate the "
                "target's topics to new ones, and cut over to these"
            )

    def refuse_other_denials(self) -> None:
        """:raises BadParam: ACLs that are not ours keep the way back from writing."""
        acls = self.source.admin.acls() or []
        ours, topics = set(self.forward.fence_acls), set(self.forward.topics)
        for acl in acls:
            denies = acl.permission == "DENY" and acl.resource == "TOPIC" and acl.operation in ("WRITE", "ALL")
            if denies and acl.principal == "User:*" and acl not in ours and any(map(acl.matches, topics)):
                raise BadParam(
                    "source_conn_id", f"leads to a cluster with {acl}, which was there before the cutover, or was made "
                    "since: nobody can write back", f"kafka-acls {acl.command().replace('--add', '--remove')}",
                )  # fmt: skip

    @property
    def forward_connect(self) -> ConnectHook:
        """That of the way there."""
        return ConnectHook(str(self.spec.forward_connect_conn_id or self.spec.connect_conn_id))

    def named_there(self) -> list[str]:
        """Those of ``forward_connectors`` that exist."""
        named = self.spec.forward_connectors
        there = set(self.forward_connect.connectors()) if named else set()
        return [name for name in named if name in there]

    def end_forward(self, is_active: IsActive) -> list[str]:
        """Stop the connectors that the params name, and see that nothing replicates to the target any more.

        :raises FerryError: somebody does, with the cure. ``StillThere``: somebody wrote to the source.
        """
        for name in self.named_there():
            self.forward_connect.stop(name)
            log.info("connector %s is stopped; its offsets are kept", name)
        self.assert_one_way(is_active)
        self.refuse_late_records()
        self.refuse_other_denials()
        found = self.journals.read(self.spec.wave)
        if found is not None and found.added and (not found.lifted or found.lent):
            # Noted first. Nobody but a deny for everybody stops who is not known, and that stops the way back as well.
            found.lifted = found.lent = True
            self.journals.write(found)
            lift_fence(self.source, found)
            log.info("the fence of %d ACLs on the source is lifted: records of others there are found by contents",
                     len(self.forward.added))  # fmt: skip
        return self.spec.forward_connectors

    @property
    def same_connect(self) -> bool:
        """Whether one Kafka Connect has the connectors of both ways."""
        return self.spec.forward_connect_conn_id in (None, "", self.spec.connect_conn_id)

    def replicators(self, is_active: IsActive, *, before: bool = False) -> list[Finding]:
        """Whoever replicates the wave to the target, or would write into the same topics.

        :param before: ``forward_connectors`` are not stopped yet, and will be.
        """
        named = self.spec.forward_connectors
        flows = Flows(self.migration, self.dag_id, self.run_id, is_active)
        found = flows.findings(
            to_end=named if before and self.same_connect else (), ended=() if self.same_connect else named
        )
        return in_words_of_fail_back(found, named, same_connect=self.same_connect)

    def assert_one_way(self, is_active: IsActive) -> None:
        """:raises FerryError: records would come back to where they were taken from."""
        conn_id = self.spec.forward_connect_conn_id
        if conn_id and not self.same_connect:
            there = ConnectHook(conn_id)
            running = [name for name in self.spec.forward_connectors if name in there.connectors()
                       and there.status(name).state is not ConnectorState.STOPPED]  # fmt: skip
            if running:
                raise StillThere(f"connector {running[0]} on {conn_id} is not stopped. Fix: stop it, or delete it")
        refuse(self.replicators(is_active))

    def deploy(self, is_active: IsActive, timeout: float) -> list[str]:
        """Open the way back, and see it run.

        :raises FerryError: it does not.
        """
        flows = Flows(self.migration, self.dag_id, self.run_id, is_active)
        flows.note()  # first said, then looked: of two that begin at the same moment at least one sees the other
        self.assert_one_way(is_active)
        self.engine.deploy()
        deadline = time.monotonic() + timeout
        while (now := self.engine.readiness()).verdict is not Verdict.RUNNING:
            if now.verdict is Verdict.FAILED or time.monotonic() > deadline:
                raise FerryError(
                    f"the way back does not run: {now.reason or now.verdict.value}. Fix: see the log of its workers"
                )
            beat()
            time.sleep(_POLL)
        return self.engine.names

    def failed(self) -> str:
        """The trace of a task of the way back that has failed; empty: none has, or it could not be asked."""
        try:
            now = self.engine.readiness()
        except TransientError as error:  # its records tell as well, and it is asked again
            log.warning("could not ask how the way back is: %s", error)
            return ""
        return now.reason if now.verdict is Verdict.FAILED else ""

    def refuse_failed(self) -> None:
        """:raises FerryError: a task of the way back has failed, so nothing more comes; with its trace."""
        if why := self.failed():
            raise FerryError(
                "the way back has failed. Fix: what the last cause of its trace names, then a new run with the same "
                f"params, which goes on with it: {why}"
            )

    def hand_back(self) -> None:
        """The applications are on the source: its wave is no longer handed over. Safe to repeat."""
        found = self.journals.read(self.spec.wave)
        if found is not None and found.own == self.forward.own:  # as it is now: its fence was lifted since
            found.state, found.lent = State.FAILED_BACK, False
            self.journals.write(found)

    def states(self) -> dict[str, str]:
        """Its connectors that are there, to their states."""
        there = self.engine.mirror.runtime.existing(self.engine.mirror.names)
        return {name: self.engine.connect.status(name).state.value for name in there}

    def close(self, backward: Journal | None) -> str:
        """What the end of a run does about the way back; what was done, in words."""
        if backward is not None and backward.state in DONE:
            stopped = self.engine.stop()
            there = self.source.admin.topic_ids(self.engine.own_topics())
            gone = self.source.admin.delete_topics(there)
            forget(self.migration)
            return f"the way back has ended: {_named(stopped)}; deleted: {_named(gone)}"
        said = []
        for name in self.engine.mirror.runtime.existing(self.engine.mirror.names):
            self.engine.connect.stop(name)
            said.append(f"connector {name} is stopped, and goes on with the next run")
        found = self.journals.read(self.spec.wave)
        if found is not None and found.lent and found.state is State.HANDED_OVER:
            self.source.admin.create_acls(found.fence_acls)
            found.lifted = found.lent = False
            self.journals.write(found)
            said.append(f"{len(found.added)} ACLs of the cutover's fence are on the source again")
        return "; ".join(said) or "there is no way back"


def _named(found: Iterable[str]) -> str:
    return ", ".join(found) or "nothing"


def run_is_active(context: Mapping[str, Any]) -> Callable[[str, str], bool]:
    from kafka_ferry.jobs.common.run_lock import is_active

    return is_active(context)
