"""MSK Replicator: Amazon's own, which runs where nobody can look."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, ClassVar, cast

from kafka_ferry.core.arns import region_of
from kafka_ferry.core.changes import Action, Change
from kafka_ferry.core.finding import Finding
from kafka_ferry.core.largest_record import Limit
from kafka_ferry.core.partition import Partition
from kafka_ferry.exceptions import BadParam, FerryError, TransientError
from kafka_ferry.hooks.connect.states import Readiness, Verdict
from kafka_ferry.hooks.msk.replicator import MskReplicatorHook
from kafka_ferry.hooks.msk.rules.cluster import ReplicatorCluster, client_authentication
from kafka_ferry.hooks.msk.rules.replicator import (
    Compression,
    Replicator,
    ReplicatorIntent,
    ReplicatorState,
    StartingPosition,
    change_lines,
    immutable_differences,
    replicator_name,
)
from kafka_ferry.jobs.common.by_hand import delete_replicator
from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.msk_replicator_spec import MskReplicatorSpec
from kafka_ferry.jobs.migration.live.progress import ReplicationFailed
from kafka_ferry.jobs.migration.live.retention import hold_limits
from kafka_ferry.jobs.migration.live.tail_progress import TailProgress
from kafka_ferry.jobs.migration.rules.around import Acls
from kafka_ferry.jobs.migration.rules.canary import other_canaries
from kafka_ferry.jobs.migration.rules.outside_source import (
    outside_findings,
    target_findings,
    too_old_for_a_replicator,
)
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from kafka_ferry.jobs.migration.rules.watch import Progress

_VERDICTS = {ReplicatorState.RUNNING: Verdict.RUNNING, ReplicatorState.FAILED: Verdict.FAILED}


class MskReplicator(Engine):
    """Topics under the same names, from the first record. What it says about itself is never the proof.

    Its offsets cannot be read, so progress is read off the target's records. It cannot be told where to begin but at
    either end of the source, so a new one is refused where that would lose records, or copy some a second time.
    """

    title: ClassVar[str] = "MSK Replicator"
    may_be_kafka_4 = False
    logs_in_to = ()
    estimate_note: ClassVar[str] = "; measured with MirrorMaker 2 on Connect, not with MSK Replicator"

    @classmethod
    def refresh_seconds(cls, spec: MigrationSpec) -> int:
        """ "Up to 30 seconds" until a new topic is seen (developer guide, "How replication works"); doubled here."""
        return 60

    @property
    def spec(self) -> MskReplicatorSpec:
        return cast(MskReplicatorSpec, self.migration.spec)

    @cached_property
    def hook(self) -> MskReplicatorHook:
        # A replicator lives in the region of its target, whatever the connection's.
        return MskReplicatorHook(aws_conn_id=self.spec.aws_conn_id, region_name=region_of(self.spec.cluster_arn))

    @property
    def name(self) -> str:
        """Of the replicator; the same on each run."""
        return replicator_name(self.migration.name)

    @cached_property
    def intent(self) -> ReplicatorIntent:
        """What it shall be.

        :raises BadParam: MSK would refuse it.
        """
        spec, topics, groups = self.spec, self.migration.topics.selection, self.migration.groups.selection
        source, target = self.hook.ends(self._source(), spec.cluster_arn)
        canary = [re.escape(self.migration.canary)] * spec.canary
        # In a run that ends, exact offsets are written by us: its own, approximate ones would come in between.
        carried = groups.patterns if spec.keep_replicating else ()
        return ReplicatorIntent(
            name=self.name,
            source=source,
            target=target,
            role_arn=spec.service_execution_role_arn,
            topics=[*topics.patterns, *canary],
            topics_exclude=[*topics.exclude_patterns, other_canaries(self.migration.canary)],
            groups=carried,
            groups_exclude=groups.exclude_patterns if carried else (),
            starting_position=StartingPosition(spec.starting_position),
            compression=Compression(spec.compression),
            # Else it would put limits back that are off during the copy.
            copy_configs=spec.keep_replicating,
            copy_acls=spec.keep_replicating and spec.acls is Acls.COPY,
            log_group=spec.log_group,
            description=f"Kafka Ferry, migration {self.migration.name}",
        )

    def _source(self) -> str | ReplicatorCluster:
        spec = self.spec
        if not spec.source_bootstrap:
            return spec.source_cluster_arn
        return ReplicatorCluster(
            tuple(spec.source_subnets),
            tuple(spec.source_security_groups),
            cluster_id=self.migration.source.admin.describe_cluster().cluster_id,
            bootstrap_servers=spec.source_bootstrap,
            authentication=client_authentication(spec.source_login, str(spec.source_login_arn)),
            root_ca=spec.source_ca_arn or "",
        )

    @property
    def codec(self) -> str:
        return self.spec.compression.lower()

    def size_limits(self) -> list[Limit]:
        """Its quota for a record (MSK's developer guide, "MSK Replicator quota"); it tells nothing of its producer."""
        arn = self.spec.source_cluster_arn
        near = bool(arn) and region_of(arn) == region_of(self.spec.cluster_arn)
        where = (
            "within a region" if near else "between regions" if arn else "from outside MSK, taken for another region"
        )
        fix = "leave the topic out, or another engine"
        return [
            Limit(f"MSK Replicator's quota for a record {where}", (20 if near else 10) * 1024 * 1024, fix, sure=False)
        ]

    # -- plan ----------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        ends = {"source": self.intent.source.name, "target": self.spec.cluster_arn}
        if self.spec.source_bootstrap:
            ends |= {"source_bootstrap": self.spec.source_bootstrap, "source_login": self.spec.source_login}
        return {"replicator": self.intent.name, **ends, "starting_position": self.spec.starting_position}

    def findings(self) -> list[Finding]:
        source = self.migration.source
        found = too_old_for_a_replicator(source.conn_id, source.admin.capabilities)
        if self.spec.source_bootstrap:
            found += outside_findings(self.spec.source_bootstrap, self.spec.source_login, source.extra)
            found += target_findings(self.spec.target_conn_id, self.migration.msk_target)
        return found

    def changes(self) -> list[Change]:
        found = self.hook.find_replicator(self.name)
        if found is not None and found.state is ReplicatorState.FAILED:
            raise BadParam("migration", f"{found}", f"delete it first:\n{self.how_to_stop()}")
        if found is None or found.state is ReplicatorState.DELETING:
            self._refuse_position()
            detail = f"{self.spec.starting_position}, names kept, topics {', '.join(self.intent.topics)}"
            return [Change(Action.CREATE, "replicator", self.name, detail[:500])]
        self._refuse_another(found)
        lines = change_lines(self.intent, found)
        return [Change(Action.UPDATE if lines else Action.NONE, "replicator", self.name, "; ".join(lines))]

    def _refuse_another(self, found: Replicator) -> None:
        if differences := immutable_differences(self.intent, found):
            problem = f"replicator {found.name} exists, and its {'; its '.join(differences)}"
            raise BadParam("migration", problem, "delete the replicator first, or use another migration name")

    def _refuse_position(self) -> None:
        """A new replicator begins at either end of the source, whatever the target holds.

        :raises BadParam: it would leave records out, or copy some a second time.
        """
        if not self.migration.target_topics() and self.spec.starting_position == "EARLIEST":
            return
        places = self.resume(self.migration.target_topics())
        if self.spec.starting_position == "LATEST":
            if missing := self._missing(places):
                problem = f"is LATEST, but the target lacks records of {_named(missing)}, which would never be copied"
                raise BadParam("starting_position", problem, "EARLIEST, into topics that are empty on the target")
        elif places and self.spec.duplicates == "fail":
            problem = f"is EARLIEST, but the target holds records of {_named(places)}, which would be written twice"
            fix = (
                "delete these topics on the target; LATEST if it holds all; or duplicates: explain, which lets "
                "them pass"
            )
            raise BadParam("starting_position", problem, fix)

    def _missing(self, places: dict[Partition, int]) -> list[Partition]:
        """Partitions of which the target lacks records that the source has now."""
        admin, level = self.migration.source.admin, self.spec.isolation_level
        partitions = self.migration.topics.partitions
        begins = admin.offsets(partitions, "earliest", level)
        ends = admin.offsets(partitions, "latest", level)
        left = {tp: (places.get(tp, begins[tp]), ends[tp]) for tp in partitions}
        left = {tp: span for tp, span in left.items() if span[0] < span[1]}
        return sorted(left.keys() - self.migration.prober()(left)) if left else []

    # -- run -----------------------------------------------------------------------------------------------------------

    def deploy(self) -> None:
        found = self.hook.find_replicator(self.name)
        if found is not None and found.state is ReplicatorState.FAILED:
            return  # ``readiness`` tells its StateInfo; recreated, it would fail again
        if found is None or found.state is ReplicatorState.DELETING:
            self._refuse_position()
            hold_limits(self.migration)
            self.hook.create_replicator(self.intent)
            return
        self._refuse_another(found)
        hold_limits(self.migration)
        if found.state is ReplicatorState.RUNNING:
            self.hook.update_replicator(found.arn, self.intent)

    def readiness(self) -> Readiness:
        found = self.hook.find_replicator(self.name)
        if found is None:
            return Readiness(Verdict.FAILED, f"there is no replicator {self.name}")
        return Readiness(_VERDICTS.get(found.state, Verdict.WAITING), str(found))

    def progress(self) -> Progress:
        return TailProgress(self.migration, self._check)

    def _check(self) -> None:
        try:
            state = self.readiness()
            lag = self.hook.message_lag(self.name)
        except FerryError as fault:
            if fault.retriable:
                raise TransientError(str(fault)) from fault
            raise
        if state.verdict is Verdict.FAILED:
            raise ReplicationFailed(state.reason)
        if lag is not None:
            self.hook.log.info("CloudWatch's MessageLag, a hint only: %g", lag)

    # -- traces and removal --------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        return [f"replicator {self.name}"]

    def is_there(self) -> bool:
        return self.hook.find_replicator(self.name) is not None

    def stop(self) -> list[str]:
        """End it, and wait until it is gone, which takes minutes: until then it may write."""
        found = self.hook.find_replicator(self.name)
        if found is None:
            return []
        self.hook.delete_replicator(found.arn)
        self.hook.wait_until_gone("replicator_deleted", ReplicatorArn=found.arn)
        return self.names

    def left(self) -> list[str]:
        return self.names if self.is_there() else []

    def how_to_stop(self) -> str:
        return delete_replicator(region_of(self.spec.cluster_arn), self.name)


def _named(partitions: Any) -> str:
    some = sorted(partitions)
    more = f" and {len(some) - 5} more" if len(some) > 5 else ""
    return ", ".join(f"{topic}-{number}" for topic, number in some[:5]) + more
